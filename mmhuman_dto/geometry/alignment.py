"""Best rigid and similarity motions between point sets."""
import torch


def similarity_align(source, target, scale=True):
    """Move ``source`` onto ``target`` by the best rotation, translation and (optionally) one scale.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (TPAMI 1991); never a
    mirror image. Both are (*, N, 3) of any one unit, the same points in the same order, as is the result; a source
    without extent is moved to the target's mean. Half precision is computed in single.
    """
    if source.itemsize < 4:
        return similarity_align(source.float(), target.float(), scale).to(source.dtype)
    mean_source, mean_target = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    a, b = source - mean_source, target - mean_target
    u, s, vt = torch.linalg.svd(b.transpose(-1, -2) @ a)
    sign = torch.ones_like(s)
    sign[..., -1] = torch.where(torch.linalg.det(u @ vt) < 0, -1., 1.)
    rotation = u @ (sign[..., None] * vt)
    moved = a @ rotation.transpose(-1, -2)
    if scale:
        size = a.square().sum((-1, -2))
        factor = torch.where(size > 0, (s * sign).sum(-1) / size.clamp(min=torch.finfo(size.dtype).tiny), 0.)
        moved = moved * factor[..., None, None]
    return moved + mean_target
