"""How unlikely it is that a person who is followed is one who is seen, from all that is known of both."""
from dataclasses import dataclass

import numpy as np

from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.structures.fields import SEEN_SCORE

from .appearance import colour_distance
from .motion import surprise
from .seeing import corners


@dataclass(frozen=True)
class CostConfig:
    """Weights of the terms, 0 to leave one out, and what they are measured by; see :func:`pair_costs`.

    Attributes:
        place, box: of the likelihood of metric places, and of boxes.
        joints, pose, height, colour: of the others; each is told from strangers at its ``*_neutral`` distance.
        joint_size: 2D joints are alike that are nearer than this part of the box's longer side.
        joints_neutral: 1 - similarity of 2D joints. pose_neutral: m, mean distance of 3D joints about the pelvis, which
            counts up to ``pose_most``.
        pose_lasts: s after which poses, of either kind, say nothing.
        height_std: spread of the logarithm of one person's heights in single frames. height_neutral: half a squared
            difference in these deviations, which counts up to ``height_most``.
        colour_neutral: Bhattacharyya distance, which counts up to ``colour_most``. covered_colour: part of the weight
            of colours of covered people.
        unknown: what is not known counts as a difference of this part of the neutral one.
        gate: squared Mahalanobis distance of a place, without places of a box, beyond which only overlapping boxes make
            a pair.
        gate_iou: how much they must.
        limit: cost up to which two are a pair, and ``limit_growth`` more a second unseen; ``low_less`` less for people
            of low scores. Of the same person's costs 99.5 % are below, of others' 99.5 % above.

    Weights and neutral differences are near what told the same people from others on the clips of
    ``tools/benchmark/bench_tracking.py`` with the seeds 511 and 930. On a real clip colours of one person are .05 to
    .17 apart, of others .6 and more.
    """
    place: float = 1.
    box: float = .5
    joints: float = 4.
    pose: float = 10.
    height: float = 1.
    colour: float = 12.
    joint_size: float = .08
    joints_neutral: float = .5
    pose_neutral: float = .2
    pose_most: float = .4
    pose_lasts: float = .3
    height_std: float = .06
    height_neutral: float = 1.4
    height_most: float = 5.4
    colour_neutral: float = .35
    colour_most: float = .7
    covered_colour: float = .3
    unknown: float = .3
    gate: float = 25.
    gate_iou: float = .3
    limit: float = 8.
    limit_growth: float = 3.2
    low_less: float = 2.

    def limits(self, gaps):
        """(T) costs up to which people unseen for ``gaps`` (T), s, are a pair."""
        return self.limit + self.limit_growth * gaps


def pair_costs(tracks, seen, time, config):
    """(T, N) costs of T tracks and N people seen, inf where it cannot be the same person.

    Places and boxes give the logarithm of how much less likely they are than the best one of a track whose motion is
    exactly known, so that somebody long unseen does not take what fits one just seen. The others give less than nought
    where two are more alike than strangers are, and more where less; unknown ones what is usual of the same person, so
    that what is known decides alone.
    """
    place, place_costs = surprise(tracks.place, seen.places, seen.place_noise)
    box, box_costs = surprise(tracks.box, seen.boxes, seen.box_noise)
    iou = box_iou(corners(tracks.box.places), seen.observations.boxes)
    fresh = np.exp(-(time - tracks.seen) / config.pose_lasts)[:, None]
    clear = np.where(seen.clear, 1, config.covered_colour)
    costs = config.place * np.nan_to_num(place_costs) + config.box * np.nan_to_num(box_costs)
    for weight, difference, neutral, most in (
            (config.joints * fresh, joint_difference(tracks, seen, config.joint_size), config.joints_neutral, 1.),
            (config.pose * fresh, pose_difference(tracks.pose, seen.pose), config.pose_neutral, config.pose_most),
            (config.height, _height_difference(tracks, seen, config), config.height_neutral, config.height_most),
            (config.colour * clear, colour_distance(tracks.colours, seen.observations.colours), config.colour_neutral,
             config.colour_most)):
        difference = np.where(np.isnan(difference), config.unknown * neutral, np.minimum(difference, most))
        costs = costs + weight * (difference - neutral)
    far = np.where(np.isnan(place) | (config.place == 0), box, place) > config.gate
    return np.where(far & (iou < config.gate_iou), np.inf, costs)


def joint_difference(tracks, seen, size):
    """(T, N) 0..1, one minus how alike 2D joints are, the track's moved along with its box; nan without common ones.

    A joint's part is exp(-d^2 / 2) of its distance d in parts ``size`` of the box's longer side, after COCO's object
    keypoint similarity, of joints seen by both.
    """
    now, then = tracks.box.places, tracks.last_box
    grown = np.exp((now - then)[:, 2:].mean(1))[:, None, None]
    carried = (tracks.joints - then[:, None, :2]) * grown + now[:, None, :2]
    unit = size * np.exp(now[:, 2:].max(1))[:, None, None]
    squared = np.square((carried[:, None] - seen.observations.joints[None]) / unit[..., None]).sum(-1)
    common = (tracks.joint_scores >= SEEN_SCORE)[:, None] & (seen.observations.joint_scores >= SEEN_SCORE)[None]
    common &= np.isfinite(squared)
    alike = np.where(common, np.exp(-np.where(common, squared, 0) / 2), 0).sum(-1)
    count = common.sum(-1)
    return np.where(count > 0, 1 - alike / np.maximum(count, 1), np.nan)


def pose_difference(first, second):
    """(T, N) m, mean distance of joints about the pelvis, of (T, 24, 3) and (N, 24, 3)."""
    return np.linalg.norm(first[:, None] - second[None], axis=-1).mean(-1)


def _height_difference(tracks, seen, config):
    """(T, N) half the squared difference of the logarithms of heights, in deviations."""
    own = config.height_std**2 * (1 + 1 / np.maximum(tracks.height_counts, 1))
    return np.square(tracks.log_heights[:, None] - np.log(seen.observations.heights)[None]) / (2 * own[:, None])
