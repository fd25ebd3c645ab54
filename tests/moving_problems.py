"""Problems of people who move, drawn from the solver's own model, with the truth."""
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.dto import DTOProblem

CAMERA_HEIGHT = 1.6


class Truth(NamedTuple):
    """depth (T, K), places (T, K, 3) of pelvises, m; heights (K), m; seen (T, K)."""
    depth: np.ndarray
    places: np.ndarray
    heights: np.ndarray
    seen: np.ndarray


def moving_people(seed, frames=60, people=4, fps=30., depth_noise=.06, persists=.5, size_noise=.02, foot_noise=.02,
                  flicker=.03, focal=1., absent=0.):
    """(frames' :class:`DTOProblem` (T, K), track ids, times, :class:`Truth`) of people who walk on flat ground.

    Args:
        persists: share of the variance of depth noise that stays with a person. flicker: std of the log of the map's
            scale, anew in every frame. absent: share of a person's frames, in its middle, in which nobody sees it.
    """
    rng = np.random.default_rng(seed)
    shape, times = (frames, people), np.arange(frames) / fps
    young = rng.random(people) < .3
    heights = np.where(young, rng.normal(1.3, .15, people), rng.normal(1.75, .08, people))
    start = np.stack([rng.uniform(-2, 2, people), rng.uniform(4, 9, people)], -1)
    speed = rng.uniform(.3, 1.2, people) * np.exp(1j * rng.uniform(0, 2 * np.pi, people))
    turn = rng.normal(0, .4, people)
    travelled = (speed * (np.exp(1j * turn * times[:, None]) - 1) / (1j * turn))
    ground = start + np.stack([travelled.real, travelled.imag * .5], -1)
    z = np.maximum(ground[..., 1], 2.)
    hips = CAMERA_HEIGHT - .53 * heights + .02 * np.sin(4 * np.pi * times[:, None] + rng.uniform(0, 6, people))
    places = np.stack([ground[..., 0], hips, z], -1)
    initial = 1.715 * (heights / 1.715)**.2 * np.exp(.015 * rng.standard_normal(people))
    initial = initial * np.exp(.004 * rng.standard_normal(shape))
    shown = z * initial / heights * np.exp(size_noise * rng.standard_normal(shape)) / focal
    noise = depth_noise * (np.sqrt(persists) * rng.standard_normal(people)
                           + np.sqrt(1 - persists) * rng.standard_normal(shape))
    disparity = 900 / z * np.exp(noise + flicker * rng.standard_normal((frames, 1)))
    ray = places / z[..., None] + .003 * rng.standard_normal((*shape, 3)) * [1, 1, 0]
    foot = np.stack([ray[..., 0], CAMERA_HEIGHT * np.exp(foot_noise * rng.standard_normal(shape)) / z,
                     np.ones(shape)], -1)
    lens = np.array([focal, focal, 1])
    fields = dict(
        depth=1 / disparity, depth_std=.02 / disparity, z=shown, down_depth=1 / disparity, down_z=shown,
        slope=.6 * np.exp(-.15) / focal * shown * disparity, correlation=np.full(shape, .6), disparity=disparity,
        inverse_z=1 / shown, residual_std=np.full(shape, .02), heights=initial, ages=np.full(shape, np.nan),
        male_probs=np.full(shape, np.nan), pelvis=ray * lens * shown[..., None], feet=foot * lens * shown[..., None],
        balls=np.stack([foot * lens * shown[..., None]] * 2, -2), leg_reach=np.ones(shape),
        size_std=np.full(shape, np.nan), prior_mean=(initial + 1.784) / 2, prior_std=np.full(shape, .0759),
        apparent_size=np.full(shape, .5))
    seen = np.ones(shape, bool)
    gap = int(absent * frames)
    for k in range(people if gap else 0):
        first = rng.integers(1, frames - gap)
        seen[first:first + gap, k] = False
    mask = torch.from_numpy(seen)
    index = torch.arange(people).expand(shape)
    problem = DTOProblem(mask=mask, person_index=index, height_class=torch.full(shape, 4), feet_seen=mask,
                         has_depth=mask, focal_std=torch.full((frames, ), torch.nan), drop_reasons=(),
                         **{name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in fields.items()})
    return problem, [torch.arange(people)] * frames, times, Truth(z, places, heights, seen)
