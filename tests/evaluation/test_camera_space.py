import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmhuman_dto.evaluation.functional.calibration import in_intervals
from mmhuman_dto.evaluation.functional.camera_space import camera_space_metrics, camera_space_record
from mmhuman_dto.evaluation.functional.cameras import fov_errors, vertical_fov
from mmhuman_dto.evaluation.functional.depth_order import PairCount, depth_order_by_gap
from mmhuman_dto.evaluation.functional.placement import PlacedPeople
from mmhuman_dto.evaluation.functional.translation import (
    pairwise_distance_errors,
    scaled_translation_errors,
    translation_errors,
)

PLACES = arrays(np.float64, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(1, 30))


def test_pairwise_distances_by_hand():
    true = [[0, 0, 2], [3, 4, 2], [0, 0, 5]]
    pred = [[0, 0, 2], [6, 8, 2], [0, 0, 4]]
    # Pairs 0-1, 0-2, 1-2: true 5, 3, sqrt(34); predicted 10, 2, sqrt(104).
    np.testing.assert_allclose(pairwise_distance_errors(pred, true), [5, 1, np.sqrt(104) - np.sqrt(34)])


@given(PLACES, st.floats(.2, 5))
def test_scale_of_the_scene_is_taken_out(places, factor):
    np.testing.assert_allclose(scaled_translation_errors(places * factor, places), 0, atol=1e-9)


@given(PLACES)
def test_moving_everybody_changes_no_distance(places):
    np.testing.assert_allclose(pairwise_distance_errors(places + [3., -2, 1], places), 0, atol=1e-9)


def test_scaled_translation_by_hand():
    # One person 2 times too far, the other right: r = 2, 1 -> scale 3 / 5; places 6, 3 -> 3.6 and 1.8 m.
    pred, true = [[0, 0, 6.], [0, 0, 3]], [[0, 0, 3.], [0, 0, 3]]
    np.testing.assert_allclose(scaled_translation_errors(pred, true), [.6, 1.2])
    np.testing.assert_allclose(translation_errors(pred, true), [3, 0])


def test_depth_order_by_gap():
    z_true = [2., 2.1, 2.6, 5.]
    z_pred = [2., 1.9, 3., 4.]
    # Gaps .1 (wrong), .6, 3, .5 (of 1 and 2), 2.9, 2.4: below .2; .2-.5; .5-1; 1-2; beyond.
    assert depth_order_by_gap(z_pred, z_true) == [
        PairCount(0, 1), PairCount(0, 0), PairCount(2, 2), PairCount(0, 0), PairCount(3, 3)]
    # A true tie has no order.
    assert depth_order_by_gap([1., 2.], [3., 3.], (0, 1)) == [PairCount(0, 0)]
    assert depth_order_by_gap([], []) == [PairCount(0, 0)] * 5


def test_fields_of_view():
    camera = np.array([[500., 0, 320], [0, 240, 240], [0, 0, 1]])
    assert vertical_fov(camera, 480) == pytest.approx(90)
    wide = camera.copy()
    wide[1, 1] = 240 / np.sqrt(3)
    np.testing.assert_allclose(fov_errors(np.stack([wide, camera]), camera, 480), [30, 0], atol=1e-12)


def test_intervals_by_hand():
    # Half of a Gaussian lies within .6745 sigma, nine tenths within 1.6449.
    inside = in_intervals(np.array([.67, .68, 1.64, 1.65, 0, 1]), np.array([1, 1, 1, 1, 0, 0]), np.zeros(6))
    assert inside.tolist() == [[True, True], [False, True], [False, True], [False, False], [True, True], [False, False]]


def test_calibrated_predictions_are_inside_as_often_as_they_say():
    rng = np.random.default_rng(0)
    true, std = rng.normal(size=20000), rng.uniform(.1, 3, 20000)
    inside = in_intervals(true + rng.normal(size=20000) * std, std, true, (.5, .9, .99))
    np.testing.assert_allclose(inside.mean(0), [.5, .9, .99], atol=.01)


@pytest.mark.parametrize('std, levels, message', [([-1.], [.5], '-1'), ([np.nan], [.5], 'nan'), ([1.], [1.5], '1.5')])
def test_impossible_uncertainty_is_refused(std, levels, message):
    with pytest.raises(ValueError, match=message):
        in_intervals([0.], std, [0.], levels)


TRUE = PlacedPeople(np.array([[0., 0, 2], [1, 0, 4], [0, 1, 5]]), np.array([1.8, 1.2, 1.7]))
PRED = PlacedPeople(np.array([[0., 0, 2.5], [1, 0, 5], [0, 1, 4]]), np.array([1.8, 1.5, 1.6]))


def test_metrics_by_hand():
    alone = camera_space_record(TRUE, TRUE, 0.)
    record = camera_space_record(PRED, TRUE, 6., depth_std=np.array([.4, .4, 2.]), height_std=np.full(3, .2))
    metrics = camera_space_metrics([record, alone])
    assert metrics['translation_error'] == pytest.approx(2.5 / 6)
    assert metrics['height_error'] == pytest.approx(.4 / 6)
    assert metrics['relative_depth_error'] == pytest.approx(100 * (.25 + .25 + .2) / 6)
    assert metrics['fov_error'] == 3
    assert metrics['pcdr'] == metrics['depth_order'] == pytest.approx(500 / 6)
    # Gaps 2, 3 and 1 m; the last pair is in the wrong order once.
    assert metrics['depth_order_1_2'] == 50 and metrics['depth_order_2_inf'] == 100
    assert np.isnan(metrics['depth_order_0_0.2'])
    # Depth errors .5, 1, 1 with .4, .4, 2: 50 % needs .27, .27, 1.35; 90 % .66, .66, 3.3.
    assert metrics['depth_coverage_50'] == pytest.approx(100 / 3)
    assert metrics['depth_coverage_90'] == pytest.approx(200 / 3)
    # Height errors 0, .3, .1 with .2: .135 and .33.
    assert (metrics['height_coverage_50'], metrics['height_coverage_90']) == (pytest.approx(200 / 3), 100)


def test_uncertainty_is_only_reported_where_it_is_predicted():
    assert not [name for name in camera_space_metrics([camera_space_record(PRED, TRUE, 0.)]) if 'coverage' in name]


def test_nobody():
    nobody = PlacedPeople(np.zeros((0, 3)), np.zeros(0))
    metrics = camera_space_metrics([camera_space_record(nobody, nobody, 2.)])
    assert metrics.pop('fov_error') == 2
    assert metrics and all(np.isnan(value) for value in metrics.values())
    assert all(np.isnan(value) for value in camera_space_metrics([]).values())
