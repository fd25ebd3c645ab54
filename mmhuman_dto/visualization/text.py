"""Readable text on pictures: sized by the picture, with a halo, placed so that labels keep apart."""
import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (30, 34, 40), (255, 255, 255)


def text_height(size):
    """Height of a capital letter (px) that reads well on a picture of ``size`` = (H, W)."""
    return float(np.clip(min(size) / 56, 7, 20))


def text_size(lines, cap):
    """(width, height) in px of a block of text lines, with its margin.

    Args:
        lines: sequence of str.
        cap: height of a capital letter, px.
    """
    width = max(map(_font(cap).getlength, lines))
    return int(np.ceil(width + cap * .8)), int(np.ceil(len(lines) * cap * 1.75 + cap * .35))


def fit_text(text, cap, width):
    """Height of a capital letter, at most ``cap`` px, of a text that is no wider than ``width`` px."""
    size = text_size([text], cap)[0]
    return cap if size <= width else .98 * cap * width / size  # letters are whole px wide, so not quite to scale


def draw_text(image, lines, corner, cap, color=INK, background=None):
    """Writes lines of text into the picture, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        lines: sequence of str.
        corner: (x, y) px of the block's upper left corner.
        cap: height of a capital letter, px.
        color: RGB of the letters.
        background: RGB of a plate with ``color`` letters; None gives letters with a halo.
    """
    x, y = (int(round(float(v))) for v in corner)
    width, height = text_size(lines, cap)
    left, top = max(x, 0), max(y, 0)
    block = image[top:max(y + height, 0), left:max(x + width, 0)]
    if block.size == 0:
        return
    if background is not None:
        block[:] = background
    picture = Image.fromarray(block)
    for row, line in enumerate(lines):
        ImageDraw.Draw(picture).text(
            (x - left + cap * .4, y - top + cap * (1.4 + 1.75 * row)), line, color, _font(cap), 'ls',
            stroke_width=max(1, round(cap / 8)) if background is None else 0, stroke_fill=PAPER)
    block[:] = picture


def place_labels(anchors, sizes, area, gap, avoid=(), taken=()):
    """Finds a free place beside each anchor; earlier anchors choose first.

    Args:
        anchors: (N, 2) px (x, y).
        sizes: (N, 2) px (width, height).
        area: (W, H) px of the picture.
        gap: distance of a label from its anchor, px.
        avoid: (M, 4) px boxes xyxy that labels cover only where no other place is free.
        taken: (T, 4) px boxes xyxy that no label covers.

    Returns:
        list: (x, y) upper left corner of a label, or None where every place covers another label or leaves the picture.
    """
    avoid, taken = (np.asarray(boxes, float).reshape(-1, 4) for boxes in (avoid, taken))
    corners = []
    for (x, y), (width, height) in zip(np.asarray(anchors, float).reshape(-1, 2), sizes):
        left, right, above, below = x - gap - width, x + gap, y - gap - height, y + gap
        middle_x, middle_y = x - width / 2, y - height / 2
        spots = np.array([(middle_x, above), (right, middle_y), (left, middle_y), (middle_x, below),
                          (right, above), (left, above), (right, below), (left, below)])
        boxes = np.concatenate([spots, spots + (width, height)], 1)
        barred = (boxes[:, :2] < 0).any(1) | (boxes[:, 2:] > area).any(1) | _overlap(boxes, taken).any(1)
        covered = np.where(barred, np.inf, _overlap(boxes, avoid).sum(1))
        best = covered.argmin()
        corners.append(None if barred[best] else tuple(spots[best]))
        taken = np.concatenate([taken, boxes[best:best + 1][~barred[best:best + 1]]])
    return corners


@functools.cache
def _font(cap):
    return ImageFont.load_default(cap / .7)  # its capitals have .7 of its size


def _overlap(a, b):
    """(A, B) whether boxes xyxy overlap."""
    return ((a[:, None, :2] < b[None, :, 2:]) & (b[None, :, :2] < a[:, None, 2:])).all(-1)
