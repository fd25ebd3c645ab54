"""Walks of known speed: feet that stand do not slide, legs reach them, nobody goes through the ground."""
import numpy as np
import pytest
import torch

from mmhuman_dto.synthetic.clips.anatomy import anatomies, double_support, speed_unit, step_length
from mmhuman_dto.synthetic.clips.motion import body_motion, sample_style
from mmhuman_dto.synthetic.clips.paths import Curve
from mmhuman_dto.synthetic.clips.steps import Spot, turn, walk
from mmhuman_dto.synthetic.people import sample_people

FPS = 30


class Walker:
    """Somebody along a path."""

    def __init__(self, body_model, child_share, path=None, seed=0):
        rng = np.random.default_rng(seed)
        people = sample_people(1, child_share, body_model, rng)
        self.anatomy, = anatomies(people.betas, body_model)
        self.style = sample_style(self.anatomy, rng)
        self.speed = .45 * speed_unit(self.anatomy.leg)
        if path is None:
            self.steps = turn([0., 0], .3, 2.5, self.anatomy, self.style.width, self.style.toe_out)
        else:
            self.steps = walk(path, path.length, self.speed, self.anatomy, 0, self.style.width, self.style.toe_out)
        times = np.arange(0, self.steps.duration, 1 / FPS)
        self.moves = self.steps.at(times)
        idle = np.zeros((len(times), 24, 3)), np.zeros(len(times))
        self.pose, self.root = body_motion(self.moves, idle, times, self.anatomy, self.style, FPS)
        values = self.pose, people.betas[0], self.root - self.anatomy.joints[0]
        out = body_model(*(torch.as_tensor(value).float() for value in values))
        self.vertices, self.joints = out.vertices.numpy(), out.joints.numpy()


@pytest.fixture(scope='module', params=['grown-up', 'child', 'turning'])
def walker(request, body_model):
    curve = Curve([0, 0], [2, 3], .2, .2)
    return {'grown-up': lambda: Walker(body_model, 0., curve), 'child': lambda: Walker(body_model, 1., curve, 4),
            'turning': lambda: Walker(body_model, 0.)}[request.param]()


def test_the_ball_of_a_foot_that_stands_does_not_move(walker):
    balls, contact = walker.joints[:, [10, 11]], walker.moves.contact
    stay = contact[1:] & contact[:-1]
    assert stay.mean() > .4
    assert np.linalg.norm(np.diff(balls, axis=0), axis=-1)[stay].max() < 5e-6  # m a frame
    assert np.abs(balls[..., 1] - walker.anatomy.ball_height)[contact].max() < 1e-5
    # A foot that swings is off the ground, and both are not at once.
    assert contact.any(1).all() and not contact.all(1).all()


def test_feet_are_on_the_ground_and_not_below(walker):
    lowest = walker.vertices[..., 1].min(1)
    assert lowest.min() > -1e-5 and lowest.max() < 2e-3


def test_legs_reach_the_feet_that_steps_ask_for(walker):
    assert np.abs(walker.joints[:, [10, 11]] - walker.moves.balls).max() < 1e-5


def test_knees_bend_forward_and_are_never_straight(walker):
    thigh, shank = (walker.joints[:, b] - walker.joints[:, a] for a, b in (([1, 2], [4, 5]), ([4, 5], [7, 8])))
    lengths = np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shank, axis=-1)
    bent = np.degrees(np.arccos((thigh * shank).sum(-1) / lengths))
    assert bent.min() > 8 and 25 < bent.max() < 90
    middle = (walker.joints[:, [1, 2]] + walker.joints[:, [7, 8]]) / 2
    heading = np.stack([np.sin(walker.moves.heading), np.cos(walker.moves.heading)], 1)[:, None]
    assert (((walker.joints[:, [4, 5]] - middle)[..., [0, 2]] * heading).sum(-1) > 0).all()


