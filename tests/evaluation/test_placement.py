import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.evaluation.functional.placement import PLACEMENT_METRICS, PlacedPeople, placement_metrics
from mmhuman_dto.evaluation.functional.translation import relative_depth_errors, scene_scale


def people(z, heights):
    return PlacedPeople(np.stack([np.zeros(len(z)), np.zeros(len(z)), np.asarray(z, float)], 1), np.asarray(heights))


TRUTH = people([2., 4., 5.], [1.8, 1.2, 1.7])


def test_known_errors():
    # 2 -> 2.5 (+25 %), 4 -> 5 (+25 %), 5 -> 4 (-20 %): the last two swap.
    alone = people([3.], [1.]), people([4.], [1.])
    metrics = placement_metrics([(people([2.5, 5., 4.], [1.8, 1.5, 1.6]), TRUTH), alone])
    assert metrics.keys() == PLACEMENT_METRICS.keys()
    assert metrics['depth_order'] == metrics['pcdr'] == pytest.approx(200 / 3)
    assert metrics['relative_depth_error'] == pytest.approx(100 * (.25 + .25 + .2 + .25) / 4)
    assert metrics['translation_error'] == pytest.approx((.5 + 1 + 1 + 1) / 4)
    assert metrics['height_error'] == pytest.approx((0 + .3 + .1 + 0) / 4)


def test_scale_is_taken_out_image_by_image():
    scenes = [(people(TRUTH.roots[:, 2] * factor, TRUTH.heights), TRUTH) for factor in (.5, 3.)]
    metrics = placement_metrics(scenes)
    assert metrics['relative_depth_error_scaled'] == pytest.approx(0, abs=1e-9)
    assert metrics['relative_depth_error'] == pytest.approx(125)


def test_truth_is_perfect():
    metrics = placement_metrics([(TRUTH, TRUTH)])
    assert all(metrics[name] == (100 if more else 0) for name, (_, _, more) in PLACEMENT_METRICS.items())


def test_nobody_anywhere():
    assert all(np.isnan(v) for v in placement_metrics([]).values())
    assert all(np.isnan(v) for v in placement_metrics([(people([], []), people([], []))]).values())
    assert relative_depth_errors([], []).shape == (0, ) and scene_scale([], []) == 1


@given(st.lists(st.tuples(st.floats(1, 20), st.floats(.5, 2)), min_size=1, max_size=8), st.floats(.5, 2))
def test_no_other_scale_is_better(people, other):
    z_true, ratio = np.array(people).T
    squares = [(relative_depth_errors(s * z_true * ratio, z_true)**2).sum()
               for s in (scene_scale(z_true * ratio, z_true), other)]
    assert squares[0] <= squares[1] + 1e-12
