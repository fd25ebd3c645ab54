"""3DPW and Hi4D: pose and mesh errors on Human3.6M joints, focal length and body height.

Definition: von Marcard et al., "Recovering Accurate 3D Human Pose in The Wild Using IMUs and a Moving Camera" (ECCV
2018), on the people found.
"""
import numpy as np

from .bodies import MIN_IOU, match_bodies
from .heights import height_errors
from .pose import detection_scores, mpjpe, pa_mpjpe
from .summary import mean, pooled, rounded_scores, total

#: The 14 of Human3.6M's 17 joints that count.
JOINTS14 = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]
_ERRORS = ('mpjpe', 'pa_mpjpe', 'mve', 'pa_mve', 'height_error')
#: Digits the public evaluator prints.
_DIGITS = dict(mpjpe=1, pa_mpjpe=1, mve=1, pa_mve=1, focal_error=3, height_error=4)


def dpw_record(pred, true, min_iou=MIN_IOU, parity=False):
    """Compare the people of one image.

    Args:
        pred, true: :class:`Bodies` with ``h36m``; ``pred`` only those that count.
        min_iou: of a match.
        parity: match as the public evaluator does.

    Returns:
        dict: ``num_pred``, ``num_true``, ``focals`` (2,) px, predicted and true, and of the M people found ``mpjpe``,
        ``pa_mpjpe`` (14 joints), ``mve``, ``pa_mve`` (all vertices), mm, and ``height_error``, m. All are relative to
        joint 0 of Human3.6M (the pelvis), ``pa_*`` after each person's best similarity motion.
    """
    rows_pred, rows_true = match_bodies(pred, true, min_iou, parity)
    people = ((pred, rows_pred), (true, rows_true))
    joints = [(body.h36m - body.h36m[:, :1])[rows][:, JOINTS14] for body, rows in people]
    vertices = [(body.vertices - body.h36m[:, :1])[rows] for body, rows in people]
    return dict(
        num_pred=len(pred.joints), num_true=len(true.joints),
        focals=np.array([pred.intrinsics[0, 0], true.intrinsics[0, 0]], dtype=np.float64),
        mpjpe=mpjpe(*joints), pa_mpjpe=pa_mpjpe(*joints), mve=mpjpe(*vertices), pa_mve=pa_mpjpe(*vertices),
        height_error=height_errors(pred.heights[rows_pred], true.heights[rows_true]))


def dpw_metrics(records, parity=False):
    """Figures of many records of :func:`dpw_record`: means over the people found; of focal lengths over images.

    ``parity``: rounded as the public evaluator prints.

    Returns:
        dict: ``precision``, ``recall``, ``f1`` (%), ``mpjpe``, ``pa_mpjpe``, ``mve``, ``pa_mve`` (mm),
        ``height_error`` (m), ``focal_error``, ``pred_focal_mean``, ``pred_focal_std``, ``gt_focal_mean``,
        ``gt_focal_std`` (px, population standard deviations).
    """
    errors = {name: pooled(records, name) for name in _ERRORS}
    scores = detection_scores(len(errors['mpjpe']), total(records, 'num_pred'), total(records, 'num_true'))
    figures = {name: mean(values) for name, values in errors.items()}
    focals = np.array([record['focals'] for record in records]).reshape(-1, 2)
    figures['focal_error'] = mean(np.abs(focals[:, 0] - focals[:, 1]))
    for kind, values in zip(('pred', 'gt'), focals.T):
        figures[f'{kind}_focal_mean'] = mean(values)
        figures[f'{kind}_focal_std'] = mean((values - mean(values))**2)**.5
    if parity:
        scores = rounded_scores(scores)
        figures = {name: round(value, _DIGITS.get(name, 4)) for name, value in figures.items()}
    return {**scores, **figures}
