"""People whose joints a fit is to find, with known truth."""
import math

import torch

from mmhuman_dto.fitting import FitState
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.synthetic.poses import random_poses


def upright(count, seed=5, shape_std=.5):
    """:class:`FitState` of people in random poses who stand upright at 3 to 6 m."""
    generator = torch.Generator().manual_seed(seed)
    rotations = axis_angle_to_matrix(torch.from_numpy(random_poses(count, seed, noise=6.)))
    yaw = 2 * math.pi * torch.rand(count, generator=generator, dtype=torch.float64)
    turn = axis_angle_to_matrix(torch.tensor([math.pi, 0, 0], dtype=torch.float64)) @ axis_angle_to_matrix(
        torch.nn.functional.pad(yaw[:, None], (1, 1)))
    rotations[:, 0] = turn @ rotations[:, 0]
    place = torch.rand(count, 3, generator=generator, dtype=torch.float64)
    pelvis = torch.stack([.3 * place[:, 0] - .15, .1 * place[:, 1], (3 + 3 * place[:, 2]).log()], -1)
    betas = shape_std * torch.randn(count, 11, generator=generator, dtype=torch.float64)
    betas[:, 10] = 0
    return FitState(rotations, betas, pelvis)
