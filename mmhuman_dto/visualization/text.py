"""Readable text on pictures: sized by the picture, with a halo, placed so that labels keep apart."""
import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
#: Height in px of a capital letter of FONT at scale 1.
CAP_HEIGHT = 21.
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
    scale, thickness = _font(cap)
    widths = [cv2.getTextSize(line, FONT, scale, thickness)[0][0] for line in lines]
    return int(np.ceil(max(widths) + cap * .8)), int(np.ceil(len(lines) * cap * 1.75 + cap * .35))


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
    scale, thickness = _font(cap)
    x, y = (int(round(float(v))) for v in corner)
    if background is not None:
        width, height = text_size(lines, cap)
        cv2.rectangle(image, (x, y), (x + width - 1, y + height - 1), background, -1)
    for row, line in enumerate(lines):
        origin = (int(x + cap * .4), int(round(y + cap * (1.4 + 1.75 * row))))
        if background is None:
            _draw_halo(image, line, origin, scale, thickness, max(1, round(cap / 8)))
        cv2.putText(image, line, origin, FONT, scale, color, thickness, cv2.LINE_AA)


def place_labels(anchors, sizes, area, gap, avoid=()):
    """Finds a free place beside each anchor; earlier anchors choose first.

    Args:
        anchors: (N, 2) px (x, y).
        sizes: (N, 2) px (width, height).
        area: (W, H) px of the picture.
        gap: distance of a label from its anchor, px.
        avoid: (M, 4) px boxes xyxy that labels cover only where no other place is free.

    Returns:
        list: (x, y) upper left corner of a label, or None where every place covers another label or leaves the picture.
    """
    avoid = np.asarray(avoid, float).reshape(-1, 4)
    taken, corners = np.zeros((0, 4)), []
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


def _font(cap):
    return cap / CAP_HEIGHT, max(1, int(round(cap / 9)))


def _draw_halo(image, line, origin, scale, thickness, reach):
    """Paper-coloured copies around the letters; a bolder font would have another width in OpenCV 5."""
    for dx in (-reach, 0, reach):
        for dy in (-reach, 0, reach):
            cv2.putText(image, line, (origin[0] + dx, origin[1] + dy), FONT, scale, PAPER, thickness, cv2.LINE_AA)


def _overlap(a, b):
    """(A, B) whether boxes xyxy overlap."""
    return ((a[:, None, :2] < b[None, :, 2:]) & (b[None, :, :2] < a[:, None, 2:])).all(-1)
