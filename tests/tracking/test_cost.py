"""Costs of pairs, each term by hand."""
from dataclasses import replace

import numpy as np
import pytest
from walking_points import STANDING, plain_colours

from mmhuman_dto.tracking import CostConfig, Observations
from mmhuman_dto.tracking.cost import joint_difference, pair_costs, pose_difference
from mmhuman_dto.tracking.seeing import Seen, box_states, corners, covered, place_noise
from mmhuman_dto.tracking.tracks import Tracks

NOTHING = CostConfig(place=0, box=0, joints=0, pose=0, height=0, colour=0)
BOX = np.array([100., 100, 200, 400])


def person(**more):
    known = dict(boxes=BOX[None], positions=np.array([[0., 0, 5]]), heights=np.array([1.7]),
                 joints=(STANDING * [300, -300] + [150, 390])[None], joint_scores=np.ones((1, 17)),
                 pose=np.zeros((1, 24, 3)), colours=plain_colours(1)[None])
    return Seen.of(Observations(**{**known, **more}))


def cost(seen, config, track=None, time=0.):
    return pair_costs(track or Tracks.born(person(), [0], 0.), seen, time, config)[0, 0]


def test_the_same_again_costs_what_the_terms_say():
    """Alike in all: two measurements' noise in place of one, 3 and 4 dimensions, and the neutral differences."""
    expected = np.log(2) / 2 * (3 + .5 * 4) - 4 * .5 - 10 * .2 - 1 * 1.4 - 12 * .35
    assert cost(person(), CostConfig()) == pytest.approx(expected)


@pytest.mark.parametrize(('name', 'neutral', 'other', 'difference'), [
    ('height', 1.4, dict(heights=np.array([1.8])), np.log(1.8 / 1.7)**2 / (2 * 2 * .06**2)),
    ('height', 1.4, dict(heights=np.array([1.2])), 5.4),
    ('height', 1.4, dict(heights=None), .3 * 1.4),
    ('pose', .2, dict(pose=np.full((1, 24, 3), .1)), .1 * 3**.5),
    ('pose', .2, dict(pose=np.full((1, 24, 3), .9)), .4),
    ('pose', .2, dict(pose=None), .3 * .2),
    ('colour', .35, dict(colours=plain_colours(3)[None]), .7),
    ('colour', .35, dict(colours=None), .3 * .35),
    ('joints', .5, dict(joints=None, joint_scores=None), .3 * .5)])
def test_terms_by_hand(name, neutral, other, difference):
    config = replace(NOTHING, **{name: 2.})
    assert cost(person(**other), config) == pytest.approx(2 * (difference - neutral))


def test_poses_are_forgotten():
    seen = person(pose=np.full((1, 24, 3), .9))
    at_once, later = (cost(seen, replace(NOTHING, pose=1.), time=time) for time in (0., .3))
    assert later == pytest.approx(at_once / np.e)


def test_colours_of_covered_people_count_less():
    seen = person(colours=plain_colours(3)[None])
    config = replace(NOTHING, colour=1.)
    assert cost(replace(seen, clear=np.array([False])), config) == pytest.approx(.3 * cost(seen, config))


def test_joints_move_and_grow_with_the_box():
    track = Tracks.born(person(), [0], 0.)
    track.box_mean[:, :4] = box_states(np.array([[400., 100, 600, 700]]))  # twice as large, elsewhere
    now = person(joints=(2 * (STANDING * [300, -300] + [150, 390] - [150, 250]) + [500, 400])[None])
    assert joint_difference(track, now, .08)[0, 0] == pytest.approx(0, abs=1e-9)
    aside = person(joints=now.observations.joints + [.08 * 600, 0])
    assert joint_difference(track, aside, .08)[0, 0] == pytest.approx(1 - np.exp(-.5))
    unseen = person(joints=now.observations.joints, joint_scores=np.full((1, 17), .1))
    assert np.isnan(joint_difference(track, unseen, .08)).all()


def test_pose_difference_is_a_mean_distance():
    far = np.zeros((1, 24, 3))
    far[0, :12, 2] = .4
    assert pose_difference(np.zeros((2, 24, 3)), far).tolist() == [[pytest.approx(.2)]] * 2


def test_who_is_too_far_is_nobody():
    """Beyond the gate in metres, unless the boxes overlap; without places by the boxes."""
    aside = BOX + [400, 0, 400, 0]
    assert np.isfinite(cost(person(boxes=aside[None]), CostConfig()))
    assert np.isfinite(cost(person(positions=np.array([[3., 0, 5]])), CostConfig()))
    assert cost(person(boxes=aside[None], positions=np.array([[3., 0, 5]])), CostConfig()) == np.inf
    assert cost(person(boxes=aside[None], positions=None), CostConfig()) == np.inf


def test_limits_grow_with_the_gap():
    np.testing.assert_allclose(CostConfig(limit=8, limit_growth=3.).limits(np.array([0., 2])), [8, 14])


def test_noise_of_places_lies_along_the_line_of_sight():
    noise, = place_noise(np.array([[3., 0, 4]]), np.array([.1]))
    ray, across = np.array([.6, 0, .8]), np.array([.8, 0, -.6])
    assert ray @ noise @ ray == pytest.approx((.1 * 5)**2)
    assert across @ noise @ across == pytest.approx((.015 * 5)**2)
    assert noise[1, 1] == pytest.approx((.015 * 5)**2)
    unknown, = place_noise(np.array([[0., 0, 4]]), np.array([np.nan]))
    assert unknown[2, 2] == pytest.approx((.06 * 4)**2)


def test_box_states_and_back():
    boxes = np.array([[10., 20, 40, 100], [0, 0, 0, 5]])
    np.testing.assert_allclose(box_states(boxes)[0], [25, 60, np.log(30), np.log(80)])
    np.testing.assert_allclose(corners(box_states(boxes))[0], boxes[0])
    assert np.isnan(box_states(boxes)[1]).any()


def test_who_is_covered():
    """The nearer one by metres, else who ends lower in the picture."""
    boxes = np.array([[0., 0, 100, 200], [50, 0, 150, 220]])
    assert covered(Observations(boxes, np.array([[0., 0, 5], [0, 0, 4]]))).tolist() == [.5, 0]
    assert covered(Observations(boxes, np.array([[0., 0, 3], [0, 0, 4]]))).tolist() == [0, pytest.approx(100 / 220)]
    assert covered(Observations(boxes)).tolist() == [.5, 0]
    assert covered(Observations(boxes[:0])).tolist() == []
