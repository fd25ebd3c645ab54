"""The figures of a placement of people in camera space against the exact truth, over many images."""
from typing import NamedTuple

import numpy as np

from .depth_order import depth_order, pcdr, percent_right
from .heights import height_errors
from .summary import mean
from .translation import relative_depth_errors, scene_scale, translation_errors

#: What :func:`placement_metrics` gives: name -> (what it is, unit, whether more is better).
PLACEMENT_METRICS = {
    'pcdr': ('depth relations right, 0.2 m margin (PCDR)', '%', True),
    'depth_order': ('pairs in the right depth order', '%', True),
    'relative_depth_error': ('relative depth error', '%', False),
    'relative_depth_error_scaled': ('relative depth error, each image best scaled', '%', False),
    'translation_error': ('distance from the true place', 'm', False),
    'height_error': ('height error', 'm', False),
}


class PlacedPeople(NamedTuple):
    """People of one image: ``roots`` (N, 3) pelvis joints, m, camera frame; ``heights`` (N,) m, rest pose."""
    roots: np.ndarray
    heights: np.ndarray


def placement_metrics(scenes):
    """A float for each of ``PLACEMENT_METRICS``, in its unit, of many scenes; nan where there is nobody (or no pair).

    Scenes are (predicted, true) :class:`PlacedPeople`, the same people in the same order. Pairs are of people of one
    image, everything else is a mean over people.
    """
    scenes = [(pred, true, pred.roots[:, 2], true.roots[:, 2]) for pred, true in scenes]
    return dict(
        pcdr=percent_right(pcdr(z_pred, z_true) for _, _, z_pred, z_true in scenes),
        depth_order=percent_right(depth_order(z_pred, z_true) for _, _, z_pred, z_true in scenes),
        relative_depth_error=100 * _mean(relative_depth_errors(z_pred, z_true) for _, _, z_pred, z_true in scenes),
        relative_depth_error_scaled=100 * _mean(
            relative_depth_errors(z_pred * scene_scale(z_pred, z_true), z_true) for _, _, z_pred, z_true in scenes),
        translation_error=_mean(translation_errors(pred.roots, true.roots) for pred, true, _, _ in scenes),
        height_error=_mean(height_errors(pred.heights, true.heights) for pred, true, _, _ in scenes))


def _mean(errors):
    return mean(np.concatenate([np.zeros(0), *errors]))
