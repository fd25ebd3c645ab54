"""A clip as one mp4: each frame's people over its picture, and beside it from above with where they went."""
import cv2
import numpy as np
import torch

from mmhuman_dto.fileio.video_writer import VideoWriter

from ..geometry import resize_intrinsics
from .clip_motion import root_places
from .clip_plan import PlanView
from .colors import colors_of, plate_color
from .ground import HeldGround
from .html_decimation import decimate
from .mesh_render import render_meshes
from .overlay import FEW, heads_of
from .people_rows import people_rows
from .text import INK, draw_text, place_labels, text_height, text_size

#: The whole picture is at most so wide and high (px), and at least so high, that labels can be read.
WIDEST, HIGHEST, LOWEST = 1920, 1080, 480
#: The view from above is this wide for its height, as in still pictures.
_PLAN_ASPECT = 640 / 720
#: Triangles of one person: as many as can be seen at this size.
_TRIANGLES = 4000
#: Labels go over to another place beside their person in about this long, s.
_GLIDE = .2


class ClipVideoWriter:
    """Writes an mp4 frame by frame: people over the picture with number, height and distance, and from above, where
    their trails fade; a context manager, as :class:`~mmhuman_dto.fileio.video_writer.VideoWriter` is.

    Colours and numbers are those of ``Placement.ids``: the tracks'. The view from above is one metric frame for the
    clip.

    Args:
        path: of the file, ``.mp4``.
        fps: frames a second.
        bounds: what is seen from above, see :class:`~mmhuman_dto.visualization.clip_plan.PlanView`.
        trail_seconds: how long trails are.
        codec: see :mod:`mmhuman_dto.fileio.video_writer`.
    """

    def __init__(self, path, fps, bounds=None, trail_seconds=4., codec='mp4v'):
        self.file = VideoWriter(path, fps, codec)
        self._options, self._plan, self._mesh = (bounds, trail_seconds), None, None
        self._ground, self._labels = HeldGround(), HeldLabels()

    def add(self, scene, time, to_world=None, new_shot=False):
        """Add a frame.

        Args:
            scene: :class:`~mmhuman_dto.visualization.Scene` of the frame, whose ``last`` people are drawn.
            time: s, later than that of the frame before.
            to_world: (4, 4), m, from the camera frame to the clip's world (x right, y up from the ground, z towards the
                viewer), a row of :func:`~mmhuman_dto.visualization.clip_motion.camera_to_world`; None: of a camera that
                stands still, over the ground that the shot's people so far stand on.
            new_shot: whether trails and what is known of the ground end before this frame.

        Returns:
            (H, W, 3) uint8 RGB, the picture.
        """
        height, width = scene.image.shape[:2]
        if self._plan is None:
            self._size = panel_sizes((height, width))
            self._plan = PlanView(self._size[1], width, *self._options)
        if new_shot:
            self._plan.new_shot()
            self._ground, self._labels = HeldGround(), HeldLabels()
        places = root_places_of(scene.last)
        placement, faces = self._thinned(scene)
        if to_world is None:
            to_world = self._ground.add(placement.vertices, placement.support, time).camera_to_world
        plan = self._plan.draw(placement, faces, places, to_world, time)
        picture = np.concatenate([self._overlay(scene.image, placement, faces, time), plan], 1)
        self.file.add(picture, time)
        return picture

    def close(self):
        """Finish the file."""
        self.file.close()

    def __enter__(self):
        self.file.__enter__()
        return self

    def __exit__(self, *error):
        self.file.__exit__(*error)

    def _thinned(self, scene):
        """The last placement with fewer triangles, the same ones in all frames."""
        placement = scene.last
        if self._mesh is None or not np.array_equal(self._mesh[0], scene.faces):
            if not len(placement.ids):
                return placement, scene.faces
            self._mesh = (scene.faces, *decimate(placement.vertices[:1], scene.faces, _TRIANGLES)[1:])
        _, faces, origin = self._mesh
        support = None if placement.support is None else placement.support[:, origin]
        return placement._replace(vertices=placement.vertices[:, origin], support=support), faces

    def _overlay(self, image, placement, faces, time):
        size = self._size[0]
        shrinks = size[0] < .6 * len(image)
        picture = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        intrinsics = resize_intrinsics(torch.as_tensor(placement.intrinsics), size[1] / image.shape[1],
                                       size[0] / image.shape[0]).numpy()
        placement = placement._replace(intrinsics=intrinsics)
        colors = colors_of(placement)
        picture = render_meshes(picture, placement.vertices, faces, intrinsics, colors, supersample=1,
                                support=placement.support)
        cap = text_height((size[0], size[0]))
        self._labels.draw(picture, placement, colors, cap, time)
        draw_text(picture, [_clock(time)], (0, 0), cap)
        return picture


class HeldLabels:
    """Labels at people's heads that glide where they need another place, rather than jump."""

    def __init__(self):
        self._offsets, self._time = {}, None

    def draw(self, picture, placement, colors, cap, time):
        """Write number, height and distance of people (capitals ``cap`` px high) into a picture, in place, the nearest
        over those behind them."""
        height, width = picture.shape[:2]
        cap *= 1 if len(placement.ids) <= FEW else .75
        order, heads = heads_of(placement, (height, width))
        anchors, rows = np.stack([heads[:, [0, 2]].mean(1), heads[:, 1]], 1), people_rows(placement)
        texts = [_text(rows[person]) for person in order]
        sizes = [text_size(lines, cap) for lines in texts]
        corners = place_labels(anchors, sizes, (width, height), cap * .5, heads)
        follow = 1. if self._time is None else 1 - np.exp(-max(time - self._time, 0) / _GLIDE)
        offsets, shown = {}, []
        for person, lines, anchor, corner in zip(order, texts, anchors, corners):
            if corner is None:
                continue
            identity, wanted = int(placement.ids[person]), np.subtract(corner, anchor)
            before = self._offsets.get(identity, wanted)
            offsets[identity] = before + follow * (wanted - before)
            shown.append((lines, anchor + offsets[identity], plate_color(colors[person])))
        for lines, corner, plate in reversed(shown):
            draw_text(picture, lines, corner, cap, INK, plate)
        self._offsets, self._time = offsets, time


def _clock(time):
    """Such as '12:03.4', min and s."""
    tenths = int(time * 10 + 1e-6)
    return f'{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}'


def _text(row):
    number = f'#{row.person}' if row.person >= 0 else ''
    if row.note:
        return tuple(part for part in (number, *row.label) if part)
    return (' '.join(part for part in (number, row.height_text) if part) or '?', f'{row.distance_text} away')


def root_places_of(placement):
    """(N, 3) m, camera frame: the people's pelvises; where these are not known, the middles of their meshes."""
    if placement.people is None or placement.body_model is None:
        return placement.vertices.mean(1)
    return root_places(placement.people, placement.body_model)


def panel_sizes(size):
    """(height, width) px of the picture with people and of the view from above, of pictures of ``size``: even."""
    height, aspect = size[0], size[1] / size[0]
    height = max(min(height, HIGHEST), LOWEST)
    height = min(height, WIDEST / (aspect + _PLAN_ASPECT))
    even = [2 * round(side / 2) for side in (height, height * aspect, height * _PLAN_ASPECT)]
    return (even[0], even[1]), (even[0], even[2])
