import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmhuman_dto.evaluation.functional.depth_order import PairCount, depth_order, pcdr, pcdr_layers, percent_right

DEPTHS = arrays(np.float64, st.integers(0, 12), elements=st.floats(0.5, 50))


def test_depth_order_counts_inverted_pairs():
    # true order 0 < 1 < 2 < 3; the prediction swaps 1 and 2 only.
    assert depth_order([1., 3., 2., 4.], [1., 2., 3., 4.]) == PairCount(5, 6)


def test_depth_order_leaves_true_ties_out_and_counts_predicted_ties_wrong():
    assert depth_order([1., 2., 3.], [5., 5., 6.]) == PairCount(2, 2)
    assert depth_order([2., 2.], [1., 3.]) == PairCount(0, 1)


def test_pcdr_needs_the_margin():
    z_true = [2.0, 2.1, 3.0]
    assert pcdr([2.0, 2.1, 3.0], z_true) == PairCount(3, 3)
    # The order is right everywhere, but the level pair is 0.5 m apart and the last two only 0.1 m.
    assert pcdr([2.0, 2.5, 2.6], z_true) == PairCount(1, 3)
    # Order inverted by more than the margin is wrong, not level.
    assert pcdr([4.0, 4.0, 3.0], z_true) == PairCount(1, 3)


def test_pcdr_layers_follows_relative_human():
    layers = [0, 0, 1, -1]
    # 0-1 level and 0.1 apart: right; 0-2 0.3 apart: right; 1-2 under 0.2 apart: wrong; the unknown one is left out.
    assert pcdr_layers([2.0, 2.1, 2.29, 9.0], layers) == PairCount(2, 3)
    assert pcdr_layers([2.0, 2.0, 1.0, 9.0], layers) == PairCount(1, 3)


def test_percent_pools_pairs_not_images():
    assert percent_right([PairCount(1, 1), PairCount(0, 3)]) == 25.0


def test_unequal_people_are_refused():
    with pytest.raises(ValueError, match=r'\(2,\) and \(3,\)'):
        depth_order([1, 2], [1, 2, 3])


@given(DEPTHS)
def test_truth_itself_is_always_right(z):
    for metric in (depth_order, pcdr):
        count = metric(z, z)
        assert count.right == count.pairs


@given(DEPTHS, st.floats(0.1, 10))
def test_order_does_not_depend_on_scale(z, factor):
    z_pred = z[::-1]
    assert depth_order(z_pred * factor, z) == depth_order(z_pred, z)


@given(DEPTHS, st.randoms())
def test_counts_do_not_depend_on_the_order_of_people(z, random):
    z_pred, order = z[::-1] * 1.1, list(range(len(z)))
    random.shuffle(order)
    for metric in (depth_order, pcdr):
        assert metric(z_pred[order], z[order]) == metric(z_pred, z)
