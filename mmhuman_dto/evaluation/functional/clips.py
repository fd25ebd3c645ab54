"""People through a clip against exact truth: who is who, where they are, how tall, how steady.

A person's values are those of all T frames of the clip, nan where it is not known to be.
"""
import numpy as np
from scipy.optimize import linear_sum_assignment

from mmhuman_dto.geometry.matching import Matches

from .depth_order import PairCount, pcdr, percent_right
from .heights import height_errors
from .motion import popping
from .summary import mean, pooled
from .translation import relative_depth_errors, translation_errors


def match_tracks(places_pred, places_true, distance):
    """Pair predicted with true tracks so that they are together in as many frames as possible.

    Args:
        places_pred: (P, T, 3) m, nan where a track is not. places_true: (Q, T, 3).
        distance: two tracks are together where they are nearer than this, m; a pair that never is is no match.

    Returns:
        :class:`Matches`, by ascending ``true``.
    """
    frames = np.zeros((len(places_pred), len(places_true)), int)
    for row, place in enumerate(places_pred):
        frames[row] = (np.linalg.norm(place - places_true, axis=-1) < distance).sum(-1)
    pred, true = linear_sum_assignment(-frames)
    kept = frames[pred, true] > 0
    order = np.argsort(true[kept])
    return Matches(pred[kept][order], true[kept][order])


def clip_record(roots_pred, roots_true, heights_pred, heights_true):
    """Compare the M people of a clip who were found.

    Args:
        roots_pred, roots_true: (M, T, 3) pelvis, m, camera frame.
        heights_pred, heights_true: (M, T) m, rest pose.

    Returns:
        dict: of all frames of people that both sides have ``place_error``, ``height_error_frames`` (F,) m and
        ``relative_depth_error`` (F,); ``pcdr`` (2,) right and judged pairs of all frames; of each person
        ``height_error`` (M,) m, of the median over its frames, and ``popping`` (M,) m.
    """
    both = np.isfinite(roots_pred).all(-1) & np.isfinite(roots_true).all(-1)
    pairs = [pcdr(*(roots[rows, frame, 2] for roots in (roots_pred, roots_true)))
             for frame, rows in enumerate(both.T)]
    people = [(height_errors(pred[rows], true[rows]), height_errors([np.median(pred[rows])], [np.median(true[rows])]))
              for pred, true, rows in zip(heights_pred, heights_true, both) if rows.any()]
    each, one = zip(*people) if people else ((np.zeros(0), ), (np.zeros(0), ))
    return dict(
        place_error=translation_errors(roots_pred[both], roots_true[both]),
        relative_depth_error=relative_depth_errors(roots_pred[both][:, 2], roots_true[both][:, 2]),
        pcdr=PairCount(*np.array(pairs, int).reshape(-1, 2).sum(0).tolist()),
        height_error_frames=np.concatenate(each), height_error=np.concatenate(one),
        popping=np.array([popping(pred[:, 2], true[:, 2], rows)
                          for pred, true, rows in zip(roots_pred, roots_true, both)]))


def clip_metrics(records):
    """Figures of many records of :func:`clip_record`: means over frames of people, or over people; ``pcdr`` in %, as
    is ``relative_depth_error``, else m; ``popping`` of those who are in two frames one after the other."""
    figures = {name: mean(pooled(records, name)) for name in (
        'place_error', 'relative_depth_error', 'height_error', 'height_error_frames')}
    figures['relative_depth_error'] *= 100
    jumps = pooled(records, 'popping')
    return dict(figures, popping=mean(jumps[np.isfinite(jumps)]),
                pcdr=percent_right(record['pcdr'] for record in records))
