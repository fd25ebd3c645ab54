"""Metres on paper: one scale for both directions, a labelled metre grid, people drawn in parallel projection."""
from typing import NamedTuple

import numpy as np

from .mesh_render import render_meshes
from .people_rows import measured, people_rows
from .strokes import line, polygon
from .text import draw_text, fit_text, text_size

BACKGROUND, GRID, AXIS = (250, 250, 248), (224, 226, 230), (150, 154, 162)
FIELD_OF_VIEW, CAMERA = (238, 241, 247), (70, 76, 88)
#: The viewer is a pinhole this far (m) away: all but parallel, scale wrong by under 1e-3.
EYE_DISTANCE = 3000.
#: Grid lines lie this far apart (m), the first distance that leaves room for its labels.
GRID_STEPS = tuple(step * 10**power for power in range(12) for step in (1, 2, 5))


class PlotFrame(NamedTuple):
    """Maps metres to the right and up to pixels.

    ``left``, ``bottom``: m at the plot's lower left corner; ``scale``: px a metre; ``corner``: (x, y) px of the plot's
    upper left corner in the panel; ``size``: (width, height) px of the plot.
    """
    left: float
    bottom: float
    scale: float
    corner: tuple
    size: tuple

    def to_pixels(self, right, up):
        """Panel pixels (*, 2) of points that are ``right`` and ``up``, m."""
        u = self.corner[0] + (np.asarray(right) - self.left) * self.scale
        v = self.corner[1] + self.size[1] - (np.asarray(up) - self.bottom) * self.scale
        return np.stack([u, v], -1)

    @property
    def right(self):
        return self.left + self.size[0] / self.scale

    @property
    def top(self):
        return self.bottom + self.size[1] / self.scale


def fit_plot(low, high, panel_size, cap):
    """The :class:`PlotFrame` of a panel (height, width) px that shows low (2) .. high (2), m right and up, with labels
    whose capital letters are ``cap`` px high."""
    height, width = panel_size
    labels = metres(np.ceil(high[1])), metres(np.floor(low[1]))
    corner = (max(text_size([label], cap)[0] for label in labels), round(cap * 2.6))
    size = (width - corner[0] - round(cap), height - corner[1] - round(cap * 2.6))
    scale = min(np.array(size) / (high - low))
    left = (low[0] + high[0]) / 2 - size[0] / scale / 2
    return PlotFrame(left, low[1], scale, corner, size)


def draw_grid(panel, frame, cap):
    """Lines at whole metres, labelled where there is room, at the left and below."""
    room = text_size([metres(np.floor(frame.left))], cap)[0]
    step = next(s for s in GRID_STEPS if s * frame.scale >= room or s == GRID_STEPS[-1])
    minor = 1 if frame.scale >= 8 else step
    for value in np.arange(np.ceil(frame.left / minor) * minor, frame.right, minor):
        top, bottom = frame.to_pixels([value] * 2, [frame.top, frame.bottom])
        labelled = value % step == 0
        line(panel, top, bottom, AXIS if value == 0 else GRID, labelled)
        if labelled and bottom[0] + room / 2 < panel.shape[1]:
            center_text(panel, metres(value), bottom + (0, cap * 1.2), cap)
    for value in np.arange(np.ceil(frame.bottom / minor) * minor, frame.top, minor):
        left, right = frame.to_pixels([frame.left, frame.right], [value] * 2)
        labelled = value % step == 0
        line(panel, left, right, AXIS if value == 0 else GRID, labelled)
        if labelled:
            width = text_size([metres(value)], cap)[0]
            center_text(panel, metres(value), left - (width / 2, 0), cap)


def draw_camera(plot, frame, place, view):
    """The camera at ``place`` (2) m, and what it sees between the directions ``view`` (2, 2), m to the right and up."""
    # Far enough to leave the plot at either side.
    reach = 2 * (np.ptp([frame.left, frame.right]) + np.ptp([frame.bottom, frame.top]))
    rays = np.asarray(view) / np.linalg.norm(view, axis=-1, keepdims=True)
    polygon(plot, frame.to_pixels(*(np.asarray(place) + [[0, 0], *(rays * reach)]).T), FIELD_OF_VIEW, AXIS)
    ahead = rays.sum(0) / np.linalg.norm(rays.sum(0)) * [1, -1]
    size, across = max(6., min(plot.shape[:2]) / 50), ahead[::-1] * [-1, 1]
    back = frame.to_pixels(*place) - 1.1 * size * ahead
    polygon(plot, np.stack([frame.to_pixels(*place), back + .9 * size * across, back - .9 * size * across]),
            CAMERA, CAMERA)


def render_plot(plot, vertices, faces, frame, colors, support=None, supersample=2):
    """People as a viewer far away sees them: vertices (N, V, 3), m to the right, up, and towards the viewer."""
    vertices, intrinsics = seen_from_afar(vertices, frame)
    return render_meshes(plot, vertices, faces, intrinsics, colors, 1, supersample, support)


def seen_from_afar(vertices, frame):
    """Vertices in the frame of a distant pinhole camera, and its intrinsics in px of the plot."""
    right, up, towards = np.moveaxis(vertices, -1, 0)
    width, height = frame.size
    middle_x, middle_y = frame.left + width / frame.scale / 2, frame.bottom + height / frame.scale / 2
    vertices = np.stack([right - middle_x, middle_y - up, EYE_DISTANCE - towards], -1)
    focal = frame.scale * EYE_DISTANCE
    return vertices, np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def draw_title(panel, title, frame, cap):
    """Above the plot, from its left edge on, no longer than the panel."""
    x = frame.corner[0] - cap * .4
    draw_text(panel, [title], (x, cap * .2), fit_text(title, cap * 1.1, panel.shape[1] - x))


def legend_of(placement):
    """Remarks of a title on how a placement is drawn: what the numbers and greys are."""
    heights = ['height in m'] * bool(np.isfinite(placement.heights).any())
    return heights + ['grey: not placed'] * bool(placement.left_out.any())


def heights_of(placement):
    """N texts, such as '1.72 ± .06', m; '' where the height is not known."""
    return [measured(row.height, row.height_std, 2, unit='') for row in people_rows(placement)]


def metres(value):
    return f'{value + 0.:g} m'


def center_text(image, text, middle, cap):
    width, height = text_size([text], cap)
    draw_text(image, [text], middle - (width / 2, height / 2), cap)
