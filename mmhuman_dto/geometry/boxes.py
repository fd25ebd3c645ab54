"""Boxes as (*, 4) tensors of cx, cy, w, h, in any one unit."""
import torch


def corners(boxes):
    """(*, 4) cx, cy, w, h -> (*, 4) x1, y1, x2, y2."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1)


def generalized_iou(first, second, eps=1e-6):
    """Generalised IoU (Rezatofighi et al. 2019) of broadcastable boxes (*, 4) -> (*), in [-1, 1].

    ``eps`` is added to the union and to the hull, so boxes without area give finite values.
    """
    a, b = corners(first), corners(second)
    overlap = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + eps
    union = first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - overlap + eps
    return overlap / union - (hull - union) / hull


def from_corners(boxes):
    """(*, 4) x1, y1, x2, y2 -> (*, 4) cx, cy, w, h."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)
