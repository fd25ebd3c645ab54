"""Intrinsics of the whole picture from what programs say of theirs: a focal length, a network's frame, 2D points."""
import math

import torch

#: Points of the picture may lie so far (px, root mean square) from where a camera shows them.
_TOLERANCE = 1.
#: Spread (standard deviation of x / z and y / z) from which on points tell a focal length.
_SPREAD = .005


def centred(focal, image_size):
    """(3, 3) float64, px: one focal length, the axis through the middle of a picture of (height, width)."""
    height, width = image_size
    return pinhole(focal, width / 2, height / 2)


def pinhole(focal, cx, cy):
    """(3, 3) float64, px, with square pixels."""
    return torch.tensor([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], dtype=torch.float64)


def longer_side_focal(degrees, image_size):
    """Focal length, px, that sees so many degrees along the longer side."""
    return max(image_size) / (2 * math.tan(math.radians(degrees) / 2))


def diagonal(image_size):
    """Length of a picture's diagonal, px: the focal length that many programs assume."""
    return math.hypot(*image_size)


def measured(points, pixels, focal=None):
    """The camera with square pixels that shows points where a program's own 2D points say.

    Args:
        points: (M, 3) m, camera frame. pixels: (M, 2) px.
        focal: px, where it is known.

    Returns:
        (3, 3) float64, by least squares; None where the points do not tell it, or no camera shows them there.
    """
    points, pixels = (torch.as_tensor(value).detach().double().reshape(-1, size)
                      for value, size in ((points, 3), (pixels, 2)))
    if len(points) < 6 or not (torch.isfinite(points).all() and torch.isfinite(pixels).all()) or (
            points[:, 2] <= 0).any():
        return None
    rays = points[:, :2] / points[:, 2:]
    off_axis, off_centre = rays - rays.mean(0), pixels - pixels.mean(0)
    if focal is None:
        if off_axis.std() < _SPREAD:
            return None
        focal = float((off_axis * off_centre).sum() / (off_axis**2).sum())
    centre = (pixels - focal * rays).mean(0)
    if (focal * rays + centre - pixels).square().sum(1).mean().sqrt() > _TOLERANCE or focal <= 0:
        return None
    return pinhole(focal, *centre.tolist())
