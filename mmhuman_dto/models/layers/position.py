"""Position encodings."""
import math

import torch
from torch.nn.functional import interpolate

from mmhuman_dto.geometry.precision import at_least_single


def sine_encoding(values, width, temperature=20):
    """Sine encoding of coordinates in [0, 1] (DAB-DETR, arXiv 2201.12329): (*) -> (*, width).

    Channels are sin and cos in turn; pair i has the frequency ``2 pi / temperature^(2 i / width)``.
    """
    values = at_least_single(values)  # too fine for half precision
    pair = torch.arange(width // 2, device=values.device, dtype=values.dtype)
    angle = values[..., None] * 2 * math.pi / temperature**(2 * pair / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)


def point_encoding(xy, width):
    """Points (*, 2) as x, y in [0, 1] -> (*, width): y in the first half of the channels, x in the second."""
    x, y = xy.unbind(-1)
    return torch.cat([sine_encoding(y, width // 2), sine_encoding(x, width // 2)], -1)


def moved_encoding(offset, width):
    """Matrix M (width, width) with ``M @ point_encoding(xy, width) == point_encoding(xy + offset, width)``.

    Adding to an angle turns its (sin, cos).
    """
    blocks = []
    for distance in (offset[1], offset[0]):
        sin_cos = sine_encoding(torch.tensor(float(distance)), width // 2).view(-1, 2)
        blocks += [torch.stack([c, s, -s, c]).view(2, 2) for s, c in sin_cos]
    return torch.block_diag(*blocks)


def box_encoding(boxes, width):
    """Boxes (*, 4) as cx, cy, w, h in [0, 1] -> (*, 2 width): y, x, h, w, half a width each."""
    return torch.cat([point_encoding(boxes[..., :2], width), point_encoding(boxes[..., 2:], width)], -1)


def inverse_sigmoid(x, eps=1e-5):
    """Logit of x in [0, 1], of finite value at both ends."""
    return (x.clamp(eps, 1) / (1 - x).clamp(eps, 1)).log()


def resize_positions(grid, size):
    """Learned positions (S, S, C) -> (size, size, C), bicubic, not antialiased."""
    resized = interpolate(grid.permute(2, 0, 1)[None], size=(size, size), mode='bicubic', align_corners=False)
    return resized[0].permute(1, 2, 0)


def resample_dinov2_positions(grid, size):
    """DINOv2's positions (37, 37, C) for another image size, as DINOv2 does: by scale factor, with its offset of .1."""
    factor = (size + 0.1) / grid.shape[0]
    resized = interpolate(grid.permute(2, 0, 1)[None], scale_factor=(factor, factor), mode='bicubic')
    return resized[0].permute(1, 2, 0)
