"""The scene from above on a metre grid: where people stand, before | after, on one scale."""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from ..geometry import rasterize, resize_intrinsics
from .colors import person_colors
from .mesh_render import render_meshes
from .text import INK, draw_text, place_labels, text_height, text_size

BACKGROUND, GRID, AXIS = (250, 250, 248), (224, 226, 230), (150, 154, 162)
FIELD_OF_VIEW, CAMERA = (238, 241, 247), (70, 76, 88)
#: The view from above is a pinhole this high (m) over the camera: all but parallel, scale wrong by under 1e-3.
EYE_HEIGHT = 3000.
#: Free space (m) around the people.
BORDER = .6
#: Grid lines lie this far apart (m), the first distance that leaves room for its labels.
GRID_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class GroundFrame(NamedTuple):
    """Maps metres seen from above to pixels: x to the right, z (away from the camera) upwards, one scale for both.

    Attributes:
        left, near: x and z (m) at the plot's lower left corner.
        scale: px a metre.
        corner: (x, y) px of the plot's upper left corner in the panel.
        size: (width, height) px of the plot.
    """
    left: float
    near: float
    scale: float
    corner: tuple
    size: tuple

    def to_pixels(self, x, z):
        """Panel pixels (*, 2) of ground points given as x and z, m, camera frame."""
        u = self.corner[0] + (np.asarray(x) - self.left) * self.scale
        v = self.corner[1] + self.size[1] - (np.asarray(z) - self.near) * self.scale
        return np.stack([u, v], -1)

    @property
    def right(self):
        return self.left + self.size[0] / self.scale

    @property
    def far(self):
        return self.near + self.size[1] / self.scale


def draw_birdseye(panels, faces, image_size, truth=None, panel_size=(720, 640)):
    """Draws placements from above, side by side on the same metric scale.

    Each person is its own silhouette from above in its colour, with its height in m; the camera sits at the origin
    with its field of view in a lighter tone; grid lines are labelled in m. The truth appears as outlines, joined to
    the person they belong to.

    Args:
        panels: sequence of (title, :class:`~mmhuman_dto.visualization.Placement`).
        faces: (F, 3) integers.
        image_size: (H, W) px of the photo, for the field of view.
        truth: Placement or None.
        panel_size: (height, width) px of one panel.

    Returns:
        numpy.ndarray: (height, width * panels, 3) uint8 RGB.
    """
    placements = [placement for _, placement in panels]
    frame = fit_frame(placements + ([truth] if truth is not None else []), panel_size)
    outlines = [] if truth is None else _outlines(truth, faces, frame)
    drawn = [_draw_panel(title, placement, faces, image_size, outlines, frame, panel_size)
             for title, placement in panels]
    for panel in drawn[1:]:
        panel[:, :2] = AXIS
    return np.concatenate(drawn, 1)


def fit_frame(placements, panel_size):
    """The :class:`GroundFrame` that shows the camera and everyone of all placements.

    Args:
        placements: sequence of :class:`~mmhuman_dto.visualization.Placement`.
        panel_size: (height, width) px.
    """
    ground = np.concatenate([np.zeros((1, 2)), [[0, 3]]] + [p.vertices[..., (0, 2)].reshape(-1, 2) for p in placements])
    low, high = ground.min(0) - BORDER, ground.max(0) + BORDER
    height, width = panel_size
    cap = text_height(panel_size)
    corner = (text_size([_metres(np.ceil(high[1]))], cap)[0], round(cap * 2.6))
    size = (width - corner[0] - round(cap), height - corner[1] - round(cap * 2.6))
    scale = min(np.array(size) / (high - low))
    left = (low[0] + high[0]) / 2 - size[0] / scale / 2
    return GroundFrame(left, low[1], scale, corner, size)


def _draw_panel(title, placement, faces, image_size, outlines, frame, panel_size):
    panel = np.full((*panel_size, 3), BACKGROUND, np.uint8)
    cap = text_height(panel_size)
    (x, y), (width, height) = frame.corner, frame.size
    plot = panel[y:y + height, x:x + width]
    inside = frame._replace(corner=(0, 0))
    _draw_field_of_view(plot, inside, placement.intrinsics, image_size[1])
    _draw_grid(panel, frame, cap)
    colors = person_colors(placement.ids)
    plot[:] = _render_from_above(plot, placement, faces, inside, colors)
    _draw_outlines(plot, placement, outlines, inside)
    _label_heights(plot, placement, inside, cap)
    cv2.rectangle(panel, (x, y), (x + width - 1, y + height - 1), AXIS, 1)
    legend = '  (height in m' + ('; outline: truth)' if outlines else ')')
    draw_text(panel, [title + legend], (x - cap * .4, cap * .2), cap * 1.1)
    return panel


def _draw_field_of_view(plot, frame, intrinsics, image_width):
    edges = (np.array([0, image_width]) - intrinsics[0, 2]) / intrinsics[0, 0]
    reach = frame.far + 1
    wedge = frame.to_pixels(np.array([0, *(edges * reach)]), np.array([0, reach, reach]))
    _polygon(plot, wedge, FIELD_OF_VIEW, AXIS)
    origin, size = frame.to_pixels(0., 0.), max(5., min(plot.shape[:2]) / 60)
    _polygon(plot, origin + size * np.array([[0, 0], [-.9, 1.1], [.9, 1.1]]), CAMERA, CAMERA)


