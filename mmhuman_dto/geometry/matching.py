"""Which predicted person is which annotated one."""
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class Matches(NamedTuple):
    """Rows of matched people: ``pred`` (M) and ``true`` (M), each person at most once."""
    pred: np.ndarray
    true: np.ndarray


def joint_boxes(joints, visible):
    """Boxes (N, 4) xyxy around the visible ones (N, J) of 2D joints (N, J, 2), px; nan where none is."""
    low = np.where(visible[..., None], joints, np.inf).min(1)
    high = np.where(visible[..., None], joints, -np.inf).max(1)
    boxes = np.concatenate([low, high], -1)
    boxes[~visible.any(1)] = np.nan
    return boxes


def box_iou(first, second, border=0):
    """IoU (N, M) of boxes (N, 4) and (M, 4), xyxy; 0 where a box is nan or has no area.

    ``border`` px are added to every side, the overlap's too: 1 for boxes whose ends are pixels that belong to them.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.clip(high - low + border, 0, None).prod(-1)
    area = [(boxes[:, 2:] - boxes[:, :2] + border).prod(-1) for boxes in (first, second)]
    union = area[0][:, None] + area[1][None] - overlap
    return np.nan_to_num(overlap / np.where(union > 0, union, np.nan))


def match_people(joints_pred, joints_true, visible, min_iou=.1):
    """Pair predicted with annotated people so that the sum of 2D joint errors is least.

    Args:
        joints_pred: (P, J, 2) px. joints_true: (T, J, 2) px. visible: (T, J) joints of the truth that count.
        min_iou: pairs whose boxes (of the joints visible in the truth) overlap less are no match.

    Returns:
        Matches, by ascending ``true``.
    """
    visible = visible.astype(bool)
    error, iou = np.zeros((2, len(joints_pred), len(joints_true)))
    for t, seen in enumerate(visible):
        if seen.any() and len(joints_pred):
            some = joints_pred[:, seen]
            error[:, t] = np.linalg.norm(some - joints_true[t, seen], axis=-1).mean(1)
            boxes = np.concatenate([some.min(1), some.max(1)], -1)
            iou[:, t] = box_iou(boxes, joint_boxes(joints_true[t:t + 1], seen[None]))[:, 0]
    allowed = iou >= min_iou
    worst = error.max(initial=0.) * (min(error.shape) + 1) + 1
    pred, true = linear_sum_assignment(np.where(allowed, error, worst))
    kept = allowed[pred, true]
    order = np.argsort(true[kept])
    return Matches(pred[kept][order], true[kept][order])


def match_greedily(joints_pred, joints_true, visible, min_iou=.1):
    """Pair predicted with annotated people as the public evaluators of Relative Human, AGORA and 3DPW do.

    Pairs are tried by ascending error, the spectral norm of the visible joints' differences. Each pair whose boxes
    (around all joints, hidden ones included, one pixel larger) overlap too little fails, whoever it is made of, and
    uses up one prediction's turn; the search ends when as many pairs were made or failed as there are predictions.
    A person can therefore go unmatched although a prediction that fits is left.

    Args:
        joints_pred: (P, J, 2) px. joints_true: (T, J, 2) px. visible: (T, J) joints of the truth that count.
        min_iou: pairs whose boxes overlap less are no match.

    Returns:
        Matches, by ascending error.
    """
    difference = (joints_pred[:, None] - joints_true[None]) * visible[None, ..., None]
    error = np.linalg.norm(difference, ord=2, axis=(-2, -1))
    overlaps = box_iou(*(np.concatenate([joints.min(1), joints.max(1)], -1) for joints in (joints_pred, joints_true)),
                       border=1) >= min_iou
    pairs, failures = [], 0
    pred_taken, true_taken = set(), set()
    for pred, true in zip(*np.unravel_index(error.argsort(axis=None, kind='stable'), error.shape)):
        if len(pairs) == error.shape[1] or len(pairs) + failures >= error.shape[0]:
            break
        if not overlaps[pred, true]:
            failures += 1
        elif pred not in pred_taken and true not in true_taken:
            pairs.append((pred, true))
            pred_taken.add(pred)
            true_taken.add(true)
    return Matches(*np.array(pairs, dtype=np.int64).reshape(-1, 2).T)
