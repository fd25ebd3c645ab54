"""The scene from its right side on a metre grid: how far and how tall people are, before | after, on one scale."""
import cv2
import numpy as np

from .colors import colors_of, plate_color
from .notes import NoteStrip
from .plot import AXIS, BACKGROUND, draw_camera, draw_grid, draw_title, fit_plot, heights_of, legend_of, render_plot
from .strokes import line
from .text import INK, draw_text, place_labels, text_height, text_size

GROUND = (228, 224, 216)
#: Free space (m) around the people, and the least height (m) that is shown.
BORDER, LEAST_HEIGHT = .5, 2.
#: Height of a panel over its width, at most.
_MAX_ASPECT = .6


def draw_sideview(panels, faces, image_size, ground, width=1080):
    """Draws placements from the side, one below the other on the same metric scale.

    The camera and its field of view are on the left, what is far on the right, the ground is the line at 0 m; each
    person's height in m, with how sure it is, is written above it, the placements' notes at the lower edge.

    Args:
        panels: sequence of (title, :class:`~mmhuman_dto.visualization.Placement`).
        image_size: (H, W) px of the photo, for the field of view.
        ground: :class:`~mmhuman_dto.visualization.ground.Ground` to which gravity is perpendicular.
        width: px of the picture, whose height follows from the scale.
    """
    panels = [(title, placement.level(ground)) for title, placement in panels]
    cap = text_height((width * _MAX_ASPECT, width))
    frame, panel_size = _fit([_from_the_side(placement) for _, placement in panels], ground, width, cap)
    drawn = [_draw_panel(title, placement, faces, image_size[0], ground, frame, panel_size, cap)
             for title, placement in panels]
    for panel in drawn[1:]:
        panel[:2] = AXIS
    strip = NoteStrip([note for _, placement in panels for note in placement.notes], width, cap)
    return strip.below(np.concatenate(drawn))


def _from_the_side(placement):
    """Vertices (N, V, 3): away from the camera to the right, up, and the camera's right towards the viewer."""
    x, y, z = np.moveaxis(placement.vertices, -1, 0)
    return np.stack([z, -y, x], -1)


def _fit(vertices, ground, width, cap):
    """The frame that shows the ground, the camera and everyone, and the (height, width) px of a panel it needs."""
    seen = np.concatenate([[[0, 0], [3, LEAST_HEIGHT], [0, ground.height]]]
                          + [mesh[..., :2].reshape(-1, 2) for mesh in vertices])
    low, high = seen.min(0) - BORDER, seen.max(0) + BORDER
    # A tall panel leaves the scale to the width, and shows how much of the height that needs.
    frame = fit_plot(low, high, (round(_MAX_ASPECT * width), width), cap)
    used = int(np.ceil((high[1] - low[1]) * frame.scale))
    height = round(_MAX_ASPECT * width) - frame.size[1] + used
    return fit_plot(low, high, (height, width), cap), (height, width)


def _draw_panel(title, placement, faces, image_height, ground, frame, panel_size, cap):
    panel = np.full((*panel_size, 3), BACKGROUND, np.uint8)
    (x, y), (width, height) = frame.corner, frame.size
    plot, inside = panel[y:y + height, x:x + width], frame._replace(corner=(0, 0))
    if placement.intrinsics is not None:
        draw_camera(plot, inside, (0, ground.height), _edges_of_view(placement.intrinsics, image_height, ground))
    floor = inside.to_pixels(0, 0)[1]
    below = plot[max(int(np.ceil(floor)), 0):]
    below[:] = (.45 * below + .55 * np.array(GROUND)).astype(np.uint8)
    draw_grid(panel, frame, cap)
    line(plot, (0, floor), (width, floor), tuple(c // 2 for c in AXIS), True)
    vertices = _from_the_side(placement)
    plot[:] = render_plot(plot, vertices, faces, inside, colors_of(placement), placement.support)
    _label(plot, placement, vertices, inside, cap)
    cv2.rectangle(panel, (x, y), (x + width - 1, y + height - 1), AXIS, 1)
    known = legend_of(placement)
    legend = f'from the side ({"; ".join(known)})' if known else 'from the side'
    draw_title(panel, f'{title}, {legend}' if title else legend, frame, cap)
    return panel


def _edges_of_view(intrinsics, image_height, ground):
    """Directions (2, 2), away and up, of the upper and lower edge of the picture, in the middle of its width."""
    rows = (np.array([0, image_height]) - intrinsics[1, 2]) / intrinsics[1, 1]
    rays = np.stack([np.zeros(2), rows, np.ones(2)], -1) @ ground.rotation.T
    return rays[:, [2, 1]] * [1, -1]


def _label(plot, placement, vertices, frame, cap):
    """Heights above the heads, on plates of people's colours; those nearest to the viewer first."""
    heights, colors, reach = heights_of(placement), colors_of(placement), .12 * frame.scale
    order = [i for i in np.argsort(-vertices[..., 2].mean(1)) if heights[i]]
    tops = [mesh[mesh[:, 1].argmax()] for mesh in vertices[order]]
    anchors = [frame.to_pixels(*top[:2]) for top in tops]
    heads = [[*anchor - (reach, 0), *anchor + (reach, 2 * reach)] for anchor in anchors]
    texts = [heights[i] for i in order]
    corners = place_labels(anchors, [text_size([text], cap * .9) for text in texts], frame.size, cap * .3, heads)
    for person, text, corner in zip(order, texts, corners):
        if corner is not None:
            draw_text(plot, [text], corner, cap * .9, INK, plate_color(colors[person]))
