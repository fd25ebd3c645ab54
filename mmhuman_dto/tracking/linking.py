"""Who came back: tracklets of one person joined over the gaps between them."""
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .appearance import colour_distance
from .motion import disagreement, predict, reversed_in_time
from .seeing import BOX_SPEED, PLACE_SPEED, scaled
from .tracks import Tracks


@dataclass
class Tracklet:
    """A stretch of frames in which somebody was followed.

    Attributes:
        number: its number. shot: of the video's, from one into another nobody is followed.
        begin, end: s. hits: frames in which it was seen. score: mean of these.
        head: :class:`~.tracks.Tracks` of one row, what is known at ``begin`` of the frames after it, time reversed.
        tail: the same at ``end``, of those before it.
    """
    number: int
    shot: int
    begin: float
    end: float
    hits: int
    score: float
    head: Tracks
    tail: Tracks


@dataclass(frozen=True)
class LinkConfig:
    """Weights as in :class:`~.cost.CostConfig`, of guesses of places and velocities from both sides of a gap.

    On clips of moving crowds 98 % of the same person's costs are below 15, and 99 % of others' above (those of
    ``tools/benchmark/bench_tracking.py`` with the seeds 511 and 930).
    """
    place: float = 1.
    box: float = .25
    height: float = 1.
    height_std: float = .05
    height_neutral: float = .08
    height_most: float = 4.
    colour: float = 16.
    colour_neutral: float = .3
    limit: float = 17.


def link(tracklets, max_gap=2., config=LinkConfig()):  # noqa: B008 - frozen
    """Join tracklets over gaps so that the sum of the costs of all joints is least.

    Args:
        tracklets: list of :class:`Tracklet`.
        max_gap: s that somebody may be out of sight.

    Returns:
        dict: number of each tracklet -> number of the first one of the same person.
    """
    before, after = _candidates(tracklets, max_gap)
    costs = _costs(tracklets, before, after, config)
    kept = costs < config.limit
    first = {tracklet.number: tracklet.number for tracklet in tracklets}
    pairs = _best_pairs(before[kept], after[kept], costs[kept], config.limit, len(tracklets))
    for one, other in sorted(pairs, key=lambda pair: tracklets[pair[1]].begin):
        first[tracklets[other].number] = first[tracklets[one].number]
    return first


def _candidates(tracklets, max_gap):
    """Indices (P), (P) of pairs of which the second begins after the first ends, soon and in the same shot."""
    begins, ends, shots = (np.array([getattr(tracklet, name) for tracklet in tracklets])
                           for name in ('begin', 'end', 'shot'))
    order = np.argsort(begins, kind='stable')
    low = np.searchsorted(begins[order], ends, side='right')
    high = np.searchsorted(begins[order], ends + max_gap + 1e-9, side='right')
    before = np.repeat(np.arange(len(tracklets)), high - low)
    after = order[np.concatenate([np.arange(a, b) for a, b in zip(low, high)] or [[]]).astype(int)]
    same = shots[before] == shots[after] if len(before) else np.zeros(0, bool)
    return before[same], after[same]


def _costs(tracklets, before, after, config):
    """(P) costs of joining the pairs."""
    tails, heads = ([getattr(tracklets[i], name) for i in rows] for name, rows in (('tail', before), ('head', after)))
    tails, heads = sum(tails, Tracks.nobody()), sum(heads, Tracks.nobody())
    gaps = np.array([tracklets[b].begin - tracklets[a].end for a, b in zip(before, after)])
    costs = np.zeros(len(before))
    for weight, now, then, speeds in (
            (config.place, tails.place, heads.place, np.broadcast_to(PLACE_SPEED, (len(before), 3))),
            (config.box, tails.box, heads.box, scaled(BOX_SPEED, tails.box_mean))):
        costs += weight * np.nan_to_num(disagreement(predict(now, gaps, speeds), reversed_in_time(then)))
    difference = np.square(tails.log_heights - heads.log_heights) - config.height_neutral**2
    costs += config.height * np.nan_to_num(np.minimum(difference / (2 * config.height_std**2), config.height_most))
    colours = np.array([colour_distance(a[None], b[None])[0, 0] for a, b in zip(tails.colours, heads.colours)])
    return costs + config.colour * np.nan_to_num(colours - config.colour_neutral)


def _best_pairs(before, after, costs, limit, count):
    """(index, index) of the joined ones: each goes on in at most one, and comes from at most one."""
    ends = coo_array((np.ones(len(before)), (before, count + after)), shape=(2 * count, 2 * count))
    groups = connected_components(ends, directed=False)[1]
    for group in np.unique(groups[before]):
        mine = groups[before] == group
        rows, row = np.unique(before[mine], return_inverse=True)
        columns, column = np.unique(after[mine], return_inverse=True)
        table = np.full((len(rows), len(columns)), limit)
        table[row, column] = costs[mine]
        for i, j in zip(*linear_sum_assignment(table)):
            if table[i, j] < limit:
                yield rows[i], columns[j]
