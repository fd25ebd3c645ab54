"""Pinhole cameras: projecting, fields of view, and intrinsics that follow the image.

Camera frame x right, y down, z forward, metres. Pixel coordinates are continuous: the image spans
(0, 0) to (width, height) and the centre of the first pixel is at (0.5, 0.5). ``intrinsics`` are
``[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]`` in px.
"""
import numpy as np
import torch

from .precision import at_least_single

#: Points nearer than this (m), or behind the camera, are projected as if they were at this depth.
MIN_DEPTH = 1e-6


def project(points, intrinsics):
    """Project points (*, N, 3), m, camera frame, by intrinsics (*, 3, 3) to pixels (*, N, 2).

    Leading dimensions broadcast. Points with z < ``MIN_DEPTH``, those behind the camera included, are divided by
    ``MIN_DEPTH``: the result is finite but means nothing, so ask ``points[..., 2] > 0`` where it matters. Half
    precision, which ends at 65504 px, is projected, and given, in single.
    """
    points, intrinsics = at_least_single(points), at_least_single(intrinsics)
    fx, skew, cx, fy, cy = _entries(intrinsics)
    x, y, z = points.unbind(-1)
    z = z.clamp(min=MIN_DEPTH)
    x, y = x / z, y / z
    return torch.stack([fx * x + skew * y + cx, fy * y + cy], -1)


def unproject(pixels, z, intrinsics):
    """Points (*, N, 3), m, camera frame, at depth z (*, N) behind pixels (*, N, 2): the inverse of :func:`project`."""
    fx, skew, cx, fy, cy = _entries(intrinsics)
    u, v = pixels.unbind(-1)
    y = (v - cy) / fy
    x = (u - cx - skew * y) / fx
    return torch.stack(torch.broadcast_tensors(x * z, y * z, z), -1)


def fov_from_focal(focal, size):
    """Field of view (rad) that a focal length (px) sees along an image side of ``size`` px centred on the axis.

    Tensors (*) give tensors; arrays and numbers give those of numpy.
    """
    half = size / (2 * focal)
    return 2 * (torch.atan if torch.is_tensor(half) else np.arctan)(half)


def focal_from_fov(fov, size):
    """Focal length (px) that sees ``fov`` (rad) along an image side of ``size`` px; as :func:`fov_from_focal`."""
    return size / (2 * (torch.tan if torch.is_tensor(fov) else np.tan)(fov / 2))


def intrinsics_from_fov(fov, width, height):
    """Square-pixel intrinsics (*, 3, 3), px, with the principal point at the image's centre.

    Args:
        fov: (*), vertical field of view, rad, in (0, pi).
        width, height: image size, px, numbers or (*).
    """
    fov = torch.as_tensor(fov)
    focal = focal_from_fov(fov, height)
    cx, cy = (torch.as_tensor(size, dtype=focal.dtype, device=focal.device) / 2 for size in (width, height))
    focal, cx, cy = torch.broadcast_tensors(focal, cx, cy)
    zero, one = torch.zeros_like(focal), torch.ones_like(focal)
    return torch.stack([focal, zero, cx, zero, focal, cy, zero, zero, one], -1).unflatten(-1, (3, 3))


def centered_intrinsics(focal, width, height):
    """K (3, 3) float32 of a focal length, px, whose axis goes through the middle of an image of width and height px."""
    return torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def resize_intrinsics(intrinsics, sx, sy):
    """Intrinsics (*, 3, 3) of the image scaled by ``sx`` in width and ``sy`` in height (new / old size)."""
    return intrinsics * _column(intrinsics, sx, sy, 1)


def crop_intrinsics(intrinsics, left, top):
    """Intrinsics (*, 3, 3) of the image whose first ``left`` columns and ``top`` rows (px) are cut; negative pads."""
    last_column = torch.eye(3, dtype=intrinsics.dtype, device=intrinsics.device)[2]
    return intrinsics - _column(intrinsics, left, top, 0) * last_column


def flip_intrinsics(intrinsics, width):
    """Intrinsics (*, 3, 3) of the image of ``width`` px mirrored left to right, for a scene mirrored in x.

    Projecting (-x, y, z) with them gives ``width - u`` where (x, y, z) was at u.
    """
    centred = crop_intrinsics(intrinsics, width, 0)
    mirror = intrinsics.new_tensor([[1, -1, -1], [1, 1, 1], [1, 1, 1]])
    return centred * mirror


def _entries(intrinsics):
    """fx, skew, cx, fy, cy of (*, 3, 3), each (*, 1) to broadcast over points."""
    rows = intrinsics[..., None, :, :]
    return rows[..., 0, 0], rows[..., 0, 1], rows[..., 0, 2], rows[..., 1, 1], rows[..., 1, 2]


def _column(like, *values):
    """Numbers or (*) tensors as a (*, 3, 1) column with the dtype and device of ``like``."""
    values = [torch.as_tensor(value, dtype=like.dtype, device=like.device) for value in values]
    return torch.stack(torch.broadcast_tensors(*values), -1)[..., None]
