"""Best rigid and similarity motions between point sets."""
from typing import NamedTuple

import torch


class Similarity(NamedTuple):
    """``scale`` (*) times a ``rotation`` (*, 3, 3) about ``source`` (*, 1, 3), which goes to ``target`` (*, 1, 3)."""
    scale: torch.Tensor
    rotation: torch.Tensor
    source: torch.Tensor
    target: torch.Tensor

    def __call__(self, points):
        """Points (*, M, 3) moved."""
        turned = (points - self.source) @ self.rotation.transpose(-1, -2)
        return turned * self.scale[..., None, None] + self.target


def best_similarity(source, target, scale=True):
    """The :class:`Similarity` (a rigid motion without ``scale``) that moves ``source`` onto ``target`` best.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (TPAMI 1991); never a
    mirror image. Both are (*, N, 3) of any one unit, the same points in the same order; a source without extent is
    shrunk to the target's mean.
    """
    mean_source, mean_target = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    a, b = source - mean_source, target - mean_target
    u, s, vt = torch.linalg.svd(b.transpose(-1, -2) @ a)
    sign = torch.ones_like(s)
    sign[..., -1] = torch.where(torch.linalg.det(u @ vt) < 0, -1., 1.)
    rotation = u @ (sign[..., None] * vt)
    size = a.square().sum((-1, -2))
    factor = torch.ones_like(size)
    if scale:
        factor = torch.where(size > 0, (s * sign).sum(-1) / size.clamp(min=torch.finfo(size.dtype).tiny), 0.)
    return Similarity(factor, rotation, mean_source, mean_target)


def similarity_align(source, target, scale=True):
    """``source`` moved by its :func:`best_similarity`; half precision is computed in single."""
    if source.itemsize < 4:
        return similarity_align(source.float(), target.float(), scale).to(source.dtype)
    return best_similarity(source, target, scale)(source)
