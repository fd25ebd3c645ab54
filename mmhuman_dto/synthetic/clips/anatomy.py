"""Lengths of a body that its steps are made of: legs, feet, and how far and how fast they carry it."""
from typing import NamedTuple

import numpy as np
import torch

GRAVITY = 9.81
HIPS, KNEES, ANKLES, BALLS = ([1, 2], [4, 5], [7, 8], [10, 11])
#: The heel's pivot is this far before the hindmost point of the heel, in foot lengths from there to the ball.
_PIVOT = .1


class Anatomy(NamedTuple):
    """One body at rest (SMPL's rest pose, y up, facing z), m; rows of two are left and right."""
    joints: np.ndarray  # (24, 3)
    thigh: np.ndarray  # (2) from hip to knee
    shank: np.ndarray  # (2) from knee to ankle
    sole: float  # how far the ankles are above the ground on flat feet
    ball: np.ndarray  # (2, 3) from ankle to the ball's joint
    heel: np.ndarray  # (2, 3) from ankle to the point of the sole that a heel rolls over
    leg: float  # from hip to ground

    @property
    def ball_height(self):
        """How far the ball's joints (2) are above the ground on flat feet."""
        return self.sole + self.ball[:, 1]


def anatomies(betas, body_model):
    """The :class:`Anatomy` of each of N people with betas (N, B)."""
    betas = torch.as_tensor(betas, dtype=torch.float32)
    with torch.no_grad():
        out = body_model(betas.new_zeros(len(betas), 24, 3), betas, None)
    heels = [body_model.joint_names.index(f'{side}_heel') for side in ('left', 'right')]
    joints, lowest = out.joints.double().numpy(), out.vertices[..., 1].amin(1).double().numpy()
    return [_anatomy(rest[:24], rest[heels], floor) for rest, floor in zip(joints, lowest)]


def _anatomy(joints, heels, floor):
    hip, knee, ankle, ball = (joints[rows] for rows in (HIPS, KNEES, ANKLES, BALLS))
    sole = ankle[:, 1].mean() - floor
    back, reach = heels[:, 2] - ankle[:, 2], ball[:, 2] - heels[:, 2]
    heel = np.stack([0 * back, np.full(2, -sole), back + _PIVOT * reach], -1)
    return Anatomy(joints, np.linalg.norm(knee - hip, axis=1), np.linalg.norm(ankle - knee, axis=1), sole, ball - ankle,
                   heel, hip[:, 1].mean() - floor)


#: Walking speed of grown-ups who choose it, over sqrt(gravity x leg): 1.34 m/s of a leg of 0.9 m.
CHOSEN_SPEED = .45


def speed_unit(leg):
    """The speed, m/s, that bodies of other sizes walk alike at: sqrt(gravity x leg) (Alexander 1976)."""
    return np.sqrt(GRAVITY * leg)


def step_length(speed, leg):
    """Length of a step, m, at a speed, m/s, with a leg, m.

    0.78 legs at the chosen speed (0.70 m at 1.34 m/s, 115 steps a minute), else as speed^0.42 (Grieve and Gear 1966).
    """
    return .78 * leg * (speed / speed_unit(leg) / CHOSEN_SPEED)**.42


def double_support(speed, leg):
    """Part of a step in which both feet are on the ground: 0.18 at the chosen speed, more when slower."""
    return float(np.clip(.18 + .35 * (CHOSEN_SPEED - speed / speed_unit(leg)), .12, .45))
