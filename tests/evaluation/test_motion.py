"""Accelerations, jitter, feet and jumps of motions whose derivatives are known."""
import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.motion import (
    EMDB_ZEROED,
    FOOT_POINTS,
    acceleration_errors,
    derivatives,
    foot_sliding,
    jitter,
    popping,
)

TIMES = np.arange(90) / 30


def swing(times, amplitude, rate, points=24):
    """(T, K, 3): along x, amplitude m, rate rad/s."""
    wave = np.zeros((len(times), points, 3))
    wave[..., 0] = amplitude * np.sin(rate * times)[:, None]
    return wave


def test_derivatives_of_a_cubic_are_exact_on_uneven_frames():
    times = np.sort(np.random.default_rng(0).uniform(0, 2, 40))
    cubic = (1 + 2 * times - 3 * times**2 + 4 * times**3)[:, None, None] * np.ones((2, 3))
    np.testing.assert_allclose(derivatives(cubic, times, 3), 24, rtol=1e-4)
    middle = (times[2:] + times[1:-1] + times[:-2]) / 3
    np.testing.assert_allclose(derivatives(cubic, times, 2)[:, 0, 0], -6 + 24 * middle, rtol=1e-6, atol=1e-4)


def test_a_constant_error_has_no_acceleration():
    true = np.random.default_rng(0).normal(0, 1, (90, 24, 3))
    assert acceleration_errors(true + [.3, 0, -2], true, TIMES).max() < 1e-8
    assert acceleration_errors(true + TIMES[:, None, None], true, TIMES).max() < 1e-8


def test_a_swing_of_known_acceleration():
    """An error of a sin(w t) has the acceleration a w^2 |sin(w t)|, on average 2 / pi of its largest."""
    rate, amplitude, times = 2 * np.pi, .05, np.arange(301) / 30
    errors = acceleration_errors(swing(times, amplitude, rate), swing(times, 0, rate), times)
    # The second difference of a sine is that of the sine times 2 (1 - cos(w h)) / h^2.
    exact = amplitude * 2 * (1 - np.cos(rate / 30)) * 900 * np.abs(np.sin(rate * times[1:-1]))
    np.testing.assert_allclose(errors, exact, atol=1e-9)
    assert errors.mean() == pytest.approx(2 / np.pi * amplitude * rate**2, rel=.01)


def test_one_joint_of_all_and_the_pelvis():
    true = np.zeros((90, 24, 3))
    pred = true.copy()
    pred[:, 5, 1] = .5 * 6 * TIMES**2
    assert acceleration_errors(pred, true, TIMES) == pytest.approx(6 / 24)
    assert acceleration_errors(pred, true, TIMES, root=0) == pytest.approx(6 / 24)
    assert acceleration_errors(pred, true, TIMES, root=5) == pytest.approx(6 * 23 / 24)


def test_only_frames_that_follow_each_other_count():
    pred = swing(TIMES, .1, 5.)
    valid = np.ones(90, bool)
    valid[[20, 60]] = False
    pred[~valid] = np.nan
    errors = acceleration_errors(pred, np.zeros_like(pred), TIMES, valid)
    assert len(errors) == 88 - 6 and np.isfinite(errors).all()
    assert len(jitter(pred, TIMES, valid)) == 87 - 8
    for count in range(4):
        assert len(jitter(pred[:count], TIMES[:count])) == max(count - 3, 0)


def test_jitter_of_a_cubic_path():
    """x = 2 t^3 m has the third derivative 12 m/s^3: 1.2 in units of 10 m/s^3."""
    points = np.zeros((90, 24, 3))
    points[:, :, 2] = 2 * TIMES[:, None]**3
    np.testing.assert_allclose(jitter(points, TIMES), 1.2, rtol=1e-6)
    fps = 30
    third = points[3:] - 3 * points[2:-1] + 3 * points[1:-2] - points[:-3]
    np.testing.assert_allclose(jitter(points, TIMES), np.linalg.norm(third * fps**3, axis=-1).mean(-1) / 10)
    np.testing.assert_allclose(jitter(points, TIMES, parity=True), 1.2 * (24 - len(EMDB_ZEROED)) / 24, rtol=1e-6)
    assert points[-1, 0, 2] > 0  # what came in stays


def feet(*speeds, times=TIMES):
    """(T, 4, 3) points that move along x with speeds in m/s."""
    points = np.zeros((len(times), 4, 3))
    points[..., 0] = np.array(speeds) * times[:, None]
    return points


def test_feet_that_should_stand():
    """The first two stand (below .3 m/s, 1 cm in a thirtieth of a second), the others move."""
    true, pred = feet(0, .29, .31, 2), feet(.6, .3, 5, 5)
    slid = foot_sliding(pred, true, TIMES)
    assert len(slid) == 2 * 89
    assert sorted(set(np.round(slid, 6))) == [10, 20]
    assert len(foot_sliding(pred, feet(1, 1, 1, 1), TIMES)) == 0
    moved = pred + [0, 3, 0]
    np.testing.assert_allclose(foot_sliding(moved, true, TIMES), slid)


@pytest.mark.parametrize('times', [np.arange(45) / 15, np.sort(np.random.default_rng(1).uniform(0, 3, 60))])
def test_feet_at_other_rates(times):
    """Speeds decide, not frames: 1.2 cm in 1/15 s is standing, and slides are those of 1/30 s."""
    slid = foot_sliding(feet(.6, .3, 5, 5, times=times), feet(0, .18, .31, 2, times=times), times)
    assert len(slid) == 2 * (len(times) - 1)
    assert sorted(set(np.round(slid, 6))) == [10, 20]


def test_the_points_of_feet_are_the_four_vertices_of_smpl():
    vertex_ids = pytest.importorskip('smplx.vertex_ids').vertex_ids['smplh']
    short = {'left_big_toe': 'LBigToe', 'left_heel': 'LHeel', 'right_big_toe': 'RBigToe', 'right_heel': 'RHeel'}
    assert [vertex_ids[short[name]] for name in FOOT_POINTS] == [3216, 3387, 6617, 6787]


def test_popping():
    true = np.array([4, 4.1, 4.2, 4.3, 4.4, 4.5])
    pred = true + [1, 1, 1.5, 1.5, 1.2, 1.2]
    assert popping(pred, true) == pytest.approx(.5)
    assert popping(true + 3, true) == pytest.approx(0)
    # The jump is between frames of which one does not count.
    assert popping(pred, true, [True, True, False, True, True, True]) == pytest.approx(.3)
    assert np.isnan(popping(pred[:1], true[:1])) and np.isnan(popping(pred, true, [True, False] * 3))
