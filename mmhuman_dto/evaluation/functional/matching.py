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


def box_iou(first, second):
    """IoU (N, M) of boxes (N, 4) and (M, 4), xyxy; 0 where a box is nan or has no area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(-1)
    area = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
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
