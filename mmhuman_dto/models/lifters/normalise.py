"""A person's 2D joints as a network can compare them: along the ray to the person, in units of the person's size."""
from typing import NamedTuple

import torch

#: Joints that score less tell nothing.
MIN_SCORE = .1


class LocalJoints(NamedTuple):
    """N people seen along their own rays.

    Attributes:
        rotation: (N, 3, 3) from the camera's frame to the person's, whose z axis points at the middle of the joints.
        points: (N, J, 2) x / z, y / z in that frame in units of ``size``, 0 of joints that tell nothing.
        scores: (N, J), 0 of joints that tell nothing.
        size: (N) spread of the joints, as x / z: of two joints it would be half their distance.
        ray: (N, 2) x / z, y / z of the middle in the camera's frame.
    """
    rotation: torch.Tensor
    points: torch.Tensor
    scores: torch.Tensor
    size: torch.Tensor
    ray: torch.Tensor


def normalise(keypoints, scores, intrinsics):
    """:class:`LocalJoints` of people with keypoints (N, J, 2) px, scores (N, J) and intrinsics (N, 3, 3) px."""
    used = torch.isfinite(keypoints).all(-1) & (scores >= MIN_SCORE)
    scores = torch.where(used, scores, 0)
    rays = (keypoints - intrinsics[:, None, :2, 2]) / intrinsics.diagonal(dim1=1, dim2=2)[:, None, :2]
    rays = torch.where(used[..., None], rays, 0)
    ray, _ = _middle(rays, scores)
    rotation = towards(ray)
    turned = torch.nn.functional.pad(rays, (0, 1), value=1.) @ rotation.transpose(1, 2)
    local = turned[..., :2] / turned[..., 2:].clamp(min=.05)
    _, size = _middle(local, scores)
    return LocalJoints(rotation, torch.where(used[..., None], local / size[:, None, None], 0), scores, size, ray)


def towards(ray):
    """(N, 3, 3) the shortest turn that brings the direction (x, y, 1) of rays (N, 2) onto the z axis."""
    x, y, z = torch.nn.functional.normalize(torch.nn.functional.pad(ray, (0, 1), value=1.), dim=-1).unbind(-1)
    rows = [1 - x * x / (1 + z), -x * y / (1 + z), -x, -x * y / (1 + z), 1 - y * y / (1 + z), -y, x, y, z]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def _middle(points, scores):
    """Mean (N, 2) and spread (N) of points (N, J, 2), weighted by squared scores: wrong joints seldom score much."""
    weights = scores**2 / (scores**2).sum(1, keepdim=True).clamp(min=1e-9)
    middle = (weights[..., None] * points).sum(1)
    spread = (weights * ((points - middle[:, None])**2).sum(-1)).sum(1).sqrt()
    return middle, torch.where(spread > 0, spread, 1.).clamp(min=1e-4)
