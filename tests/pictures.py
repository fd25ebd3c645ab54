"""What tests see in pictures: where something was drawn and in whose colour."""
import sys
from typing import NamedTuple

import numpy as np

from mmhuman_dto.visualization import person_colors
from mmhuman_dto.visualization.text import text_size


class Text(NamedTuple):
    """A block of text: its lines, its box in px of the whole picture (left, top, right, bottom), its plate's colour."""
    lines: tuple
    box: tuple
    plate: tuple | None

    @property
    def middle(self):
        return np.array([self.box[0] + self.box[2], self.box[1] + self.box[3]]) / 2


def record_texts(monkeypatch):
    """The list that texts are added to as they are written."""
    texts = []

    def recorded(draw_text):
        def draw(image, lines, corner, cap, color=(0, 0, 0), background=None):
            whole = image if image.base is None else image.base
            row, rest = divmod(image.ctypes.data - whole.ctypes.data, whole.strides[0])
            x, y = corner[0] + rest // whole.strides[1], corner[1] + row
            width, height = text_size(lines, cap)
            texts.append(Text(tuple(lines), (x, y, x + width, y + height), background))
            draw_text(image, lines, corner, cap, color, background)
        return draw

    for module in [m for name, m in sys.modules.items() if name.startswith('mmhuman_dto.visualization.')]:
        if hasattr(module, 'draw_text'):
            monkeypatch.setattr(module, 'draw_text', recorded(module.draw_text))
    return texts


def changed(picture, photo):
    """(H, W) where two pictures differ."""
    return (picture != photo).any(-1)


def colored(picture):
    """(H, W) where a person's colour is; grid, text and field of view are all but grey."""
    return np.ptp(picture.astype(int), axis=-1) > 40


def extent(mask):
    """Box (left, top, right, bottom), px, around what is true."""
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def person_at(picture, point, ids=range(6)):
    """Which of ``ids`` has the hue of the pixel at a point (2) px."""
    def hue(color):
        color = np.asarray(color, float) - np.mean(color, -1, keepdims=True)
        return color / np.linalg.norm(color, axis=-1, keepdims=True)

    x, y = np.floor(point).astype(int)
    return list(ids)[(hue(person_colors(ids)) @ hue(picture[y, x])).argmax()]


def marks(strip, background):
    """Middles, px, of what is drawn across a strip (L, 3) of a picture, weighted by how much it differs."""
    weight = np.abs(strip.astype(int) - background).sum(-1)
    runs = np.split(np.arange(len(weight)), np.flatnonzero(np.diff(weight > 0)) + 1)
    return [np.average(run + .5, weights=weight[run]) for run in runs if weight[run].all()]
