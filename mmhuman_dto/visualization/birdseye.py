"""The scene from above on a metre grid: where people stand, before | after, on one scale."""
from typing import NamedTuple

import cv2
import numpy as np
import torch

from ..geometry import rasterize, resize_intrinsics
from .colors import colors_of, person_colors
from .notes import NoteStrip
from .plot import (
    AXIS,
    BACKGROUND,
    draw_camera,
    draw_grid,
    draw_title,
    fit_plot,
    heights_of,
    legend_of,
    render_plot,
    seen_from_afar,
)
from .strokes import SHIFT, fixed, line
from .text import INK, draw_text, place_labels, text_height, text_size

#: Free space (m) around the people.
BORDER = .6


def draw_birdseye(panels, faces, image_size, truth=None, panel_size=(720, 640), ground=None):
    """Draws placements from above, side by side on the same metric scale.

    Each person is its own silhouette from above in its colour, with its height in m and how sure that is; the camera
    sits at the origin with its field of view in a lighter tone; grid lines are labelled in m. The truth appears as
    outlines, joined to the person they belong to.

    Args:
        panels: sequence of (title, :class:`~mmhuman_dto.visualization.Placement`).
        image_size: (H, W) px of the photo, for the field of view.
        truth: Placement or None.
        panel_size: (height, width) px of one panel; the picture is as wide as all of them, with the placements' notes
            at the lower edge.
        ground: :class:`~mmhuman_dto.visualization.ground.Ground` to look straight down at, with the place under the
            camera as its origin; None: along the picture's vertical, so that what is far is far along the optical axis.
    """
    # A camera that looks down sees, from above, a wider angle.
    stretch = 1. if ground is None else 1 / max(ground.rotation[2, 2], .1)
    if ground is not None:
        panels = [(title, placement.level(ground)) for title, placement in panels]
        truth = truth and truth.level(ground)
    placements = [placement for _, placement in panels]
    notes = [note for placement in placements for note in placement.notes]
    strip = NoteStrip(notes, panel_size[1] * len(panels), text_height(panel_size))
    panel_size = panel_size[0] - strip.height, panel_size[1]
    frame = fit_frame(placements + ([truth] if truth is not None else []), panel_size)
    outlines = [] if truth is None else _outlines(truth, faces, frame)
    drawn = [_draw_panel(title, placement, faces, image_size[1], stretch, outlines, frame, panel_size)
             for title, placement in panels]
    for panel in drawn[1:]:
        panel[:, :2] = AXIS
    return strip.below(np.concatenate(drawn, 1))


def fit_frame(placements, panel_size):
    """The :class:`PlotFrame` of a panel (height, width) px that shows the camera and everyone: x right, z upwards."""
    ground = np.concatenate([np.zeros((1, 2)), [[0, 3]]] + [p.vertices[..., (0, 2)].reshape(-1, 2) for p in placements])
    return fit_plot(ground.min(0) - BORDER, ground.max(0) + BORDER, panel_size, text_height(panel_size))


def _draw_panel(title, placement, faces, image_width, stretch, outlines, frame, panel_size):
    panel = np.full((*panel_size, 3), BACKGROUND, np.uint8)
    cap = text_height(panel_size)
    (x, y), (width, height) = frame.corner, frame.size
    plot = panel[y:y + height, x:x + width]
    inside = frame._replace(corner=(0, 0))
    if placement.intrinsics is not None:
        edges = (np.array([0, image_width]) - placement.intrinsics[0, 2]) / placement.intrinsics[0, 0] * stretch
        draw_camera(plot, inside, (0, 0), np.stack([edges, np.ones(2)], -1))
    draw_grid(panel, frame, cap)
    plot[:] = render_plot(plot, _seen_from_above(placement), faces, inside, colors_of(placement), placement.support)
    _draw_outlines(plot, placement, outlines, inside)
    _label_heights(plot, placement, inside, cap)
    cv2.rectangle(panel, (x, y), (x + width - 1, y + height - 1), AXIS, 1)
    known = legend_of(placement) + ['outline: truth'] * bool(outlines)
    legend = f'  ({"; ".join(known)})' if known else ''
    draw_title(panel, (title or 'from above') + legend, frame, cap)
    return panel


def _seen_from_above(placement):
    """Vertices (N, V, 3): x to the right, z up the picture, upwards towards the viewer."""
    x, y, z = np.moveaxis(placement.vertices, -1, 0)
    return np.stack([x, z, -y], -1)


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
    vertices, intrinsics = (torch.tensor(a, dtype=torch.float32)
                            for a in seen_from_afar(_seen_from_above(placement), frame))
    width, height = frame.size
    ids = rasterize(vertices, torch.tensor(faces), resize_intrinsics(intrinsics, 2, 2), (2 * height, 2 * width)).id_map
    return (ids.numpy().reshape(height, 2, width, 2).max((1, 3)) > 0).astype(np.uint8)


def _draw_outlines(plot, placement, outlines, frame):
    """Outline of each true person, and a line from its place to the one drawn."""
    centers = dict(zip(placement.ids.tolist(), _centers(placement, frame)))
    for outline in outlines:
        cv2.drawContours(plot, outline.contours, -1, outline.color, 1, cv2.LINE_AA)
        if outline.identity in centers:
            line(plot, outline.center, centers[outline.identity], outline.color, True)


def _label_heights(plot, placement, frame, cap):
    order = np.argsort(placement.depths)
    centers = _centers(placement, frame)[order]
    small = cap * .9
    heights = heights_of(placement)
    texts = [heights[i] for i in order]
    reach = np.clip(.28 * frame.scale, 3, 40)
    ground = placement.vertices[order][..., (0, 2)]
    low, high = ground.min(1), ground.max(1)
    silhouettes = np.stack([frame.to_pixels(low[:, 0], high[:, 1]), frame.to_pixels(high[:, 0], low[:, 1])], 1)
    corners = place_labels(centers, [text_size([t], small) for t in texts], frame.size, reach, silhouettes)
    for center, color in zip(centers, colors_of(placement)[order]):
        cv2.circle(plot, *fixed(center, 2.5), (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
        cv2.circle(plot, *fixed(center, 2.5), tuple(int(c) for c in color * .5), 1, cv2.LINE_AA, SHIFT)
    for text, corner in zip(texts, corners):
        if corner is not None and text:
            draw_text(plot, [text], corner, small, INK)


def _centers(placement, frame):
    """(N, 2) px: middle of each person's vertices from above."""
    middle = placement.vertices.mean(1)
    return frame.to_pixels(middle[:, 0], middle[:, 2])
