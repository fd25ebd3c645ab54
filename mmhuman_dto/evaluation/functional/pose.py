"""Errors of 3D joints and points, in millimetres."""
import numpy as np
import torch

from mmhuman_dto.geometry.alignment import similarity_align


def mpjpe(pred, true):
    """Mean distance (N) mm of corresponding points (N, K, 3) m, already in a common frame."""
    pred, true = (np.asarray(points, np.result_type(np.asarray(points).dtype, np.float32)) for points in (pred, true))
    return 1000 * np.linalg.norm(pred - true, axis=-1).mean(-1)


def pa_mpjpe(pred, true):
    """:func:`mpjpe` (N) mm after each person's best similarity motion (rotation, translation, scale)."""
    pred, true = (torch.as_tensor(np.asarray(points), dtype=torch.float64) for points in (pred, true))
    return mpjpe(similarity_align(pred, true).numpy(), true.numpy())


def detection_scores(num_matched, num_pred, num_true):
    """Precision, recall and F1 in per cent; nan where there is nobody to divide by."""
    def percent(part, whole):
        return 100 * part / whole if whole else float('nan')

    return dict(precision=percent(num_matched, num_pred), recall=percent(num_matched, num_true),
                f1=percent(2 * num_matched, num_pred + num_true))
