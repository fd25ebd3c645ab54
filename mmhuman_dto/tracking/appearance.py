"""What colours people wear: histograms of torso and legs, read at a few hundred points of a picture."""
import numpy as np

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.structures.fields import SEEN_SCORE

#: Bins of a part of the body: hues of pale and of strong colours, and greys from black to white.
HUES, STRENGTHS, GREYS = 8, 2, 4
BINS = HUES * STRENGTHS + GREYS
#: Parts of the body that have a histogram each: torso, legs.
PARTS = 2
#: Entries of one person's histograms.
COLOURS = PARTS * BINS
#: Saturations (1 - smallest / largest of R, G, B) up to which a colour is grey, from which it is pale, and strong.
SATURATIONS = (.1, .25, .6)
#: A part is known where so many of its points are in the picture, and the person's.
MIN_POINTS = 12
#: Where a body stands in its box whose joints are not seen: left, top, right, bottom of torso and legs, parts of it.
_IN_BOX = np.array([[.3, .2, .7, .5], [.3, .55, .7, .9]])
#: Half the width of the legs that is read, part of the length of a thigh.
_LEG_WIDTH = .12
_INDEX = {name: JOINT_SETS['coco17'].names.index(name) for name in (
    'left_shoulder', 'right_shoulder', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle',
    'right_ankle')}
_ALONG, _ACROSS = (grid.ravel() for grid in np.meshgrid(np.linspace(.1, .9, 12), np.linspace(.15, .85, 10)))


def colour_histograms(image, joints, scores, boxes, id_map=None):
    """Colours of torso and legs of people in a picture.

    Hues and saturations do not change with the brightness of the light, greys do; values between two bins count for
    both. A part whose joints are not seen is looked for in the person's box.

    Args:
        image: (H, W, 3) uint8 RGB.
        joints: (N, 17, 2) px, COCO's. scores: (N, 17).
        boxes: (N, 4) xyxy px.
        id_map: (H, W) int, row + 1 of the person seen in each pixel, 0 nobody; None: all pixels are whose joints they
            are between.

    Returns:
        (N, ``COLOURS``) histograms: torso, then legs, each with the sum 1, or nan where it is not in the picture.
    """
    joints, boxes = np.asarray(joints, np.float64), np.asarray(boxes, np.float64)
    seen = np.asarray(scores) >= SEEN_SCORE
    histograms = np.full((len(joints), PARTS, BINS), np.nan)
    for row in range(len(joints)):
        for part, points in enumerate((_torso_points(joints[row], seen[row]), _leg_points(joints[row], seen[row]))):
            points = _box_points(boxes[row], part) if points is None else points
            pixels = _read(image, points, None if id_map is None else id_map == row + 1)
            if len(pixels) >= MIN_POINTS:
                histograms[row, part] = _histogram(pixels)
    return histograms.reshape(-1, COLOURS)


def colour_distance(first, second):
    """Bhattacharyya distance sqrt(1 - sum sqrt(p q)) (T, N), 0..1, of histograms (T, COLOURS) and (N, COLOURS).

    The mean of the parts known of both; nan where none is.
    """
    first, second = (np.sqrt(np.reshape(values, (-1, PARTS, BINS))) for values in (first, second))
    overlap = np.einsum('tpk,npk->tnp', first, second)
    distance = np.sqrt(np.clip(1 - overlap, 0, None))
    known = ~np.isnan(distance)
    total = np.where(known, distance, 0).sum(-1)
    return np.where(known.any(-1), total / np.maximum(known.sum(-1), 1), np.nan)


def _torso_points(joints, seen):
    """(M, 2) px between shoulders and hips; None if one of them is not seen."""
    corners = [_INDEX[name] for name in ('left_shoulder', 'right_shoulder', 'left_hip', 'right_hip')]
    if not seen[corners].all():
        return None
    left_up, right_up, left_low, right_low = joints[corners]
    across = _ACROSS[:, None]
    upper, lower = left_up + across * (right_up - left_up), left_low + across * (right_low - left_low)
    return upper + _ALONG[:, None] * (lower - upper)


def _leg_points(joints, seen):
    """(M, 2) px along thighs and shanks that are seen; None without any."""
    points = []
    for side in ('left', 'right'):
        for upper, lower in (('hip', 'knee'), ('knee', 'ankle')):
            ends = [_INDEX[f'{side}_{name}'] for name in (upper, lower)]
            if seen[ends].all():
                start, end = joints[ends]
                aside = _LEG_WIDTH * np.array([start[1] - end[1], end[0] - start[0]])
                points.append(start + _ALONG[:, None] * (end - start) + (2 * _ACROSS[:, None] - 1) * aside)
    return np.concatenate(points) if points else None


def _box_points(box, part):
    low, high = box[:2], box[2:]
    along = np.stack([_ALONG, _ACROSS], -1)
    return low + (_IN_BOX[part, :2] + along * (_IN_BOX[part, 2:] - _IN_BOX[part, :2])) * (high - low)


def _read(image, points, own):
    """(M, 3) float 0..1, the pixels at points that are in the picture and, with ``own`` (H, W), there."""
    points = np.floor(points[np.isfinite(points).all(1)]).astype(int)
    points = points[((points >= 0) & (points < image.shape[1::-1])).all(1)]
    if own is not None:
        points = points[own[points[:, 1], points[:, 0]]]
    return image[points[:, 1], points[:, 0]] / 255


def _histogram(pixels):
    """(BINS,) with the sum 1 of pixels (M, 3) 0..1."""
    highest, lowest = pixels.max(1), pixels.min(1)
    chroma = highest - lowest
    saturation = chroma / np.maximum(highest, 1e-6)
    grey_end, pale, strong = SATURATIONS
    coloured = np.clip((saturation - grey_end) / (pale - grey_end), 0, 1)
    strength = np.clip((saturation - pale) / (strong - pale), 0, 1)
    hues = _bins(_hue(pixels, highest, chroma) * HUES, HUES, True)
    greys = _bins(np.clip(highest * GREYS - .5, 0, GREYS - 1), GREYS, False)
    parts = [coloured * (1 - strength) @ hues, coloured * strength @ hues, (1 - coloured) @ greys]
    return np.concatenate(parts) / len(pixels)


def _hue(pixels, highest, chroma):
    """(M,) 0..1 around the circle, red 0; anything where there is no colour."""
    red, green, blue = pixels.T
    chroma = np.maximum(chroma, 1e-6)
    sixths = np.select([highest == red, highest == green], [(green - blue) / chroma % 6, (blue - red) / chroma + 2],
                       (red - green) / chroma + 4)
    return sixths / 6


def _bins(places, count, around):
    """(M, count) shares of values that lie at places (M,) between the bins 0 .. count - 1, or around a circle."""
    lower = np.floor(places).astype(int)
    share, rows = places - lower, np.arange(len(places))
    table = np.zeros((len(places), count))
    higher = (lower + 1) % count if around else np.minimum(lower + 1, count - 1)
    table[rows, lower % count] += 1 - share
    table[rows, higher] += share
    return table
