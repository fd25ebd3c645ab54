"""How far people of one scene stand from where they should: errors a person, in m or relative.

Places (N, 3) and depths z (N,) are in m, camera frame, predicted and true ones of the same people in the same order.
"""
import numpy as np


def translation_errors(transl_pred, transl_true):
    """Distance (N,), m, between predicted and true place."""
    difference = _float(transl_pred) - _float(transl_true)
    return np.linalg.norm(difference.reshape(-1, 3), axis=-1)


def relative_depth_errors(z_pred, z_true):
    """``|z_pred - z_true| / z_true`` (N,), a ratio (0.05 = 5 per cent); ``z_true`` > 0."""
    z_true = _float(z_true)
    return np.abs(_float(z_pred) - z_true) / z_true


def scene_scale(z_pred, z_true):
    """The one factor on a scene's predicted depths that minimises its squared relative depth errors.

    With r = z_pred / z_true this is ``sum(r) / sum(r^2)``; 1 for an empty scene, and where everybody is predicted at
    depth 0. It takes out what a wrong focal length or a wrong overall size does to a scene and leaves how people stand
    to each other; a scene of one person fits exactly.
    """
    ratio = _float(z_pred) / _float(z_true)
    return float(ratio.sum() / (ratio * ratio).sum()) if ratio.any() else 1.0


def scaled_translation_errors(transl_pred, transl_true):
    """:func:`translation_errors` (N,), m, after the whole scene was scaled by its :func:`scene_scale`."""
    transl_pred, transl_true = (_float(transl).reshape(-1, 3) for transl in (transl_pred, transl_true))
    return translation_errors(transl_pred * scene_scale(transl_pred[:, 2], transl_true[:, 2]), transl_true)


def pairwise_distance_errors(transl_pred, transl_true):
    """Absolute error (N (N - 1) / 2,), m, of the distance between two people, for every pair."""
    def distances(transl):
        transl = _float(transl).reshape(-1, 3)
        first, second = np.triu_indices(len(transl), k=1)
        return np.linalg.norm(transl[first] - transl[second], axis=-1)

    return np.abs(distances(transl_pred) - distances(transl_true))


def _float(values):
    return np.asarray(values, dtype=np.float64)
