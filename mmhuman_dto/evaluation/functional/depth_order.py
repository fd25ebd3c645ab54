"""Who stands in front of whom: counts over the pairs of people of one image.

Every function takes one image's matched people and returns a :class:`PairCount`, so a metric keeps one record an
image and :func:`percent_right` pools the pairs of a data set. Depths are z (N,) of the same point of each person (the
pelvis, say) in m, camera frame, of the same people in the same order; margins are in m.
"""
from typing import NamedTuple

import numpy as np

#: Two people closer than this in z (m) share a depth layer (PCDR^0.2 of Relative Human, arXiv 2112.08274).
PCDR_MARGIN = 0.2


class PairCount(NamedTuple):
    """Pairs of people judged right, and all pairs judged."""
    right: int
    pairs: int


def percent_right(counts):
    """Per cent of right pairs of many :class:`PairCount`, pooled over pairs (not a mean of images); nan of no pair."""
    right, pairs = np.asarray(list(counts), dtype=np.int64).reshape(-1, 2).sum(0)
    return 100 * float(right) / pairs if pairs else float('nan')


def depth_order(z_pred, z_true):
    """Pairs whose nearer person is the right one, without any margin.

    Pairs at exactly the same true depth have no order and are left out; a predicted tie is wrong.
    """
    dz_pred, dz_true = _pair_differences(z_pred, z_true)
    ordered = dz_true != 0
    return _count(np.sign(dz_pred) == np.sign(dz_true), ordered)


def pcdr(z_pred, z_true, margin=PCDR_MARGIN):
    """Percentage of correct depth relations on true metric depths.

    The definition of Relative Human with the layers taken from the truth: a pair with ``|dz_true| < margin`` is
    level and right when ``|dz_pred| < margin``; any other pair is right when the order agrees and the predicted
    depths are at least ``margin`` apart. Equal to the truth therefore always counts right.
    """
    dz_pred, dz_true = _pair_differences(z_pred, z_true)
    return _count(_relation(dz_pred, margin) == _relation(dz_true, margin))


class LayerPairs(NamedTuple):
    """Pairs of people with known depth layers.

    ``people`` (K, 2) rows of both; ``order`` (K,) -1 where the first is in the nearer layer, 0 same layer, 1 farther;
    ``right`` (K,) whether the predicted depths say so.
    """
    people: np.ndarray
    order: np.ndarray
    right: np.ndarray


def layer_pairs(z_pred, layers, margin=PCDR_MARGIN):
    """The :class:`LayerPairs` of people on annotated depth layers (N,), 0 nearest (Relative Human, arXiv 2112.08274).

    Same layer: right when ``|dz_pred| < margin``; different layers: right when the nearer layer's person is more than
    ``margin`` nearer. People of an unknown layer (-1) are left out.
    """
    dz, order = _pair_differences(z_pred, layers)
    order = np.sign(order).astype(np.int64)
    right = np.where(order == 0, np.abs(dz) < margin, order * dz > margin)
    known = np.logical_and(*_pairs(np.asarray(layers) >= 0))
    return LayerPairs(np.stack(_pairs(np.arange(len(layers))), -1)[known], order[known], right[known])


def pcdr_layers(z_pred, layers, margin=PCDR_MARGIN):
    """Percentage of correct depth relations on annotated depth layers; pairs and arguments as :func:`layer_pairs`."""
    return _count(layer_pairs(z_pred, layers, margin).right)


#: Bounds (m) of the true distance in depth between two people, for :func:`depth_order_by_gap`.
GAP_EDGES = (0., .2, .5, 1., 2., np.inf)


def depth_order_by_gap(z_pred, z_true, edges=GAP_EDGES):
    """:func:`depth_order` of the pairs whose true distance in depth lies in [edges[i], edges[i + 1]), m: a list."""
    dz_pred, dz_true = _pair_differences(z_pred, z_true)
    right, gap = np.sign(dz_pred) == np.sign(dz_true), np.abs(dz_true)
    return [_count(right, (gap >= low) & (gap < high) & (gap > 0)) for low, high in zip(edges, edges[1:])]


def _relation(dz, margin):
    """-1 nearer, 0 level, 1 farther."""
    return np.sign(dz) * (np.abs(dz) >= margin)


def _pairs(values):
    first, second = np.triu_indices(len(values), k=1)
    return values[first], values[second]


def _pair_differences(z_pred, z_true):
    z_pred, z_true = (np.asarray(z, dtype=np.float64) for z in (z_pred, z_true))
    if z_pred.ndim != 1 or z_pred.shape != z_true.shape:
        raise ValueError(f'one depth a person and side is needed, got shapes {z_pred.shape} and {z_true.shape}')
    return tuple(np.subtract(*_pairs(z)) for z in (z_pred, z_true))


def _count(right, judged=None):
    judged = np.ones_like(right, dtype=bool) if judged is None else judged
    return PairCount(int((right & judged).sum()), int(judged.sum()))
