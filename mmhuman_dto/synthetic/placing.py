"""Who stands where, so that the camera sees them and nobody touches anybody."""
from typing import NamedTuple

import numpy as np


class Framing(NamedTuple):
    """How much of a person must be in view, and how far from the lens every joint must be, m."""
    inside: float = .8  # least share of the joints
    head: bool = True  # whether upper spine and head must be
    nearest: float = .8
    columns: tuple[float, float] = (.06, .94)  # where people are tried, in widths of the picture


#: What is hidden by the box of another person must be less than this share of a person's box.
_COVERED = .72
WHOLE = Framing()
#: Whom the frame may cut: some are seen from the waist up, some up to the chest, some with one side only.
CUT = Framing(inside=.2, head=False, nearest=.35, columns=(-.12, 1.12))


def place_people(crowd, stage, config, rng):
    """Give each body a place, one after the other; those for whom none is found are left out."""
    boxes = []  # box in the picture and depth of those placed
    for i in range(len(crowd.bodies.vertices)):
        framing = CUT if stage.cut and rng.random() < stage.cut else WHOLE
        _place(i, crowd, boxes, stage, framing, config, rng)


def _place(i, crowd, boxes, stage, framing, config, rng, tries=40):
    for _ in range(tries):
        if crowd.placed and rng.random() < config.grouped:
            angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(.4, 1.1)
            beside = crowd.offsets[rng.integers(len(crowd.offsets))]
            spot = beside + distance * np.array([np.cos(angle), 0, np.sin(angle)])
        else:
            crowded = rng.random() >= stage.far_share or stage.starts_near and not crowd.placed
            depth = stage.depth(rng) if crowded else stage.far * rng.uniform(1, 4)
            spot = stage.spot(depth, rng.uniform(*framing.columns) * stage.view.size[1])
        spot = stage.ground.drop(spot)
        pixels, z = stage.view.project(crowd.bodies.joints[i, :24] + spot)
        seen = pixels.min(0), pixels.max(0), z.mean()
        if _in_frame(pixels, z, stage.view.size, framing) and not _covers(seen, boxes) and crowd.fits(i, spot):
            crowd.add(i, spot)
            boxes.append(seen)
            return


def _in_frame(pixels, z, size, framing):
    """Whether enough joints are in the frame, none of them near the lens."""
    if z.min() < framing.nearest:
        return False
    frame = ((pixels > 0) & (pixels < [size[1], size[0]])).all(-1)
    return frame.mean() >= framing.inside and (not framing.head or frame[[9, 15]].all())


def _covers(seen, boxes):
    """Whether the box (low, high, z) of a person almost hides that of another, or is almost hidden by it."""
    low, high, z = seen
    for low_j, high_j, z_j in boxes:
        overlap = np.clip(np.minimum(high, high_j) - np.maximum(low, low_j), 0, None).prod()
        hidden = high_j - low_j if z < z_j else high - low
        if overlap > _COVERED * hidden.prod():
            return True
    return False
