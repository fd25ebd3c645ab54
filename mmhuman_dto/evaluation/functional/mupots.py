"""MuPoTS-3D: percentage of correct keypoints (PCK) in 3D, over all annotated people and over those found.

Protocol: Mehta et al., "Single-Shot Multi-Person 3D Pose Estimation From Monocular RGB" (3DV 2018); the constants are
those of MA-HMR's public evaluator. MPI order: that of MPI-INF-3DHP's 17 joints.
"""
from typing import NamedTuple

import numpy as np

from .summary import mean, pooled, rounded

#: Human3.6M's joint for each joint in MPI order.
H36M_TO_MPI = [10, 8, 14, 15, 16, 11, 12, 13, 4, 5, 6, 1, 2, 3, 0, 7, 9]
_HIP = 14
_PARENTS = np.array([2, 16, 2, 3, 4, 2, 6, 7, 15, 9, 10, 15, 12, 13, 15, 15, 2]) - 1
#: Joints from the hip (left out) outwards.
_OUTWARDS = np.array([16, 2, 1, 17, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]) - 1
#: Joints that decide who is who, and how near (px, in x and in y) they count.
_MATCHED, _NEAR = slice(1, 14), 40.
#: Joints that are scored, and how near (mm) they are right.
_SCORED, _RIGHT = slice(0, 14), 150.


class MuPoTSPeople(NamedTuple):
    """N people of one image in Human3.6M's order: ``joints`` (N, 17, 3) m, camera frame, ``pixels`` (N, 17, 2)."""
    joints: np.ndarray
    pixels: np.ndarray


def match_mupots(pixels_pred, pixels_true):
    """The prediction of each annotated person by the number of joints nearer than 40 px in x and in y.

    Each annotated person in turn takes the free prediction with most such joints, the first among equals, if it has
    any: the result depends on the order of people, as the protocol's does. Pixels (P, 17, 2) and (T, 17, 2) are in MPI
    order; the result are rows of predictions (T,), -1: none.
    """
    difference = np.abs(pixels_true[:, None, _MATCHED] - pixels_pred[None, :, _MATCHED])
    count = (difference < _NEAR).all(-1).sum(-1)
    chosen = np.full(len(count), -1)
    for row in range(len(count)):
        best = max(range(count.shape[1]), key=count[row].__getitem__, default=None)
        if best is not None and count[row, best]:
            chosen[row] = best
            count[:, best] = 0
    return chosen


def rescale_bones(joints, target):
    """``joints`` (M, 17, 3) with the bone lengths of ``target``, from the hip outwards; MPI order, one unit."""
    def bones(points):
        return points - points[:, _PARENTS]

    length, wanted = (np.linalg.norm(bones(points), axis=-1, keepdims=True) for points in (joints, target))
    moved = bones(joints) * np.divide(wanted, length, out=np.zeros_like(length), where=length > 0)
    result = joints.copy()
    for joint in _OUTWARDS:
        result[:, joint] = result[:, _PARENTS[joint]] + moved[:, joint]
    return result


def mupots_record(pred, true, visible, parity=False):
    """Compare the :class:`MuPoTSPeople` of one image; ``pred`` are only those that count.

    Args:
        visible: (T, 17) joints that are seen, Human3.6M's order.
        parity: apply ``visible`` to the joints in MPI order as it is, as the public evaluator does.

    Returns:
        dict: ``pck`` (T,) %, 0 of a person without prediction, nan where no scored joint is visible; ``found`` (T,).
    """
    visible = np.asarray(visible, dtype=bool)
    visible = (visible if parity else visible[:, H36M_TO_MPI])[:, _SCORED]
    (joints_pred, pixels_pred), (joints_true, pixels_true) = (
        tuple(np.asarray(points, dtype=np.float64)[:, H36M_TO_MPI] for points in people) for people in (pred, true))
    rows = match_mupots(pixels_pred, pixels_true)
    found = rows >= 0
    moved, target = (1000 * (joints - joints[:, _HIP:_HIP + 1])
                     for joints in (joints_pred[rows[found]], joints_true[found]))
    error = np.full((len(rows), 14), np.inf)
    error[found] = np.linalg.norm(rescale_bones(moved, target) - target, axis=-1)[:, _SCORED]
    count = visible.sum(1)
    share = np.divide((visible & (error <= _RIGHT)).sum(1), count, out=np.full(len(count), np.nan), where=count > 0)
    return dict(pck=100 * share, found=found)


def mupots_metrics(records, parity=False):
    """Figures of many records of :func:`mupots_record`, means over people.

    Args:
        parity: rounded to one digit; a person without a visible joint makes the means nan. Otherwise left out.

    Returns:
        dict: ``pck_all`` (%; nobody's joints are right who was missed), ``pck_matched`` (%, those found), ``mismatch``:
        people without a prediction.
    """
    pck, found = pooled(records, 'pck'), pooled(records, 'found', bool)
    counted = parity | ~np.isnan(pck)
    figures = dict(pck_all=mean(pck[counted]), pck_matched=mean(pck[counted & found]))
    return dict(rounded(figures, 1) if parity else figures, mismatch=int((~found).sum()))
