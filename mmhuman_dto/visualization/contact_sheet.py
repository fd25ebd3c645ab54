"""Many scenes on one picture: before | after over the photo and from above."""
import cv2
import numpy as np
import torch

from ..geometry import resize_intrinsics
from .birdseye import draw_birdseye
from .overlay import draw_overlay
from .text import draw_text, text_height

PAPER = (255, 255, 255)


def draw_contact_sheet(scenes, row_height=360):
    """One row a :class:`Scene`: photo with the people before, after, and both from above on one metric scale.

    (H, W, 3) uint8 RGB; ``row_height`` px a row without its title; one blank row when there are no scenes.
    """
    cell = (row_height, row_height * 4 // 3)
    gap = max(4, row_height // 60)
    cap = text_height(cell)
    title_height = round(cap * 3.4)
    row_shape = (title_height + row_height + gap, 2 * (cell[1] + gap) + 2 * row_height, 3)
    sheet = np.full((max(len(scenes), 1) * row_shape[0], *row_shape[1:]), PAPER, np.uint8)
    for scene, row in zip(scenes, np.split(sheet, max(len(scenes), 1))):
        picture = row[title_height:title_height + row_height]
        before, after = (_fit(draw_overlay(*shrink(scene.image, placement, cell), scene.faces), cell)
                         for placement in (scene.before, scene.after))
        from_above = draw_birdseye([('before', scene.before), ('after', scene.after)], scene.faces,
                                   scene.image.shape[:2], scene.truth, (row_height, row_height))
        columns = ((0, before, f'{scene.title}: before'), (cell[1] + gap, after, 'after'),
                   (2 * (cell[1] + gap), from_above, 'from above'))
        for x, cell_image, title in columns:
            picture[:, x:x + cell_image.shape[1]] = cell_image
            draw_text(row, [title], (x, cap * .5), cap * 1.15)
    return sheet


def shrink(image, placement, size):
    """A photo, and its placement with it, scaled down to fit ``size`` = (H, W) px; never up."""
    height, width = image.shape[:2]
    factor = min(size[0] / height, size[1] / width, 1)
    target = max(round(width * factor), 1), max(round(height * factor), 1)
    image = cv2.resize(image, target, interpolation=cv2.INTER_AREA)
    if placement.intrinsics is None:
        return image, placement
    intrinsics = resize_intrinsics(torch.as_tensor(placement.intrinsics), target[0] / width, target[1] / height)
    return image, placement._replace(intrinsics=intrinsics.numpy())


def _fit(image, size):
    """Puts a picture into the upper left corner of paper of the given (H, W)."""
    cell = np.full((*size, 3), PAPER, np.uint8)
    cell[:image.shape[0], :image.shape[1]] = image
    return cell
