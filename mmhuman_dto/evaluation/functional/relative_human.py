"""Relative Human: who stands in front of whom, by age, and where joints are in the image.

Definition: Sun et al., "Putting People in their Place: Monocular Regression of 3D People in Depth" (CVPR 2022, arXiv
2112.08274). People are annotated with 14 CrowdPose joints, a depth layer and an age group, without any metric truth.
"""
import numpy as np

from mmhuman_dto.dto.prior import AGE_LIMITS
from mmhuman_dto.geometry.matching import match_greedily, match_people

from .depth_order import PCDR_MARGIN, layer_pairs
from .pose import detection_scores
from .summary import mean, pooled, rounded, rounded_scores, total

#: Age groups in the order of the annotations' integers; -1 is unknown.
AGE_GROUPS = ('adult', 'teen', 'kid', 'baby')
MIN_IOU = .05
#: A missed person counts as this many wrong pairs.
MISS_WEIGHT = .3
#: A keypoint is right within this part of the diagonal of the visible joints' box, which stands for .6 head sizes.
KEYPOINT_RADIUS = .143
#: Where hidden joints of the truth sit in the public evaluator (px).
_HIDDEN = -2.
#: What it scores a person with fewer than two visible joints.
_NO_SCALE = -1.


def age_groups(years):
    """Index in ``AGE_GROUPS`` (N,) of ages (N,) in years; -1 of nan."""
    years = np.asarray(years, dtype=np.float64)
    oldest_first = len(AGE_LIMITS) - np.searchsorted(AGE_LIMITS, years, side='right')
    return np.where(np.isnan(years), -1, oldest_first)


def relative_human_record(joints_pred, z_pred, joints_true, visible, layers, ages, parity=False):
    """Compare the people of one image.

    Args:
        joints_pred: (P, 14, 2) px. z_pred: (P,) m, camera frame.
        joints_true: (T, 14, 2) px. visible: (T, 14) joints that are annotated.
        layers: (T,) depth layers, 0 nearest, -1 unknown. ages: (T,) index in ``AGE_GROUPS``, -1 unknown.
        parity: match as the public evaluator does; it also counts everyone as missed in an image without predictions,
            elsewhere only people with a visible joint.

    Returns:
        dict: ``num_pred``, ``num_true``; of the M people found ``keypoints`` (M,), the share of right ones (nan with
        fewer than two visible); of their K pairs ``pair_right`` (K,), ``pair_order`` (K,) as of :class:`LayerPairs`,
        ``pair_ages`` (K, 2); of the people missed ``missed_ages``, ``missed_layers``.
    """
    visible = np.asarray(visible, dtype=bool)
    seen = visible.any(1)
    counted = np.ones_like(seen) if parity and not len(joints_pred) else seen
    joints_true, visible, layers, ages = (np.asarray(x)[counted] for x in (joints_true, visible, layers, ages))
    if parity:
        joints_true = np.where(visible[..., None], joints_true, _HIDDEN)
    matches = (match_greedily if parity else match_people)(joints_pred, joints_true, visible, MIN_IOU)
    pairs = layer_pairs(np.asarray(z_pred)[matches.pred], layers[matches.true], PCDR_MARGIN)
    missed = np.setdiff1d(np.arange(len(ages)), matches.true)
    return dict(
        num_pred=len(joints_pred), num_true=len(ages),
        keypoints=right_keypoints(joints_pred[matches.pred], joints_true[matches.true], visible[matches.true]),
        pair_right=pairs.right, pair_order=pairs.order, pair_ages=ages[matches.true][pairs.people],
        missed_ages=ages[missed], missed_layers=layers[missed])


def right_keypoints(joints_pred, joints_true, visible):
    """Share (M,) of the visible joints (M, J, 2), px, within ``KEYPOINT_RADIUS`` diagonals; nan with fewer than two."""
    shown = np.where(visible[..., None], joints_true, np.nan)
    count = visible.sum(1)
    share = np.full(len(count), np.nan)
    known = count >= 2
    extent = np.nanmax(shown[known], 1, initial=-np.inf) - np.nanmin(shown[known], 1, initial=np.inf)
    error = np.linalg.norm(joints_pred - joints_true, axis=-1)[known]
    right = (error < KEYPOINT_RADIUS * np.linalg.norm(extent, axis=-1)[:, None]) & visible[known]
    share[known] = right.sum(1) / count[known]
    return share


def relative_human_metrics(records, parity=False):
    """Figures of many records of :func:`relative_human_record`.

    Args:
        parity: as the public evaluator prints: rounded to two digits; precision, recall and F1 take the number of
            predictions for the number of people; people with fewer than two visible joints have a share of -1 of right
            keypoints; missed people of unknown depth layer count against PCDR. Otherwise these people are left out.

    Returns:
        dict: ``precision``, ``recall``, ``f1``, ``mpckh``, ``pcdr`` and ``pcdr_{age group}`` (%).
    """
    keypoints = pooled(records, 'keypoints')
    num_found, num_pred, num_true = len(keypoints), total(records, 'num_pred'), total(records, 'num_true')
    if parity:
        keypoints = np.nan_to_num(keypoints, nan=_NO_SCALE)
        missed, wrong = num_true - num_found, num_pred - num_found
        num_found = num_pred - missed
        scores = detection_scores(num_found, num_found + wrong, num_pred)
    else:
        keypoints = keypoints[~np.isnan(keypoints)]
        scores = detection_scores(num_found, num_pred, num_true)
    figures = dict(mpckh=100 * mean(keypoints), **_pcdr_by_age(records, count_unknown=parity))
    return {**rounded_scores(scores), **rounded(figures, 2)} if parity else {**scores, **figures}


def _pcdr_by_age(records, count_unknown):
    """PCDR (%) of all pairs and of the pairs with somebody of each age group in them."""
    right = pooled(records, 'pair_right', bool)
    pair_ages = np.concatenate([np.zeros((0, 2), int), *(record['pair_ages'] for record in records)])
    missed = pooled(records, 'missed_ages')[count_unknown | (pooled(records, 'missed_layers') >= 0)]
    groups = {'pcdr': (right, missed)}
    for age, name in enumerate(AGE_GROUPS):
        groups[f'pcdr_{name}'] = right[(pair_ages == age).any(1)], missed[missed == age]
    weights = {name: len(pairs) + MISS_WEIGHT * len(lost) for name, (pairs, lost) in groups.items()}
    return {name: 100 * float(pairs.sum()) / weights[name] if weights[name] else float('nan')
            for name, (pairs, _) in groups.items()}


def layer_accuracy(records):
    """Share (%) of right pairs in the same layer, with the first person farther, and with the first person nearer.

    The first person of a pair is the better matched one in parity. Nobody missed counts. Only good for comparing with
    the public evaluator, which prints these as "equal", "close" and "far".
    """
    right, order = pooled(records, 'pair_right', bool), pooled(records, 'pair_order')
    signs = dict(equal=0, close=1, far=-1)
    return rounded({name: 100 * mean(right[order == sign]) for name, sign in signs.items()}, 2)