def _draw_grid(panel, frame, cap):
    room = text_size([_metres(np.floor(frame.left))], cap)[0]
    step = next(s for s in GRID_STEPS if s * frame.scale >= room or s == GRID_STEPS[-1])
    minor = 1 if frame.scale >= 8 else step
    for value in np.arange(np.ceil(frame.left / minor) * minor, frame.right, minor):
        top, bottom = frame.to_pixels([value] * 2, [frame.far, frame.near])
        labelled = value % step == 0
        _line(panel, top, bottom, AXIS if value == 0 else GRID, labelled)
        if labelled and bottom[0] + room / 2 < panel.shape[1]:
            _center_text(panel, _metres(value), bottom + (0, cap * 1.2), cap)
    for value in np.arange(np.ceil(frame.near / minor) * minor, frame.far, minor):
        left, right = frame.to_pixels([frame.left, frame.right], [value] * 2)
        labelled = value % step == 0
        _line(panel, left, right, AXIS if value == 0 else GRID, labelled)
        if labelled:
            width = text_size([_metres(value)], cap)[0]
            _center_text(panel, _metres(value), left - (width / 2, 0), cap)


def _render_from_above(plot, placement, faces, frame, colors):
    """The people as a camera high above sees them: x stays x, z goes up the picture, the vertical is its depth."""
    vertices, intrinsics = _seen_from_above(placement, frame)
    return render_meshes(plot, vertices, faces, intrinsics, colors, opacity=1)


def _seen_from_above(placement, frame):
    x, y, z = np.moveaxis(placement.vertices, -1, 0)
    width, height = frame.size
    middle_x, middle_z = frame.left + width / frame.scale / 2, frame.near + height / frame.scale / 2
    vertices = np.stack([x - middle_x, middle_z - z, y + EYE_HEIGHT], -1)
    focal = frame.scale * EYE_HEIGHT
    return vertices, np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


class Outline(NamedTuple):
    """A true person from above: id, dark tone of its colour, contours in plot pixels, middle (2) px."""
    identity: int
    color: tuple
    contours: tuple
    center: np.ndarray


def _outlines(truth, faces, frame):
    frame, outlines = frame._replace(corner=(0, 0)), []
    people = zip(truth.ids, person_colors(truth.ids), _centers(truth, frame))
    for identity, color, center in people:
        silhouette = _silhouette_from_above(truth.only(identity), faces, frame)
        contours, _ = cv2.findContours(silhouette, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outlines.append(Outline(int(identity), tuple(int(c) for c in color * .55), contours, center))
    return outlines


def _silhouette_from_above(placement, faces, frame):
    """(height, width) uint8: 1 on plot pixels that people touch in at least one of four sub-pixels."""
    vertices, intrinsics = (torch.tensor(a, dtype=torch.float32) for a in _seen_from_above(placement, frame))
    width, height = frame.size
    ids = rasterize(vertices, torch.tensor(faces), resize_intrinsics(intrinsics, 2, 2), (2 * height, 2 * width)).id_map
    return (ids.numpy().reshape(height, 2, width, 2).max((1, 3)) > 0).astype(np.uint8)


def _draw_outlines(plot, placement, outlines, frame):
    """Outline of each true person, and a line from its place to the one drawn."""
    centers = dict(zip(placement.ids.tolist(), _centers(placement, frame)))
    for outline in outlines:
        cv2.drawContours(plot, outline.contours, -1, outline.color, 1, cv2.LINE_AA)
        if outline.identity in centers:
            _line(plot, outline.center, centers[outline.identity], outline.color, True)


def _label_heights(plot, placement, frame, cap):
    order = np.argsort(placement.depths)
    centers = _centers(placement, frame)[order]
    small = cap * .9
    texts = [f'{height:.2f}' for height in placement.heights[order]]
    reach = np.clip(.28 * frame.scale, 3, 40)
    ground = placement.vertices[order][..., (0, 2)]
    low, high = ground.min(1), ground.max(1)
    silhouettes = np.stack([frame.to_pixels(low[:, 0], high[:, 1]), frame.to_pixels(high[:, 0], low[:, 1])], 1)
    corners = place_labels(centers, [text_size([t], small) for t in texts], frame.size, reach, silhouettes)
    for center, color in zip(centers, person_colors(placement.ids[order])):
        cv2.circle(plot, *_fixed(center, 2.5), (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
        cv2.circle(plot, *_fixed(center, 2.5), tuple(int(c) for c in color * .5), 1, cv2.LINE_AA, SHIFT)
    for text, corner in zip(texts, corners):
        if corner is not None:
            draw_text(plot, [text], corner, small, INK)


def _centers(placement, frame):
    """(N, 2) px: middle of each person's vertices from above."""
    middle = placement.vertices.mean(1)
    return frame.to_pixels(middle[:, 0], middle[:, 2])


#: Fraction bits of the coordinates handed to OpenCV's drawing.
SHIFT = 4


def _fixed(point, *lengths):
    """OpenCV's fixed-point form; its pixel centres lie at integers, ours at + 0.5."""
    fixed = np.round((np.asarray(point) - .5) * 2**SHIFT).astype(int)
    fixed = tuple(int(c) for c in np.clip(fixed, -2**20, 2**20))
    return (fixed, *(int(round(length * 2**SHIFT)) for length in lengths)) if lengths else fixed


def _line(image, start, end, color, strong):
    cv2.line(image, _fixed(start), _fixed(end), color, 1, cv2.LINE_AA, SHIFT)
    if strong:
        cv2.line(image, _fixed(start), _fixed(end), color, 1, cv2.LINE_AA, SHIFT)


def _polygon(image, corners, fill, edge):
    points = np.array([_fixed(corner) for corner in corners], np.int32)
    cv2.fillPoly(image, [points], fill, cv2.LINE_AA, SHIFT)
    cv2.polylines(image, [points], True, edge, 1, cv2.LINE_AA, SHIFT)


def _metres(value):
    return f'{value + 0.:g} m'


def _center_text(image, text, middle, cap):
    width, height = text_size([text], cap)
    draw_text(image, [text], middle - (width / 2, height / 2), cap)
