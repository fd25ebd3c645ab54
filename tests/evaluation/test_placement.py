import numpy as np
import pytest

from mmhuman_dto.evaluation.functional import PLACEMENT_METRICS, PlacedPeople, placement_metrics


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
