"""The smoother that video is compared with: against least squares over the whole path, and numbers that are known."""
import numpy as np
import pytest
from scripts import load_script

kalman = load_script('tools/benchmark/_kalman.py')
NOISE = kalman.Noise(acceleration=1.2, along=.05, across=.01)


def paths(people=2, frames=40, seed=0, noise=NOISE):
    """Times (T), true places and noisy ones (N, T, 3) of people who walk as the smoother believes."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(.02, .05, frames))
    true = np.zeros((people, frames, 3))
    for person in true:
        state = np.array([rng.normal(), 0, 5., *rng.normal(0, 1, 3)])
        for t in range(frames):
            if t:
                state = kalman._move(times[t] - times[t - 1]) @ state + rng.multivariate_normal(
                    np.zeros(6), kalman._drift(times[t] - times[t - 1], noise.acceleration))
            person[t] = state[:3]
    distance = np.linalg.norm(true, axis=-1, keepdims=True)
    ray = true / distance
    shake = rng.normal(size=true.shape)
    along = (shake * ray).sum(-1, keepdims=True) * ray
    return times, true, true + distance * (noise.along * along + noise.across * (shake - along))


def least_squares(times, places, noise):
    """The same by one solve over all states of a person at once."""
    frames = len(times)
    covariances = kalman._seen_covariances(places[None], noise)[0]
    precision, right = np.zeros((6 * frames, 6 * frames)), np.zeros(6 * frames)
    first = int(np.flatnonzero(np.isfinite(places[:, 0]))[0])
    rows = slice(6 * first + 3, 6 * first + 6)
    precision[rows, rows] += np.eye(3) / kalman.SPEED**2
    for t in range(frames):
        if np.isfinite(places[t, 0]):
            rows, weight = slice(6 * t, 6 * t + 3), np.linalg.inv(covariances[t])
            precision[rows, rows] += weight
            right[rows] += weight @ places[t]
    for t in range(frames - 1):
        step = times[t + 1] - times[t]
        jacobian = np.concatenate([-kalman._move(step), np.eye(6)], 1)
        rows = slice(6 * t, 6 * t + 12)
        precision[rows, rows] += jacobian.T @ np.linalg.inv(kalman._drift(step, noise.acceleration)) @ jacobian
    return np.linalg.solve(precision, right).reshape(frames, 6)[:, :3]


def test_the_smoother_is_least_squares_over_the_whole_path():
    times, _, seen = paths()
    seen[0, 12:15] = np.nan  # somebody is lost and found again
    found = kalman.smooth(times, seen, NOISE)
    for mine, places in zip(found, seen):
        expected = least_squares(times, places, NOISE)
        known = np.isfinite(places[:, 0])
        np.testing.assert_allclose(mine[known], expected[known], atol=1e-7)
        assert np.isnan(mine[~known]).all()


def test_people_come_and_go():
    times, _, seen = paths()
    seen[0, :10] = np.nan
    seen[1, 30:] = np.nan
    found = kalman.smooth(times, seen, NOISE)
    np.testing.assert_allclose(found[0, 10:], kalman.smooth(times[10:], seen[:1, 10:], NOISE)[0], atol=1e-9)
    np.testing.assert_allclose(found[1, :30], kalman.smooth(times[:30], seen[1:, :30], NOISE)[0], atol=1e-9)
    assert np.isnan(found[0, :10]).all() and np.isnan(found[1, 30:]).all()
    assert np.isnan(kalman.smooth(times, np.full_like(seen, np.nan), NOISE)).all()


def test_the_camera_may_be_elsewhere():
    times, _, seen = paths()
    away = np.array([3., -1, 7])
    found = kalman.smooth(times, seen + away, NOISE, rays=seen)
    np.testing.assert_allclose(found, kalman.smooth(times, seen, NOISE) + away, atol=1e-9)


def test_noise_is_found():
    clips = [(times, seen, None) for times, _, seen in (paths(4, 60, seed) for seed in range(3))]
    found = kalman.fit_noise(clips)
    for name, value in NOISE._asdict().items():
        assert getattr(found, name) == pytest.approx(value, rel=.3), name
    times, true, seen = paths(4, 60, 9)
    before, after = (np.linalg.norm(part - true, axis=-1).mean() for part in (seen, kalman.smooth(times, seen, found)))
    assert after < .6 * before
