"""Starts of a fit through time."""
import torch
from fitted_people import walking

from mmhuman_dto.fitting.temporal_starts import bridged
from mmhuman_dto.geometry import axis_angle_to_matrix, geodesic_distance

TIMES = torch.arange(30).double() / 30


def test_one_frame_is_itself():
    state = walking(1)
    result = bridged(state, torch.tensor([3.]).double(), TIMES[:1], TIMES[:1])
    for ours, theirs in zip(result, state):
        torch.testing.assert_close(ours, theirs)


def test_frames_that_face_the_other_way_are_left_out():
    truth = walking(30)
    state = truth._replace(rotations=truth.rotations.clone(), pelvis=truth.pelvis.clone())
    wrong = [4, 5, 15, 23]
    state.rotations[wrong, 0] = state.rotations[wrong, 0] @ axis_angle_to_matrix(torch.tensor([0, 3., 0]).double())
    state.pelvis[wrong, 0] += .4
    result = bridged(state, torch.ones(30).double(), TIMES, TIMES)
    away = geodesic_distance(result.rotations, truth.rotations)
    assert away.max() < .15
    assert (result.pelvis - truth.pelvis).abs().max() < .02


def test_gaps_are_bridged():
    """Half a second without a frame: smooth, and on its way from the one side to the other."""
    truth = walking(30)
    known = torch.tensor([*range(8), *range(22, 30)])
    result = bridged(truth.rows(known), torch.ones(16).double(), TIMES[known], TIMES)
    assert result.betas.shape == (30, 11)
    steps = geodesic_distance(result.rotations[:-1], result.rotations[1:])
    assert steps.max() < .2
    assert (result.pelvis[15] - (truth.pelvis[7] + truth.pelvis[22]) / 2).abs().max() < .05
    torch.testing.assert_close(torch.linalg.det(result.rotations), torch.ones(30, 24).double())
