"""The public evaluators' pairing, against its rule told pair by pair."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.geometry.matching import match_greedily, match_people


def square(x, y, size=100.):
    return np.array([[x, y], [x + size, y], [x, y + size], [x + size, y + size]], dtype=float)


def overlap(first, second):
    """IoU of boxes whose sides are one pixel longer."""
    low, high = np.maximum(first.min(0), second.min(0)), np.minimum(first.max(0), second.max(0))
    shared = np.prod(np.maximum(high - low + 1, 0))
    areas = [np.prod(joints.max(0) - joints.min(0) + 1) for joints in (first, second)]
    return shared / (sum(areas) - shared)


def told(pred, true, visible, min_iou):
    pairs = sorted((np.linalg.svd((p[seen] - t[seen]), compute_uv=False)[0], i, j)
                   for i, p in enumerate(pred) for j, (t, seen) in enumerate(zip(true, visible)))
    made, turns = [], 0
    for _, i, j in pairs:
        if turns == len(pred) or len(made) == len(true):
            break
        if overlap(pred[i], true[j]) < min_iou:
            turns += 1
        elif i not in [a for a, _ in made] and j not in [b for _, b in made]:
            made.append((i, j))
            turns += 1
    return made


def pairs(matches):
    return list(zip(matches.pred.tolist(), matches.true.tolist()))


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 10**6), st.sampled_from([.05, .3]))
def test_same_as_the_rule(num_pred, num_true, seed, min_iou):
    rng = np.random.default_rng(seed)
    pred, true = (rng.uniform(0, 120, (n, 1, 2)) + rng.normal(size=(n, 6, 2)) * 25 for n in (num_pred, num_true))
    visible = rng.random((num_true, 6)) < .7
    visible[:, 0] = True
    assert pairs(match_greedily(pred, true, visible, min_iou)) == told(pred, true, visible, min_iou)


def test_a_failure_uses_up_a_turn():
    # Two joints, the second hidden at (-2, -2). The first prediction's hidden joint is far away, so its box is huge and
    # overlaps nobody's enough, although its visible joint is nearest to both people: two failures, as many as there are
    # predictions, end the search before the second prediction has its turn.
    visible = np.array([[True, False], [True, False]])
    true = np.array([[[60., 60], [-2, -2]], [[61, 61], [-2, -2]]])
    pred = np.array([[[60.5, 60], [9000, 9000]], [[70, 70], [0, 0]]])
    assert pairs(match_greedily(pred, true, visible, .05)) == []
    # A third prediction adds a turn; one person stays without.
    pred = np.concatenate([pred, pred[1:] + 5])
    assert pairs(match_greedily(pred, true, visible, .05)) == [(1, 1)]
    # The best assignment needs no turns.
    assert sorted(pairs(match_people(pred + 1e-3, true, visible, 0.))) in ([(0, 0), (1, 1)], [(0, 1), (1, 0)])


def test_greedy_takes_the_smallest_error_first():
    true = np.stack([square(0, 0), square(40, 0)])
    pred = np.stack([square(30, 0), square(75, 0)])
    everything = np.ones((2, 4), bool)
    assert pairs(match_greedily(pred, true, everything)) == [(0, 1)] + [(1, 0)]
    assert pairs(match_people(pred, true, everything)) == [(0, 0), (1, 1)]


@pytest.mark.parametrize('p, t', [(0, 0), (0, 2), (2, 0)])
def test_nobody(p, t):
    assert pairs(match_greedily(np.zeros((p, 5, 2)), np.zeros((t, 5, 2)), np.ones((t, 5), bool))) == []
