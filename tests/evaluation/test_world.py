"""Paths through the world against truth that is moved, scaled and bent by known amounts."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmhuman_dto.evaluation.functional.world import (
    egocentric_velocity_errors,
    root_trajectory_errors,
    w_mpjpe,
    wa_mpjpe,
)

FRAMES = 250


def walk(frames=FRAMES, seed=0):
    """Joints (T, 24, 3) of somebody who walks a bend, m."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / 30
    path = np.stack([1.4 * time, .02 * np.sin(9 * time), .5 * np.sin(time)], -1)
    return path[:, None] + rng.normal(0, .3, (24, 3)) + .05 * np.sin(3 * time[:, None, None] + rng.normal(size=(24, 3)))


def moved(points, seed=1, scale=1.):
    rng = np.random.default_rng(seed)
    return scale * points @ Rotation.random(random_state=seed).as_matrix().T + rng.normal(0, 5, 3)


def test_another_world_is_no_error():
    true = walk()
    for scale in (1., .4):
        assert w_mpjpe(moved(true, scale=scale), true).max() < 1e-6
        assert wa_mpjpe(moved(true, scale=scale), true).max() < 1e-6
    assert root_trajectory_errors(moved(true)[:, 0], true[:, 0]).max() < 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(.2, 5))
def test_figures_do_not_depend_on_the_world(seed, scale):
    """W- and WA-MPJPE take out any similarity motion, RTE any rigid one; the truth's scale stays in millimetres."""
    true = walk(60)
    pred = true + np.random.default_rng(seed).normal(0, .05, true.shape)
    for figure in (w_mpjpe, wa_mpjpe):
        np.testing.assert_allclose(figure(moved(pred, seed, scale), true), figure(pred, true), rtol=1e-6)
        np.testing.assert_allclose(figure(pred, moved(true, seed)), figure(pred, true), rtol=1e-6)
    np.testing.assert_allclose(root_trajectory_errors(moved(pred, seed)[:, 0], true[:, 0]),
                               root_trajectory_errors(pred[:, 0], true[:, 0]), rtol=1e-6)


def test_a_path_that_drifts():
    """Straight on at 1 m/s where the truth goes .9: a body that keeps its pose is off by .1 m for each second since the
    first two frames, whose fit is by 1/60 s off; the body is large beside the way of these two."""
    time = np.arange(100) / 30
    body = np.random.default_rng(0).normal(0, 1000, (24, 3))
    forward = np.array([1., 0, 0])
    true, pred = (body + speed * time[:, None, None] * forward for speed in (.9, 1.))
    errors = w_mpjpe(pred, true)
    np.testing.assert_allclose(errors, 1000 * .1 * np.abs(time - 1 / 60), atol=.2)
    # All aligned: the error of a line about its middle.
    np.testing.assert_allclose(wa_mpjpe(pred, true), 100 * np.abs(time - time.mean()), atol=.2)


def test_scale_is_of_the_first_frames():
    """A body and path twice as large are no error; one that grows afterwards is."""
    true = walk(100)
    grown = true.copy()
    grown[50:] = true[0].mean(0) + 1.2 * (true[50:] - true[0].mean(0))
    errors = w_mpjpe(grown, true)
    assert errors[:50].max() < 1e-6
    expected = 1000 * .2 * np.linalg.norm(true[50:] - true[0].mean(0), axis=-1).mean(-1)
    np.testing.assert_allclose(errors[50:], expected, rtol=1e-6)


def test_chunks():
    """Each chunk of a hundred frames that count is aligned anew, what is left over as well."""
    true = walk()
    valid = np.ones(FRAMES, bool)
    valid[30:40] = False
    pred = true.copy()
    pred[valid] = np.concatenate([moved(true[valid][first:first + 100], seed=first + 1) for first in (0, 100, 200)])
    pred[~valid] = np.nan
    for figure in (w_mpjpe, wa_mpjpe):
        errors = figure(pred, true, valid)
        assert len(errors) == 240 and errors.max() < 1e-6
        assert np.nanmax(figure(pred[valid], true[valid], chunk=120)) > 100
    one = figure(pred[:1], true[:1])
    assert len(one) == 1 and one[0] < 1e-6


def test_root_trajectory_error_by_hand():
    """A circle of radius 2 m that is predicted with radius 1.8: each place is .2 m off, of 4 pi m of way."""
    angle = np.linspace(0, 2 * np.pi, 3601)[:, None]
    circle = np.concatenate([np.cos(angle), 0 * angle, np.sin(angle)], 1)
    errors = root_trajectory_errors(moved(1.8 * circle), 2 * circle)
    np.testing.assert_allclose(errors, 100 * .2 / (4 * np.pi), rtol=2e-3)
    valid = np.arange(3601) < 1801  # half a circle
    assert len(root_trajectory_errors(2 * circle, 2 * circle, valid)) == 1801
    far = np.where(np.arange(3601)[:, None] == 900, 2 * circle + [0, 1, 0], 2 * circle)
    # .5 % of half the way, of one frame of a path that is else right.
    assert root_trajectory_errors(far, 2 * circle, valid).max() == pytest.approx(100 / (2 * np.pi), rel=.01)
    assert np.isnan(root_trajectory_errors(circle[:1], circle[:1])).all()
    assert len(root_trajectory_errors(circle, circle, np.zeros(3601, bool))) == 0


def rotations(angles):
    return Rotation.from_rotvec(np.outer(angles, [0, 1, 0])).as_matrix()


def test_velocity_as_the_person_sees_it():
    """Somebody walks forward 3 cm a frame while turning; another world's axes do not matter, the person's do."""
    time = np.arange(61) / 30
    turn = .3 * time
    facing = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], -1)
    true = np.concatenate([np.zeros((1, 3)), .03 * facing[:-1].cumsum(0)])
    world = Rotation.from_rotvec([.3, 1., -.5]).as_matrix()
    pred = 1.5 * true @ world.T + [1, 2, 3]
    args = rotations(turn), time
    errors = egocentric_velocity_errors(pred, true, world @ args[0], *args)
    np.testing.assert_allclose(errors, 15., rtol=1e-9)  # half of 3 cm too far, forward
    # Walking backward instead: twice the way off.
    np.testing.assert_allclose(egocentric_velocity_errors(-true, true, *args[:1], *args), 60., rtol=1e-9)
    # A person believed to face a quarter turn aside walks sideways: sqrt(2) of the way.
    np.testing.assert_allclose(egocentric_velocity_errors(true, true, rotations(turn + np.pi / 2), *args),
                               30 * np.sqrt(2), rtol=1e-9)
    # Half the rate, the same walk: still per thirtieth of a second.
    half = slice(None, None, 2)
    np.testing.assert_allclose(
        egocentric_velocity_errors(pred[half], true[half], (world @ args[0])[half], args[0][half], time[half]), 15.,
        rtol=1e-3)
    valid = np.ones(61, bool)
    valid[10] = False
    assert len(egocentric_velocity_errors(pred, true, world @ args[0], *args, valid)) == 58


def test_the_rotation_is_of_the_earlier_frame():
    """One step of 1 m along z, with the person turned a quarter at its end only."""
    true = np.array([[0, 0, 0], [0, 0, 1.]])
    late = rotations([0, np.pi / 2])
    assert egocentric_velocity_errors(true, true, late, rotations([0, 0]), [0, 1 / 30]) == pytest.approx(0)
    assert egocentric_velocity_errors(true, true, late[::-1], rotations([0, 0]), [0, 1 / 30]) == pytest.approx(
        1000 * np.sqrt(2))
