"""People's meshes over their photo, labelled with height and distance."""
import numpy as np

from .colors import colors_of, plate_color
from .mesh_render import render_meshes
from .notes import NoteStrip
from .people_rows import people_rows
from .text import INK, draw_text, fit_text, place_labels, text_height, text_size

#: Pictures with a shorter side under this (px) get no labels and notes: they could not be read.
SMALLEST_LABELLED = 160
#: Labels of more people than this are smaller.
FEW = 12
#: The part of a person, from the top, that other people's labels keep clear of.
HEAD_SHARE = .15


def draw_overlay(image, placement, faces, labels=True, title=''):
    """Draws the people of a :class:`~mmhuman_dto.visualization.Placement` over the picture: a new one.

    ``labels`` says whether to write height (rest pose) and distance (z, mean of the mesh) at each head with how sure
    they are, or why DTO left the person out, where there is room for it; the title stands in the upper left corner, the
    placement's notes at the lower edge. What no seen joint tells is fainter, who was left out is grey.
    """
    colors = colors_of(placement)
    if placement.left_out.any():
        title = f'{title} (grey: not placed)' if title else 'grey: not placed'
    cap = fit_text(title, text_height(image.shape[:2]) * 1.3, image.shape[1])
    picture = render_meshes(image, placement.vertices, faces, placement.intrinsics, colors, support=placement.support)
    if min(image.shape[:2]) >= SMALLEST_LABELLED:
        strip = NoteStrip(placement.notes, picture.shape[1], text_height(picture.shape[:2]))
        strip.draw(picture)
        if labels:
            _label(picture[:len(picture) - strip.height], placement, colors, text_size([title], cap))
    if title:
        draw_text(picture, [title], (0, 0), cap)
    return picture


def _label(picture, placement, colors, title_size):
    height, width = picture.shape[:2]
    cap = text_height((height, width)) * (1 if len(placement.ids) <= FEW else .75)
    order, heads = heads_of(placement, (height, width))
    anchors = np.stack([heads[:, [0, 2]].mean(1), heads[:, 1]], 1)
    rows = people_rows(placement)
    texts = [rows[i].label for i in order]
    sizes = [text_size(lines, cap) for lines in texts]
    corners = place_labels(anchors, sizes, (width, height), cap * .5, heads, [[0, 0, *title_size]])
    for person, lines, corner in zip(order, texts, corners):
        if corner is not None:
            draw_text(picture, lines, corner, cap, INK, plate_color(colors[person]))


def heads_of(placement, size):
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
