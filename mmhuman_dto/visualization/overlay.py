"""People's meshes over their photo, labelled with height and distance."""
import numpy as np

from .colors import person_colors, plate_color
from .mesh_render import render_meshes
from .text import INK, draw_text, place_labels, text_height, text_size

#: Pictures with a shorter side under this (px) get no labels: they could not be read.
SMALLEST_LABELLED = 160
#: Labels of more people than this are smaller.
FEW = 12
#: The part of a person, from the top, that other people's labels keep clear of.
HEAD_SHARE = .15


def draw_overlay(image, placement, faces, labels=True, title=''):
    """Draws the people of a :class:`~mmhuman_dto.visualization.Placement` over the picture: a new one.

    ``labels`` says whether to write height (m, rest pose) and distance (m, z) at each head, where there is room for it;
    the title stands in the upper left corner.
    """
    colors = person_colors(placement.ids)
    picture = render_meshes(image, placement.vertices, faces, placement.intrinsics, colors)
    if labels and min(image.shape[:2]) >= SMALLEST_LABELLED:
        _label(picture, placement, colors, title)
    if title:
        draw_text(picture, [title], (0, 0), _title_height(picture))
    return picture


def _title_height(picture):
    return text_height(picture.shape[:2]) * 1.3


def _label(picture, placement, colors, title):
    height, width = picture.shape[:2]
    cap = text_height((height, width)) * (1 if len(placement.ids) <= FEW else .75)
    order, heads = _heads(placement, (height, width))
    anchors = np.stack([heads[:, [0, 2]].mean(1), heads[:, 1]], 1)
    texts = [_words(placement.heights[i], placement.depths[i]) for i in order]
    sizes = [text_size(lines, cap) for lines in texts]
    title_box = [0, 0, *text_size([title], _title_height(picture))]
    corners = place_labels(anchors, sizes, (width, height), cap * .5, avoid=[*heads, title_box])
    for person, lines, corner in zip(order, texts, corners):
        if corner is not None:
            draw_text(picture, lines, corner, cap, INK, plate_color(colors[person]))


def _words(height, depth):
    """Lines of a person's label; a height that is nan is not known."""
    return (*(() if np.isnan(height) else (f'{height:.2f} m tall', )), f'{depth:.1f} m away')


def _heads(placement, size):
    """People in the picture, nearest first: their indices (M) and boxes (M, 4) px of the topmost part of each."""
    indices, boxes = [], []
    for person in np.argsort(placement.depths):
        points = placement.vertices[person] @ np.asarray(placement.intrinsics).T
        pixels = points[points[:, 2] > 0, :2] / points[points[:, 2] > 0, 2:]
        pixels = pixels[((pixels >= 0) & (pixels < size[::-1])).all(1)]
        if len(pixels):
            tall = np.ptp(pixels[:, 1]) * HEAD_SHARE
            head = pixels[pixels[:, 1] <= pixels[:, 1].min() + tall]
            indices.append(person)
            boxes.append([*head.min(0), *head.max(0)])
    return np.array(indices, int), np.array(boxes, float).reshape(-1, 4)
