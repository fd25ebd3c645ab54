"""A solved video as what its frames' people are moved by."""
from functools import partial

import numpy as np
import torch

from ..posterior import Posterior
from ..result import DTOResult
from ..solvers.posterior import metres


def result_of(solving, point, covariance):
    """:class:`DTOResult` of the frames of a :class:`~.solver.Solving`, at a point; ``covariance`` None: it failed."""
    clip, variables = solving.clip, solving.variables
    frames, mask = clip.frames, clip.frames.mask
    values = variables.values(point)
    height, log_height_std = _heights(solving, values, point, covariance)
    scale = _spread(clip, values['log_scale'][0].exp(), 1.)
    heights = _spread(clip, height[clip.person], 1.).where(mask, frames.heights)
    focal = variables.scene_values(point)['log_focal'].exp().expand(len(mask))
    scenes = [variables.frame_values(point, frame) for frame in range(len(mask))]
    failed = torch.full((len(mask), ), covariance is None)
    posterior = Posterior(
        depth=frames.root_z * scale * focal[:, None], height=heights,
        log_depth_covariance=_depth_covariance(clip, variables, covariance),
        log_height_std=_spread(clip, log_height_std[clip.person], torch.nan),
        log_focal_std=_std(covariance, variables.scene['log_focal']).expand(len(mask)),
        scene={name: torch.cat([scene[name] for scene in scenes]) for name in scenes[0]} if scenes else {})
    deviation = (heights - frames.prior_mean).abs() / frames.prior_std
    shift = torch.from_numpy(point[variables.shift])
    return DTOResult(
        problem=frames, scale=scale.where(~failed[:, None], 1.), skipped=torch.zeros_like(mask),
        optimised=(mask.sum(-1) >= 2) & ~failed,
        deviation=(deviation * mask).sum(-1) / mask.sum(-1).clamp(min=1),
        focal_scale=None if solving.keeps_camera else focal.clone(), posterior=posterior, failed=failed,
        sizes=(heights / frames.heights).where(~failed[:, None] & mask, 1.),
        shifts=torch.stack([_spread(clip, axis, 0.) for axis in shift.unbind(-1)], -1),
        depth_form=partial(_metres, solving, point))


def _heights(solving, values, point, covariance):
    """(K) height of each person, m, and std of its logarithm.

    Who is seen in one frame alone keeps the size in the picture, as people of pictures do; its height misses the most
    likely one by the size's correction.
    """
    clip, variables = solving.clip, solving.variables
    error = torch.zeros(len(clip.track_ids)).double().index_add_(0, clip.person, values['log_size'][0] * clip.seen)
    error = error.where(solving.seen == 1, 0.)
    std = _std(covariance, variables.height)
    return (torch.from_numpy(point[variables.height]) - error).exp(), (std.square() + error.square()).sqrt()


def _std(covariance, index):
    """Standard deviations of variables; nan without a covariance."""
    index = np.atleast_1d(index)
    if covariance is None:
        return torch.full((len(index), ), torch.nan).double()
    return torch.from_numpy(covariance.diagonal()[index]).sqrt()


def _depth_covariance(clip, variables, covariance):
    """(T, P, P) of the logarithms of depth of the people of each frame."""
    mask = clip.frames.mask
    frames, places = mask.shape
    found = torch.full((frames, places, places), torch.nan).double()
    if covariance is None or not places:
        return found
    row = torch.full(mask.shape, -1)
    row[clip.frame[clip.seen], clip.place[clip.seen]] = clip.seen.nonzero()[:, 0]
    index = np.where(row.numpy() >= 0, variables.log_scale[row.numpy()], variables.scene['log_focal'])
    index = np.concatenate([index, np.full((frames, 1), variables.scene['log_focal'])], 1)
    entries = torch.from_numpy(covariance.numbers[variables.form.pairs(index).places])
    together, focal = entries[:, :-1, :-1] + entries[:, -1:, -1:], entries[:, :-1, -1]
    return (together + focal[:, :, None] + focal[:, None]).where(mask[:, :, None] & mask[:, None], torch.nan)


def _spread(clip, values, fill):
    """(T, P) of values (M) of rows, of those that are seen."""
    spread = torch.full(clip.frames.mask.shape, fill, dtype=values.dtype)
    spread[clip.frame[clip.seen], clip.place[clip.seen]] = values[clip.seen]
    return spread


def _metres(solving, point, frame, disparity):
    """:func:`~..solvers.posterior.metres` of a frame."""
    return metres(solving.terms, solving.clip.rows, solving.variables.frame_values(point, frame), 0, disparity)
