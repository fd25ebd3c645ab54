"""Where shots of a video begin, told from its pictures as they come.

Two pictures are of one shot where much of one is found in the other: corners of which many moved as one (ORB, an image
turned and zoomed as a whole: https://docs.opencv.org, Rublee et al. 2011), or blocks that are found near where the
whole moved. Neither minds pans, light that changes, or people who walk by, behind whom some of the place is still
seen. A flash leaves nothing to be found, so pictures are compared with some before it, too.
"""
import functools
from collections import deque

import cv2
import numpy as np

#: Longer sides (px) at which corners and blocks are looked for.
_CORNER_SIDE, _BLOCK_SIDE = 240, 96
_MOST_CORNERS, _FEWEST_CORNERS = 400, 25
#: Bits of 256 in which the descriptors of one corner differ at most; px off the common motion.
_BITS, _OFF = 50, 4.
#: So many corners that moved as one are of one shot (of two pictures of different places: 4 in the median, 8 at 95 %).
_SAME_CORNERS = 12
#: Blocks: px, how far they are looked for, least std of grey levels, fewest of them; and the correlation that three in
#: ten of them reach in one shot, against the word of many corners or few, as blurred pictures have.
_BLOCK, _SEARCH, _TEXTURE, _FEWEST_BLOCKS = 12, 5, 3., 4
_SAME_BLOCKS, _MANY_CORNERS = {True: .85, False: .75}, 100
#: Pictures without corners and blocks, such as of a wall, are told apart by the share of colours that both have.
_SAME_COLOURS = .5
#: Mean difference of grey levels of two pictures that need no closer look.
_STILL = 3.
#: A picture of which so much more than before is all white may be a flash, and one that is so dark (grey levels) a
#: blackout: it is decided by those after it, these many at most.
_WHITER, _DARK, _PATIENCE = .1, 12., 3
#: How many pictures before are compared with.
_MEMORY = 3


class CutDetector:
    """Tells of each picture of a video whether a new shot begins with it.

    A cut to a picture that is white or black in large parts is told up to three pictures late: it may be a flash.
    """

    def __init__(self):
        self._before, self._waited = deque(maxlen=_MEMORY), 0

    def add(self, image):
        """Whether the next picture (H, W, 3) uint8 RGB begins a new shot; the first one does not."""
        look = _Look(image)
        if not self._before or any(_are_alike(before, look) for before in reversed(self._before)):
            self._before.append(look)
            self._waited = 0
            return False
        if self._waited < _PATIENCE and look.tells_little(self._before[-1]):
            self._waited += 1
            return False
        self._before.clear()
        self._before.append(look)
        self._waited = 0
        return True


class _Look:
    """What is kept of a picture."""

    def __init__(self, image):
        self.small = _fit(image, _CORNER_SIDE)
        self.grey = cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY)
        self.thumb = _fit(self.grey, _BLOCK_SIDE).astype(np.float32)
        self.white = float((self.thumb >= 250).mean())

    def tells_little(self, before):
        """Whether it may be a flash or a blackout after another picture."""
        return self.white > before.white + _WHITER or self.thumb.mean() < _DARK

    @functools.cached_property
    def corners(self):
        """Their places (P, 2), px, and descriptors."""
        orb = cv2.ORB_create(_MOST_CORNERS, scaleFactor=1.3, nlevels=4, edgeThreshold=10, patchSize=25, fastThreshold=7)
        points, descriptors = orb.detectAndCompute(self.grey, None)
        return np.float32([point.pt for point in points]).reshape(-1, 2), descriptors

    @functools.cached_property
    def edges(self):
        """The thumbnail without its slow changes of light."""
        return self.thumb - cv2.GaussianBlur(self.thumb, (0, 0), 4)

    @functools.cached_property
    def colours(self):
        """Shares of hues, whatever their brightness."""
        shares = self.small.astype(np.float32) + 4
        shares = np.ascontiguousarray((shares / shares.sum(-1, keepdims=True))[..., :2])
        found = cv2.GaussianBlur(cv2.calcHist([shares], [0, 1], None, [24, 24], [.15, .6, .15, .6]), (0, 0), 1)
        return found / max(found.sum(), 1e-9)


def _are_alike(before, after):
    """Whether two :class:`_Look` are of one shot."""
    if before.thumb.shape != after.thumb.shape:
        return False
    if np.abs(before.thumb - after.thumb).mean() < _STILL:
        return True
    corners = _common_corners(before.corners, after.corners)
    if corners is not None and corners > _SAME_CORNERS:
        return True
    blocks = _common_blocks(before.edges, after.edges)
    if len(blocks) >= _FEWEST_BLOCKS:
        many = min(len(before.corners[0]), len(after.corners[0])) >= _MANY_CORNERS
        return np.quantile(blocks, .7) >= _SAME_BLOCKS[many]
    return corners is None and np.minimum(before.colours, after.colours).sum() >= _SAME_COLOURS


def _common_corners(before, after):
    """How many corners moved as one from a picture to another; None where one has too few to tell."""
    if min(len(before[0]), len(after[0])) < _FEWEST_CORNERS:
        return None
    pairs = [pair for pair in cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(before[1], after[1])
             if pair.distance < _BITS]
    if len(pairs) <= _SAME_CORNERS:
        return len(pairs)
    start, end = (places[[getattr(pair, side) for pair in pairs]] for places, side in (
        (before[0], 'queryIdx'), (after[0], 'trainIdx')))
    motion, moved = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=_OFF, maxIters=200)
    return 0 if motion is None else int(moved.sum())


def _common_blocks(before, after):
    """Correlation of each block of a thumbnail that has any texture with the most alike place of another, near its own
    or where it is if the picture as a whole moved."""
    height, width = after.shape
    (right, down), _ = cv2.phaseCorrelate(after, before, cv2.createHanningWindow((width, height), cv2.CV_32F))
    reach = _SEARCH + 1
    padded = cv2.copyMakeBorder(before, *[reach + _BLOCK] * 4, cv2.BORDER_REFLECT)
    found = []
    for y in range(height % _BLOCK // 2, height - _BLOCK + 1, _BLOCK):
        for x in range(width % _BLOCK // 2, width - _BLOCK + 1, _BLOCK):
            block = after[y:y + _BLOCK, x:x + _BLOCK]
            if block.std() >= _TEXTURE:
                found.append(max(_best(padded, block, y + dy, x + dx, reach) for dy, dx in {
                    (0, 0), (round(down), round(right))}))
    return np.array(found)


def _best(padded, block, y, x, reach):
    """The best correlation of a block near a place of a padded thumbnail."""
    y, x = (int(np.clip(place + reach + _BLOCK, _SEARCH, side - _BLOCK - _SEARCH)) for place, side in zip(
        (y, x), padded.shape))
    near = padded[y - _SEARCH:y + _BLOCK + _SEARCH, x - _SEARCH:x + _BLOCK + _SEARCH]
    return float(cv2.matchTemplate(near, block, cv2.TM_CCOEFF_NORMED).max())


def _fit(image, side):
    height, width = image.shape[:2]
    scale = min(side / max(height, width), 1)
    size = [max(round(length * scale), 3 * _BLOCK) for length in (width, height)]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