def test_a_walk_goes_as_fast_and_as_far_as_stated(body_model):
    path = Curve([0, 0], [0, 8], 0.)
    walker = Walker(body_model, 0., path)
    ahead, steps = walker.root[:, 2], walker.steps
    cruise = slice(len(ahead) // 4, 3 * len(ahead) // 4)
    assert np.isclose(np.polyfit(np.arange(len(ahead))[cruise] / FPS, ahead[cruise], 1)[0], walker.speed, rtol=.01)
    assert np.isclose(ahead[-1] - ahead[0], 8., atol=.02)
    prints = steps.prints[1:-1, 1]
    assert np.isclose(np.diff(prints)[1:].mean(), step_length(walker.speed, walker.anatomy.leg), rtol=.06)
    assert np.isclose(steps.cadence * np.diff(prints)[1:].mean(), walker.speed, rtol=.01)


def test_steps_are_those_of_people():
    # Grown-ups: 1.34 m/s at 115 steps a minute; a child of half the leg goes 0.95 m/s at 163.
    assert np.isclose(1.34 / step_length(1.34, .9) * 60, 115, atol=2)
    assert np.isclose(speed_unit(.45) / speed_unit(.9), np.sqrt(.5))
    assert np.isclose(step_length(1.34 * np.sqrt(.5), .45), step_length(1.34, .9) / 2)
    assert double_support(.9, .9) > double_support(1.34, .9) > double_support(1.8, .9)


def test_arms_swing_with_the_leg_of_the_other_side(body_model):
    walker = Walker(body_model, 0., Curve([0, 0], [0, 8], 0.))
    foot, hand = (walker.joints[:, a, 2] - walker.joints[:, b, 2] for a, b in ((10, 11), (20, 21)))
    cruise = slice(len(foot) // 4, 3 * len(foot) // 4)
    assert np.corrcoef(foot[cruise], hand[cruise])[0, 1] < -.9 and np.ptp(hand[cruise]) > .3


def test_a_turn_ends_where_it_should(walker, body_model):
    steps = Walker(body_model, 0.).steps
    assert np.isclose(steps.at([steps.duration]).heading[0], 2.5) and isinstance(steps.path, Spot)
    assert np.abs(np.diff(steps.at(np.arange(0, steps.duration, .01)).heading)).max() < .05


def test_curves_are_told_by_their_length():
    curve = Curve([1, 2], [4, 6], np.arctan2(3, 4))
    assert np.isclose(curve.length, 5) and np.allclose(curve.place(.5), [2.5, 4], atol=1e-6)
    bent = Curve([0, 0], [3, 0], 0., .3)
    u = np.linspace(0, 1, 301)
    pieces = np.linalg.norm(np.diff(bent.place(u), axis=0), axis=1)
    assert np.allclose(pieces, bent.length / 300, rtol=2e-3) and np.isclose(bent.heading(0.), 0., atol=1e-6)
    assert 0 < bent.sharpest() < 3


def test_the_pelvis_goes_over_the_leg_that_carries_it_and_drops_on_the_other_side(body_model):
    walker = Walker(body_model, 0., Curve([0, 0], [0, 8], 0.))
    cruise = slice(len(walker.root) // 4, 3 * len(walker.root) // 4)
    left, right = walker.moves.contact[cruise].T
    alone = left.astype(float) - right  # 1 on the left foot alone
    aside, drop = walker.root[cruise, 0], (walker.joints[:, 1, 1] - walker.joints[:, 2, 1])[cruise]
    assert aside[alone > 0].mean() - aside[alone < 0].mean() > .02  # m, towards x, the left
    assert drop[alone > 0].mean() - drop[alone < 0].mean() > .008  # the left hip is up
    # The hip of the foot in front is in front.
    hips, feet = (walker.joints[cruise, a, 2] - walker.joints[cruise, b, 2] for a, b in ((1, 2), (10, 11)))
    assert np.corrcoef(hips, feet)[0, 1] > .8
