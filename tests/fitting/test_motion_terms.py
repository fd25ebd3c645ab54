"""Costs of motion: what they are, their derivatives, and what is tied to what."""
import math

import pytest
import torch
from fitted_people import upright, walking

from mmhuman_dto.fitting.kinematics import FitState
from mmhuman_dto.fitting.motion_terms import Chains, Motion
from mmhuman_dto.geometry import axis_angle_to_matrix

TRACK = torch.tensor([0, 0, 0, 0, 1, 1, 2])
TIMES = torch.tensor([0, .03, .1, .14, 0, .05, 1], dtype=torch.float64)
BONES = torch.linspace(1, 2, 24, dtype=torch.float64)[:, None]


def motion(chains):
    return Motion(chains, 2 * BONES, 10 * BONES, 1.5, 3.)


def test_chains_tie_rows_of_one_track_that_are_near_in_time():
    chains = Chains(TRACK, TIMES)
    assert chains.pairs.tolist() == [[0, 1], [1, 2], [2, 3], [4, 5]]
    assert chains.triples.tolist() == [[0, 1, 2], [1, 2, 3]]
    torch.testing.assert_close(chains.triple_steps, torch.tensor([[.03, .07], [.07, .04]], dtype=torch.float64))
    far = Chains(torch.zeros(4, dtype=torch.int64), torch.tensor([0, 1, 3.5, 4]))
    assert far.pairs.tolist() == [[0, 1], [2, 3]] and not len(far.triples)
    assert not len(Chains(TRACK[:1], TIMES[:1]).pairs)


def test_derivatives_are_those_of_the_cost(fit):
    """Gradient by automatic differentiation; half the Hessian is that of squares, block by block."""
    state, chains = upright(7), Chains(TRACK, TIMES)
    term = motion(chains)

    def cost(step):
        step = step.view(7, 75)
        return term(fit.tables, state.moved(torch.cat([step[:, :72], step.new_zeros(7, 11), step[:, 72:]], 1)), False)

    nothing = torch.zeros(7 * 75, dtype=torch.float64)
    expected = torch.func.grad(lambda step: cost(step).sum())(nothing)
    links = term(fit.tables, state)
    assert expected.abs().max() > 1
    torch.testing.assert_close(2 * links.gradient.flatten(), expected, rtol=1e-8, atol=1e-6)
    torch.testing.assert_close(links.cost, cost(nothing))


def test_hessian_is_that_of_the_squares(fit):
    """Where nothing moves residuals are none, and half the Hessian is how half the gradient changes."""
    state, term = upright(1).rows([0] * 7), motion(Chains(TRACK, TIMES))

    def gradient(step):
        step = step.view(7, 75)
        moved = state.moved(torch.cat([step[:, :72], step.new_zeros(7, 11), step[:, 72:]], 1))
        return term(fit.tables, moved).gradient.flatten()

    tried = torch.tensor([0, 7, 24])  # root, a foot, the pelvis' place
    steps = 1e-5 * torch.eye(7 * 75, dtype=torch.float64).view(7, 25, 3, -1)[:, tried].flatten(0, 2)
    whole = torch.stack([(gradient(step) - gradient(-step)) / 2e-5 for step in steps], 1).view(7, 25, 3, 7, 3, 3)
    links = term(fit.tables, state)
    groups = torch.arange(25)
    expected = torch.zeros(7, 25, 3, 7, 25, 3, dtype=torch.float64)
    for row in range(7):
        expected[row, groups, :, row, groups] = links.own[row]
        for apart, blocks in ((1, links.next), (2, links.after)):
            if row + apart < 7:
                expected[row, groups, :, row + apart, groups] = blocks[row]
                expected[row + apart, groups, :, row, groups] = blocks[row].transpose(-1, -2)
    torch.testing.assert_close(whole, expected[:, :, :, :, tried], rtol=1e-6, atol=1e-3)


def test_cost_of_known_motions(fit):
    """A bone that turns evenly has speed and no acceleration; a pelvis that falls the other way round."""
    fps = 30.
    times = torch.arange(4, dtype=torch.float64) / fps
    rotations = torch.eye(3, dtype=torch.float64).expand(4, 24, 3, 3).clone()
    rotations[:, 5] = axis_angle_to_matrix(torch.tensor([[0, 0, .1 * i] for i in range(4)], dtype=torch.float64))
    state = FitState(rotations, torch.zeros(4, 11).double(), torch.tensor([0, 0, math.log(4)]).double().expand(4, 3))
    chains = Chains(torch.zeros(4, dtype=torch.int64), times)
    cost = motion(chains)(fit.tables, state, False)
    speed = .1 * fps / (2 * BONES[5, 0])
    torch.testing.assert_close(cost, torch.tensor([1., 1, 1, 0]).double() * speed**2)
    height = torch.stack([times * 0, 9.81 / 2 * times**2 / 4, times * 0], 1)
    falling = state._replace(rotations=rotations[:1].expand_as(rotations), pelvis=state.pelvis + height)
    links = Motion(chains, BONES, BONES, math.inf, 3.)(fit.tables, falling)
    torch.testing.assert_close(links.cost, torch.tensor([1., 1, 0, 0]).double() * (9.81 / 3)**2)


@pytest.mark.parametrize('fps', [15., 60.])
def test_cost_of_a_walk_does_not_depend_on_the_frame_rate(fit, fps):
    def of(fps):
        state = walking(int(3 * fps), fps)
        chains = Chains(torch.zeros(len(state.betas), dtype=torch.int64),
                        torch.arange(len(state.betas)).double() / fps)
        return motion(chains)(fit.tables, state, False).sum()

    torch.testing.assert_close(of(fps), of(30.), rtol=.06, atol=0)
