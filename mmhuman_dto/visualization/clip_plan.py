"""The ground of a clip from above, in one frame of metres for all of it: where people are and where they went."""
from collections import deque

import cv2
import numpy as np

from .birdseye import BORDER
from .clip_motion import root_places
from .colors import colors_of, person_colors
from .notes import NoteStrip
from .people_rows import measured, people_rows
from .plot import AXIS, BACKGROUND, draw_camera, draw_grid, draw_title, fit_plot, render_plot
from .strokes import SHIFT, fixed
from .text import INK, draw_text, place_labels, text_height, text_size

#: A frame that must grow does so in about this long, s, and with so much room (m) that it need not again at once.
_GROWING, _ROOM = .7, 1.5
#: A body reaches so far (m) from its pelvis, mostly.
_BODY = .5
#: Points of a trail are this far apart, px; who was not seen for longer (s) leaves a gap.
_TRAIL_STEP, _TRAIL_GAP = 2., .5
#: Trails are this much of a person's colour when they are new, and their lines are so many px wide.
_TRAIL_STRENGTH, _TRAIL_WIDTH = .8, 3


class PlanView:
    """Draws frame after frame of a clip from above.

    A frame's metres stay where they are: ``bounds`` shows all that is within them, else it grows, smoothly, with what
    there is to be seen, and never shrinks within a shot.

    Args:
        size: (height, width) px.
        image_width: px of the clip's pictures, for the field of view.
        bounds: ((left, near), (right, far)), m, in the world that :meth:`draw` is given (x, -z); None: it grows.
        trail_seconds: how long it is seen where somebody was.
    """

    def __init__(self, size, image_width, bounds=None, trail_seconds=4.):
        self.size, self.image_width, self.trail_seconds = tuple(size), image_width, trail_seconds
        self.cap, self._bounds = text_height(size), None if bounds is None else np.asarray(bounds, float)
        self.new_shot()

    def new_shot(self):
        """Forget where people were and what was seen."""
        self._trails, self._shown, self._wanted, self._time, self._sheet = {}, self._bounds, None, None, None

    def draw(self, placement, faces, places, to_world, time):
        """A picture of people.

        Args:
            placement: :class:`~mmhuman_dto.visualization.Placement`, camera frame. faces: (F, 3).
            places: (N, 3) m, camera frame: what of each person leaves a trail, such as the pelvis.
            to_world: (4, 4) from the camera frame to the world: x right, y up, z towards the viewer, m.
            time: s.
        """
        vertices = _from_above(placement.vertices, to_world)
        feet = _from_above(places, to_world)[:, :2]
        self._remember(placement.ids, feet, time)
        camera = _from_above(np.zeros(3), to_world)[:2]
        self._look_at(np.vstack([vertices[..., :2].reshape(-1, 2), camera]), time)
        panel, frame = self._background(placement, camera, to_world)
        (x, y), (width, height) = frame.corner, frame.size
        plot, inside = panel[y:y + height, x:x + width], frame._replace(corner=(0, 0))
        self._draw_trails(plot, inside, time)
        colors = colors_of(placement)
        plot[:] = render_plot(plot, vertices, faces, inside, colors, placement.support, supersample=1)
        self._label(plot, placement, inside.to_pixels(*feet.T), vertices, inside, colors)
        return panel

    def _remember(self, ids, places, time):
        for identity, place in zip(ids.tolist(), places):
            self._trails.setdefault(identity, deque()).append((time, *place))
        for identity, trail in list(self._trails.items()):
            while trail and trail[0][0] < time - self.trail_seconds:
                trail.popleft()
            if not trail:
                del self._trails[identity]

    def _look_at(self, points, time):
        """Let the frame grow towards one that has these points (P, 2)."""
        if self._bounds is not None:
            return
        low, high = points.min(0) - BORDER, points.max(0) + BORDER
        if self._shown is None:
            self._shown = self._wanted = np.stack([np.minimum(low, [-1, -BORDER]) - (_ROOM, 0),
                                                   np.maximum(high, [1, 3]) + _ROOM])
        outside = np.stack([low < self._wanted[0], high > self._wanted[1]])
        self._wanted = np.where(outside, np.stack([low - _ROOM, high + _ROOM]), self._wanted)
        passed = 0 if self._time is None else time - self._time
        shown = self._shown + (self._wanted - self._shown) * (1 - np.exp(-passed / _GROWING))
        # Grown all but whole, it is whole: the sheet need not be drawn again.
        self._shown, self._time = np.where(np.abs(self._wanted - shown) < .02, self._wanted, shown), time

    def _background(self, placement, camera, to_world):
        """The panel with grid, camera and what it sees, and its frame."""
        key = (self._shown.tobytes(), placement.notes)
        if self._sheet is None or self._sheet[0] != key:
            self._sheet = (key, *self._draw_sheet(placement.notes))
        _, sheet, lines, frame = self._sheet
        panel = sheet.copy()
        if placement.intrinsics is not None:
            (x, y), (width, height) = frame.corner, frame.size
            plot = panel[y:y + height, x:x + width]
            view = self._view(placement.intrinsics, to_world)
            draw_camera(plot, frame._replace(corner=(0, 0)), camera, view)
            panel[lines] = sheet[lines]
        return panel, frame

    def _draw_sheet(self, notes):
        """Paper with the grid, where its lines are, and the frame."""
        strip = NoteStrip(notes, self.size[1], self.cap)
        panel = np.full((self.size[0] - strip.height, self.size[1], 3), BACKGROUND, np.uint8)
        frame = fit_plot(*self._shown, panel.shape[:2], self.cap)
        draw_grid(panel, frame, self.cap)
        (x, y), (width, height) = frame.corner, frame.size
        cv2.rectangle(panel, (x, y), (x + width - 1, y + height - 1), AXIS, 1)
        draw_title(panel, 'from above  (height in m)', frame, self.cap)
        lines = (panel != BACKGROUND).any(-1)
        return strip.below(panel), np.pad(lines, ((0, strip.height), (0, 0)), constant_values=True), frame

    def _view(self, intrinsics, to_world):
        """(2, 2) directions of the left and right edge of the picture from above."""
        edges = (np.array([0, self.image_width]) - intrinsics[0, 2]) / intrinsics[0, 0]
        rays = np.stack([edges, np.zeros(2), np.ones(2)], -1) @ to_world[:3, :3].T
        return rays[:, [0, 2]] * (1, -1)

    def _draw_trails(self, plot, frame, time):
        for (identity, trail), color in zip(self._trails.items(), person_colors(list(self._trails)).astype(float)):
            if identity < 0 or len(trail) < 2:
                continue
            times, *places = np.array(trail).T
            pixels, last = frame.to_pixels(*places), 0
            for row in range(1, len(trail)):
                if np.abs(pixels[row] - pixels[last]).max() < _TRAIL_STEP and row < len(trail) - 1:
                    continue
                if times[row] - times[row - 1] <= _TRAIL_GAP:
                    share = _TRAIL_STRENGTH * (1 - (time - times[row]) / self.trail_seconds)
                    shade = tuple(float(c) for c in share * color + (1 - share) * np.array(BACKGROUND))
                    cv2.line(plot, fixed(pixels[last]), fixed(pixels[row]), shade, _TRAIL_WIDTH, cv2.LINE_AA, SHIFT)
                last = row

    def _label(self, plot, placement, centers, vertices, frame, colors):
        rows, small = people_rows(placement), self.cap * .9
        texts = [' '.join(part for part in (
            f'#{row.person}' if row.person >= 0 else '', measured(row.height, row.height_std, 2, unit=''))
            if part) for row in rows]
        low, high = vertices[..., :2].min(1), vertices[..., :2].max(1)
        silhouettes = np.stack([frame.to_pixels(low[:, 0], high[:, 1]), frame.to_pixels(high[:, 0], low[:, 1])], 1)
        corners = place_labels(centers, [text_size([text], small) for text in texts], frame.size,
                               np.clip(.28 * frame.scale, 3, 40), silhouettes)
        for center, color, text, corner in zip(centers, colors, texts, corners):
            cv2.circle(plot, *fixed(center, 2.5), (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
            cv2.circle(plot, *fixed(center, 2.5), tuple(int(c) for c in color * .5), 1, cv2.LINE_AA, SHIFT)
            if corner is not None and text:
                draw_text(plot, [text], corner, small, INK)


def plan_bounds(clip, body_model, to_world):
    """The ``bounds`` of a :class:`PlanView` that shows where the people of a clip are, but for 1 % of their places at
    each side, and the camera.

    Args:
        clip: :class:`~mmhuman_dto.structures.Clip`. body_model: what poses its people.
        to_world: (T, 4, 4) of :func:`~mmhuman_dto.visualization.clip_motion.camera_to_world`.
    """
    camera = to_world[:, [0, 2], 3] * (1, -1)
    low, high = np.vstack([camera, [-1, 0]]).min(0), np.vstack([camera, [1, 3]]).max(0)
    places = []
    for track in clip.tracks:
        matrices, roots = to_world[track.frames.numpy()], root_places(track.people, body_model)
        places.append((np.einsum('fij,fj->fi', matrices[:, :3, :3], roots) + matrices[:, :3, 3])[:, [0, 2]] * (1, -1))
    seen = np.concatenate([*places, np.zeros((0, 2))])
    seen = seen[np.isfinite(seen).all(1)]
    if len(seen):
        nearest, farthest = np.quantile(seen, (.01, .99), axis=0)
        low, high = np.minimum(low, nearest - _BODY), np.maximum(high, farthest + _BODY)
    return np.stack([low - BORDER, high + BORDER])


def _from_above(points, to_world):
    """Points (*, 3), camera frame -> to the right, up the picture, towards the viewer, m."""
    x, y, z = np.moveaxis(points @ to_world[:3, :3].T + to_world[:3, 3], -1, 0)
    return np.stack([x, -z, y], -1)
