"""People in camera space against exact truth: places, distances, order in depth, heights, cameras, uncertainties."""
import numpy as np

from .calibration import LEVELS, in_intervals
from .depth_order import GAP_EDGES, depth_order_by_gap, pcdr, percent_right
from .heights import height_errors
from .summary import mean, pooled
from .translation import pairwise_distance_errors, relative_depth_errors, scaled_translation_errors, translation_errors

_ERRORS = ('translation_error', 'scaled_translation_error', 'pairwise_distance_error', 'relative_depth_error',
           'height_error', 'fov_error')
#: Quantities whose uncertainty is checked where it is predicted.
UNCERTAIN = ('depth', 'height')


def camera_space_record(pred, true, fov_error, depth_std=None, height_std=None):
    """Compare the people found in one image.

    Args:
        pred, true: :class:`PlacedPeople`, the same M people in the same order.
        fov_error: degrees.
        depth_std, height_std: (M,) m, predicted standard deviations of ``roots`` z and of ``heights``, or None.

    Returns:
        dict: ``translation_error``, ``scaled_translation_error`` (the scene scaled as a whole), ``height_error`` (M,)
        m, ``relative_depth_error`` (M,), ``pairwise_distance_error`` (M (M - 1) / 2,) m, ``fov_error`` (1,),
        ``depth_order`` (gaps, 2) and ``pcdr`` (2,): right and judged pairs, ``depth_inside``, ``height_inside``
        (M or 0, levels): whether the truth is in the interval of each of ``LEVELS``.
    """
    z_pred, z_true = pred.roots[:, 2], true.roots[:, 2]
    stated = dict(depth=(z_pred, depth_std, z_true), height=(pred.heights, height_std, true.heights))
    inside = {f'{name}_inside': np.zeros((0, len(LEVELS)), bool) if values[1] is None else in_intervals(*values)
              for name, values in stated.items()}
    return dict(
        translation_error=translation_errors(pred.roots, true.roots),
        scaled_translation_error=scaled_translation_errors(pred.roots, true.roots),
        pairwise_distance_error=pairwise_distance_errors(pred.roots, true.roots),
        relative_depth_error=relative_depth_errors(z_pred, z_true),
        height_error=height_errors(pred.heights, true.heights), fov_error=np.array([fov_error]),
        depth_order=np.array(depth_order_by_gap(z_pred, z_true)), pcdr=np.array(pcdr(z_pred, z_true)), **inside)


def camera_space_metrics(records):
    """Figures of many records of :func:`camera_space_record`: means over people, pairs or (field of view) images.

    Returns:
        dict: the errors (m; ``relative_depth_error`` %; ``fov_error`` degrees), ``pcdr`` and ``depth_order`` (% of
        pairs), ``depth_order_0.2_0.5`` and so on: the latter of pairs that are so far apart in depth (m), and for
        quantities with predicted uncertainty ``depth_coverage_50`` and so on: % of the truth in that central interval.
    """
    figures = {name: mean(pooled(records, name)) for name in _ERRORS}
    figures['relative_depth_error'] *= 100
    figures['pcdr'] = percent_right(record['pcdr'] for record in records)
    figures['depth_order'] = percent_right(gap for record in records for gap in record['depth_order'])
    for i, (low, high) in enumerate(zip(GAP_EDGES, GAP_EDGES[1:])):
        name = f'depth_order_{low:g}_{high:g}'
        figures[name] = percent_right(record['depth_order'][i] for record in records)
    for name in UNCERTAIN:
        inside = np.concatenate([np.zeros((0, len(LEVELS))), *(record[f'{name}_inside'] for record in records)])
        if len(inside):
            figures.update({f'{name}_coverage_{100 * level:g}': 100 * share
                            for level, share in zip(LEVELS, inside.mean(0).tolist())})
    return figures
