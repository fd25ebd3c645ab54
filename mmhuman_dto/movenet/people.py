"""Who is in a picture, by the maps of MoveNet: people's joints, read from one look or put together from several."""
import numpy as np
import torch
from torch.nn import functional

from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.structures.fields import SEEN_SCORE

from .network import STRIDE

#: People are taken where they are this tall or wide, px of the network's input (measured on photos and crowds);
#: the first scale also answers for larger ones, the last for smaller ones.
LOW, HIGH = 90, 250
#: A scale shows small people who are below this, px.
SMALL = 100
#: Cells whose centre scores less are nobody's.
MIN_CENTER = .05
#: A person has so many joints that are seen, with this mean score.
MIN_JOINTS, MIN_MEAN = 5, .3
#: Who is who: joints nearer than this part of the better person's size, on the median, or more than half of them nearer
#: than the second.
SAME_PERSON, SAME_JOINT = .1, .05


class Look:
    """People found at one scale: joints (N, 17, 2), px of the picture, scores (N, 17), size (N), px at the scale."""

    def __init__(self, joints, scores, factor):
        self.joints, self.scores = joints, scores
        self.sizes = extent(joints, scores >= SEEN_SCORE) * factor

    def has_small(self, min_mean):
        """Whether somebody is there who would be better seen at a larger scale."""
        return bool((people(self.scores, min_mean) & (self.sizes < SMALL)).any())


def decode(maps, index):
    """People of one picture of a batch of :class:`~.movenet.MoveNetMaps`.

    A person is a peak of the centres; each joint is the best place of its heat map inside of the person's box and near
    where the person says it is (weight exp(-d^2 / (.3 shorter side)), as in the published graph, d in cells), moved by
    the offset there.

    Returns:
        tuple: joints (N, 17, 2) x, y, px of the network's input, and scores (N, 17) 0..1, the heat at the joints.
    """
    centers, heat = maps.centers[index, 0], maps.heat[index]
    is_peak = centers == functional.max_pool2d(centers[None], 5, 1, 2)[0]
    cells = (is_peak & (centers >= MIN_CENTER)).nonzero()
    rows, columns = cells.unbind(-1)
    size, middle, coarse = (values.movedim(-1, 0) for values in (
        maps.sizes[index][:, rows, columns], maps.offsets[index][:, rows, columns] + cells.T,
        maps.joints[index][:, :, rows, columns] + cells.T))
    spread, near = .3 * min(centers.shape), []
    for axis, length in enumerate(centers.shape):
        places = torch.arange(length, device=centers.device)
        low, high = (middle + sign * size / 2 for sign in (-1, 1))
        inside = (places >= low[:, axis, None]) & (places < high[:, axis, None])
        near.append(torch.exp(-(places - coarse[..., axis, None])**2 / spread) * inside[:, None])
    weighted = heat * near[0][..., None] * near[1][..., None, :]
    best, place = weighted.flatten(2).max(-1)
    joint = torch.arange(heat.shape[0], device=heat.device)
    offsets = maps.joint_offsets[index].flatten(2)[joint, :, place]
    corner = torch.stack([place // centers.shape[1], place % centers.shape[1]], -1)
    scores = torch.where(best > 0, heat.flatten(1)[joint, place], 0)
    return STRIDE * (corner + offsets).flip(-1), scores


def choose(looks, min_mean=MIN_MEAN):
    """Everybody once, at the scale that shows their joints best.

    Args:
        looks: list of :class:`Look`, by growing scale.
        min_mean: least mean score of a person's joints.

    Returns:
        tuple: joints (N, 17, 2), px of the picture, and scores (N, 17), best first.
    """
    kept = []
    for number, look in enumerate(looks):
        low = 0 if number == len(looks) - 1 else LOW
        high = np.inf if number == 0 else HIGH
        good = people(look.scores, min_mean) & (look.sizes >= low) & (look.sizes <= high)
        kept += zip(look.joints[good], look.scores[good])
    chosen = []
    for joints, scores in sorted(kept, key=lambda person: -person[1].sum()):
        if not any(same_person(joints, scores, *other) for other in chosen):
            chosen.append((joints, scores))
    joints, scores = zip(*chosen) if chosen else ((), ())
    return np.reshape(joints, (-1, 17, 2)), np.reshape(scores, (-1, 17))


def people(scores, min_mean):
    """(N,) which have enough joints (N, 17) that are sure enough."""
    return ((scores >= SEEN_SCORE).sum(1) >= MIN_JOINTS) & (mean_score(scores) >= min_mean)


def same_person(joints, scores, better, better_scores):
    """Whether joints (17, 2) with scores (17,) are those of a better person."""
    seen, common = scores >= SEEN_SCORE, (scores >= SEEN_SCORE) & (better_scores >= SEEN_SCORE)
    if not common.any():
        return False
    size = extent(better[None], better_scores[None] >= SEEN_SCORE)[0]
    distance = np.linalg.norm(joints - better, axis=-1)[common]
    return np.median(distance) < SAME_PERSON * size or (distance < SAME_JOINT * size).sum() > seen.sum() / 2


def mean_score(scores):
    """(N,) mean of the scores (N, 17) of the joints seen."""
    seen = scores >= SEEN_SCORE
    return (scores * seen).sum(1) / np.maximum(seen.sum(1), 1)


def extent(joints, seen):
    """(N,) longer side of the box around the joints seen; 0 without any."""
    boxes = joint_boxes(joints, seen)
    return np.nan_to_num((boxes[:, 2:] - boxes[:, :2]).max(-1))
