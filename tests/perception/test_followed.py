"""People from one frame of a video to the next: moved on, matched, and what two networks say of them."""
import numpy as np
import pytest

from mmhuman_dto.perception.blazepose_look import Seen
from mmhuman_dto.perception.followed import KEEP, NEW_STEP, Followed, matched

SHAPE = 480, 640


def people(*corners):
    """Joints (N, 17, 2) of people 160 px tall whose boxes have these corners."""
    rng = np.random.default_rng(0)
    inside = rng.uniform(0, 1, (17, 2))
    inside[:2] = (0, 0), (1, 1)
    return np.array([inside * (80, 160) + corner for corner in corners], float).reshape(-1, 17, 2)


def seen(joints, score=.8, presence=1.):
    return Seen(joints, np.full(joints.shape[:2], score), np.full(len(joints), presence), None)


def test_people_move_on_with_their_velocity():
    joints = people((50, 60), (300, 200))
    first = Followed.new(joints, np.full((2, 17), .7)).seen_by_second(seen(joints))
    later = first.moved(SHAPE).seen_by_second(seen(people((56, 60), (300, 196)))).with_steps_from(first)
    np.testing.assert_allclose(later.velocities, NEW_STEP * np.array([[6, 0], [0, -4]]), atol=1e-9)
    np.testing.assert_allclose(later.moved(SHAPE).joints - later.joints, np.repeat(later.velocities[:, None], 17, 1))
    np.testing.assert_allclose(first.velocities, 0)


def test_a_joint_that_left_the_picture_is_no_longer_believed():
    first = Followed.new(people((2, 60)), np.full((1, 17), .7))
    first.velocities[:] = -10, 0
    moved = first.moved(SHAPE)
    np.testing.assert_array_equal(moved.first_scores == 0, moved.joints[..., 0] < 0)
    assert 0 < (moved.first_scores == 0).sum() < 17


def test_who_is_who_does_not_depend_on_the_order():
    joints = people((50, 60), (140, 60), (300, 200))
    known = Followed.new(joints, np.full((3, 17), .7))
    order = [2, 0, 1]
    rows, theirs = matched(known, joints[order] + 5)
    assert dict(zip(rows, theirs)) == {0: 1, 1: 2, 2: 0}
    rows, theirs = matched(known, joints[:1] + (0, 100))  # more than a quarter of its size away
    assert len(rows) == len(theirs) == 0
    rows, theirs = matched(Followed.nobody(), joints)
    assert len(rows) == len(theirs) == 0


def test_who_is_new_comes_after_those_known():
    joints = people((50, 60), (300, 200), (420, 100))
    known = Followed.new(joints[:2], np.full((2, 17), .7)).moved(SHAPE)
    both = known.seen_by_first(joints[[2, 1]] + 2, np.full((2, 17), .9))
    np.testing.assert_allclose(both.first, np.stack([joints[0], joints[1] + 2, joints[2] + 2]))
    assert both.fresh.tolist() == [False, True, True]
    np.testing.assert_allclose(both.first_scores[:, 0], [.7, .9, .9])
    assert len(known) == 2 and not known.fresh.any()


def test_what_the_first_network_said_moves_with_what_the_second_sees():
    """MoveNet sees joints 3 px beside BlazePose's; the mean of both stays as far beside BlazePose's when it moves."""
    joints = people((50, 60))
    first = Followed.new(joints + (3, 0), np.full((1, 17), .7)).seen_by_second(seen(joints))
    beside = first.joints - joints
    assert (beside[..., 0] > .2).all() and (beside[..., 0] < 2.8).all()
    later = first.moved(SHAPE).seen_by_second(seen(joints + (9, 4)))
    np.testing.assert_allclose(later.joints - joints - (9, 4), beside, atol=1e-9)
    np.testing.assert_allclose(later.scores, first.scores)


def test_networks_that_disagreed_say_nothing_of_the_next_frame():
    joints = people((50, 60))
    wrong = joints.copy()
    wrong[0, 5] += 90, 0
    first = Followed.new(wrong, np.full((1, 17), .1).clip(.3)).seen_by_second(seen(joints, .9))
    assert np.isnan(first.offsets[0, 5]).all() and np.isfinite(first.offsets[0, 6:]).all()
    np.testing.assert_allclose(first.joints[0, 5], joints[0, 5])
    later = first.moved(SHAPE).seen_by_second(seen(joints, .9))
    np.testing.assert_allclose(later.joints[0, 5], joints[0, 5], atol=.1)


@pytest.mark.parametrize(('score', 'presence', 'stays'), [
    (.8, 1., True), (.6, .1, True), (.2, .9, True), (.05, .1, False), (.3, .4, False)])
def test_scores_fade_where_nobody_is(score, presence, stays):
    """By MoveNet, who does not look again; somebody is there by BlazePose's presence or by its joints' scores."""
    joints = people((50, 60))
    state = Followed.new(joints, np.full((1, 17), .8)).seen_by_second(seen(joints))
    for _ in range(3):
        state = state.moved(SHAPE).seen_by_second(seen(joints, score, presence))
    np.testing.assert_allclose(state.first_scores, .8 if stays else .8 * KEEP**3)


def test_who_left_is_gone_after_three_frames():
    joints = people((50, 60))
    state = Followed.new(joints, np.full((1, 17), .8)).seen_by_second(seen(joints))
    for _ in range(3):
        state = state.moved(SHAPE).seen_by_second(seen(joints, .05, .1))
    assert state.scores.max() < .3
