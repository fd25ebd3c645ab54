"""AGORA and BEDLAM: who was found, and how well their bodies are posed and shaped.

Definition: Patel et al., "AGORA: Avatars in Geography Optimized for Regression Analysis" (CVPR 2021): errors over the
people found, normalised (N...) by the F1 of finding them.
"""
import numpy as np

from .bodies import MIN_IOU, match_bodies
from .pose import detection_scores, mpjpe
from .summary import mean, pooled, rounded, rounded_scores, total

_HIPS = [1, 2]


def agora_record(pred, true, kids, body_vertices, min_iou=MIN_IOU, parity=False):
    """Compare the people of one image.

    Args:
        pred, true: :class:`Bodies`; ``pred`` only those that count.
        kids: (T,) whether the annotated people are children.
        body_vertices: rows of the vertices that count (no face, hands or feet).
        min_iou: of a match.
        parity: match as the public evaluator does.

    Returns:
        dict: ``num_pred``, ``num_true``, ``num_kids``, and of the M people found ``is_kid``, ``mpjpe``, ``mve`` (mm).
    """
    kids = np.asarray(kids, dtype=bool)
    rows_pred, rows_true = match_bodies(pred, true, min_iou, parity)
    joints = [pred.joints[rows_pred], true.joints[rows_true]]
    vertices = [pred.vertices[rows_pred], true.vertices[rows_true]]
    pelvis = [points[:, _HIPS].mean(1, keepdims=True) for points in joints]
    return dict(
        num_pred=len(pred.joints), num_true=len(true.joints), num_kids=int(kids.sum()), is_kid=kids[rows_true],
        mpjpe=mpjpe(*(points - root for points, root in zip(joints, pelvis))),
        mve=mpjpe(*(points[:, body_vertices] - root for points, root in zip(vertices, pelvis))))


def agora_metrics(records, parity=False):
    """Figures of many records of :func:`agora_record`, first of everyone, then (``kid_*``) of children alone.

    Predictions that match nobody count as false positives of both: a prediction has no age.

    Args:
        parity: rounded as the public evaluator prints, which also divides rounded errors by the rounded F1.

    Returns:
        dict: ``precision``, ``recall``, ``f1`` (%), ``mpjpe``, ``nmje``, ``mve``, ``nmve`` (mm), and ``kid_*``.
    """
    is_kid = pooled(records, 'is_kid', bool)
    errors = {name: pooled(records, name) for name in ('mpjpe', 'mve')}
    false_positives = total(records, 'num_pred') - len(is_kid)

    def figures(counted, num_true):
        found = int(counted.sum())
        scores = detection_scores(found, found + false_positives, num_true)
        means = {name: mean(values[counted]) for name, values in errors.items()}
        if parity:
            scores, means = rounded_scores(scores), rounded(means, 1)
        f1 = scores['f1'] / 100 or float('nan')
        normalised = dict(nmje=means['mpjpe'] / f1, nmve=means['mve'] / f1)
        return {**scores, **means, **(rounded(normalised, 1) if parity else normalised)}

    kids = figures(is_kid, total(records, 'num_kids'))
    return {**figures(np.ones_like(is_kid), total(records, 'num_true')),
            **{f'kid_{name}': value for name, value in kids.items()}}
