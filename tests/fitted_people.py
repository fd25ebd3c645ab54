"""People whose joints a fit is to find, with known truth."""
import math

import numpy as np
import torch

from mmhuman_dto.fitting import FitState, JointTrack
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.synthetic.poses import random_poses

K = torch.tensor([[900., 0, 320], [0, 900, 240], [0, 0, 1]], dtype=torch.float64)


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


def walking(frames, fps=30., seed=0, speed=1.2, swing=.4, cycles=.9):
    """:class:`FitState` of a person in frames who walks on a curve, 4 to 7 m away, swinging arms and legs.

    Args:
        speed: m/s. swing: amplitude of the hips, rad. cycles: steps of one foot a second.
    """
    generator = torch.Generator().manual_seed(seed)
    phase, bend, start, betas = torch.rand(4, 11, generator=generator, dtype=torch.float64)
    times = torch.arange(frames, dtype=torch.float64) / fps
    phase = 2 * math.pi * (cycles * times + phase[0])
    pose = torch.zeros(frames, 24, 3, dtype=torch.float64)
    for side, sign in ((0, 1), (1, -1)):
        pose[:, 1 + side, 0] = -.1 - sign * swing * phase.sin()  # hips, knees, shoulders, elbows
        pose[:, 4 + side, 0] = .4 + sign * swing * (phase + .2).cos()
        pose[:, 16 + side, 2] = -1.25 * sign
        pose[:, 16 + side, 0] = sign * swing * phase.sin()
        pose[:, 18 + side, 1] = -sign * (.4 + .5 * swing * (phase + side * math.pi).sin())
    heading = 2 * math.pi * start[0] + (bend[0] - .5) * times
    rotations = axis_angle_to_matrix(pose)
    zero = torch.zeros_like(heading)
    level = axis_angle_to_matrix(torch.tensor([math.pi + .1, 0, 0], dtype=torch.float64))
    rotations[:, 0] = level @ axis_angle_to_matrix(torch.stack([zero, heading, zero], -1)) @ rotations[:, 0]
    place = speed / fps * torch.stack([heading.sin(), zero, heading.cos()], -1).cumsum(0) @ level.T
    place = place - place.mean(0) + torch.stack([start[1] - .5, .2 * start[2], 4.5 + 2 * start[3]])
    pelvis = torch.stack([place[:, 0] / place[:, 2], place[:, 1] / place[:, 2], place[:, 2].log()], -1)
    betas = torch.nn.functional.pad((betas - .5)[:10], (0, 1))
    return FitState(rotations, betas.expand(frames, 11), pelvis)


def seen(fit, state, noise=2., seed=0, fps=30.):
    """:class:`JointTrack` of a person who is seen well."""
    points = fit.tables.joints(state) @ K.T
    generator = torch.Generator().manual_seed(seed)
    points = points[..., :2] / points[..., 2:]
    points = points + noise * torch.randn(points.shape, generator=generator, dtype=torch.float64)
    count = len(points)
    return JointTrack(points, torch.full(points.shape[:2], .9, dtype=torch.float64), K.expand(count, 3, 3),
                      torch.arange(count).double() / fps)


def around_hips(fit, state):
    joints = fit.tables.joints(state).numpy()
    return joints - joints[:, [11, 12]].mean(1, keepdims=True)


def jerk(joints):
    """Mean third difference of joints (F, J, 3), mm a frame^3."""
    return 1000 * np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean()
