"""Kalman filters of people: the laws they obey, and numbers from known ways."""
import numpy as np
import pytest

from mmhuman_dto.tracking.motion import STEADY, Motion, begin, disagreement, predict, reversed_in_time, surprise, update

SPEEDS = np.array([[1., .5, 1.], [1., .5, 1.]])


@pytest.fixture
def motion():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((2, 6, 6))
    return Motion(rng.standard_normal((2, 6)), root @ root.swapaxes(1, 2))


def test_two_steps_are_one(motion):
    once, twice = predict(motion, 1.3, SPEEDS), predict(predict(motion, .4, SPEEDS), .9, SPEEDS)
    np.testing.assert_allclose(once.mean, twice.mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(once.cov, twice.cov, rtol=0, atol=1e-12)


def test_each_may_have_its_own_time(motion):
    both = predict(motion, np.array([.4, 1.3]), SPEEDS)
    for row, seconds in enumerate((.4, 1.3)):
        np.testing.assert_allclose(both.cov[row], predict(motion, seconds, SPEEDS).cov[row], rtol=1e-12)
        np.testing.assert_allclose(both.mean[row], predict(motion, seconds, SPEEDS).mean[row], rtol=1e-12)


def test_velocity_lasts_for_a_while_and_its_spread_is_the_speed():
    sure = Motion(np.array([[0, 0, 0, 1., 0, 0]]), np.zeros((1, 6, 6)))
    soon, late = predict(sure, .1, SPEEDS[:1]), predict(sure, 100., SPEEDS[:1])
    assert soon.mean[0, 0] == pytest.approx(STEADY * (1 - np.exp(-.1 / STEADY)))
    # White acceleration of spectral density 2 speed^2 / STEADY: variance of the place t^3 / 3 of it.
    assert soon.cov[0, 0, 0] == pytest.approx(2 / STEADY * .1**3 / 3, rel=.05)
    assert late.mean[0, 0] == pytest.approx(STEADY)
    np.testing.assert_allclose(np.diag(late.cov[0])[3:], [1, .25, 1], rtol=1e-9)


def test_filter_finds_the_velocity_of_a_straight_way():
    noise = np.eye(3)[None] * .01**2
    motion = begin(np.array([[0., 0, 5]]), noise, SPEEDS[:1])
    for frame in range(1, 61):
        motion = update(predict(motion, 1 / 30, SPEEDS[:1]), np.array([[1.2, 0, -.6]]) * frame / 30 + [0, 0, 5], noise)
    np.testing.assert_allclose(motion.mean[0, 3:], [1.2, 0, -.6], atol=.05)
    np.testing.assert_allclose(motion.places[0], [2.4, 0, 3.8], atol=.01)


def test_unknown_places_change_nothing(motion):
    places = np.array([[np.nan] * 3, [1, 2, 3]])
    new = update(motion, places, np.tile(np.eye(3), (2, 1, 1)))
    np.testing.assert_array_equal(new.mean[0], motion.mean[0])
    np.testing.assert_allclose(new.cov[0], motion.cov[0])
    assert np.abs(new.mean[1] - motion.mean[1]).max() > .1
    distance, cost = surprise(motion, places, np.tile(np.eye(3), (2, 1, 1)))
    assert np.isnan(distance[:, 0]).all() and np.isnan(cost[:, 0]).all() and np.isfinite(cost[:, 1]).all()


def test_one_place_far_off_moves_little():
    """A metre beside the way after a second on it; by the normal distribution it would move by a tenth of it."""
    noise = np.eye(3)[None] * .05**2
    motion = begin(np.array([[0., 0, 5]]), noise, SPEEDS[:1])
    for _ in range(30):
        motion = update(predict(motion, 1 / 30, SPEEDS[:1]), np.array([[0., 0, 5]]), noise)
    near, far = (update(motion, np.array([[off, 0., 5]]), noise).places[0, 0] for off in (.05, 1.))
    assert .005 < near < .03
    assert far < .05


def test_surprise_by_hand():
    motion = Motion(np.array([[1., 2, 3, 0, 0, 0]]), np.diag([3., 3, 3, 1, 1, 1])[None])
    distance, cost = surprise(motion, np.array([[3., 2, 3]]), np.eye(3)[None])
    assert distance[0, 0] == pytest.approx(4 / 4)
    # Student's t of four degrees of freedom in three dimensions, whose scale's volume is four times 1 in each.
    assert cost[0, 0] == pytest.approx(7 / 2 * np.log(1 + 1 / 4) + 3 / 2 * np.log(4))


def test_a_way_and_its_reverse_agree_where_they_meet():
    """Forwards up to 1 s and backwards from 2 s on, at one speed: no distance after the second between."""
    cov = np.eye(6)[None] * .01
    past = Motion(np.array([[1., 0, 5, 1, 0, 0]]), cov)
    future = Motion(np.array([[1 + STEADY * (1 - np.exp(-1 / STEADY)), 0, 5, -np.exp(-1 / STEADY), 0, 0]]), cov)
    there, turned = predict(past, 1., SPEEDS[:1]), reversed_in_time(future)
    wide = np.linalg.slogdet(there.cov + cov)[1] - np.linalg.slogdet(cov)[1]
    np.testing.assert_allclose(disagreement(there, turned), wide / 2, atol=1e-9)
    assert disagreement(there, future)[0] > wide[0] / 2 + 1
