"""Rasteriser backend: vectorised torch (CPU and CUDA), with the arithmetic of the compiled loop step by step."""
from typing import NamedTuple

import torch

from ._screen import LAST_TRIANGLE, SUBPIXEL_BITS

_STEP = 1 << SUBPIXEL_BITS
#: Pixels of bounding boxes tested at a time: bounds the intermediate tensors to about half a GB.
_CHUNK = 1 << 21


class _Boxes(NamedTuple):
    """Triangles with at least one pixel centre in their bounding box, K rows each.

    ``triangle`` row of the input; ``left``, ``top``, ``width``, ``count`` of the box, px; ``edges`` (K, 3, 3) int64:
    for each corner the doubled area opposite to it at the first pixel, its step per row and per column;
    ``depth`` (K, 3) float64: the same for inverse depth.
    """
    triangle: torch.Tensor
    left: torch.Tensor
    top: torch.Tensor
    width: torch.Tensor
    count: torch.Tensor
    edges: torch.Tensor
    depth: torch.Tensor


def draw(screen, size):
    """Nearest triangle of every pixel: z_map, id_map, face_map (H, W), see :class:`~mmhuman_dto.geometry.Raster`."""
    height, width = size
    device = screen.xy.device
    nearest = torch.zeros(height * width, dtype=torch.int64, device=device)
    boxes = _boxes(screen, height, width)
    ends = boxes.count.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, _CHUNK):
        pixel, key = _fragments(boxes, ends, start, min(start + _CHUNK, total), width)
        nearest.scatter_reduce_(0, pixel, key, 'amax')

    seen = nearest.nonzero()[:, 0]
    key = nearest[seen]
    triangle = LAST_TRIANGLE - (key & LAST_TRIANGLE)
    z_map = torch.zeros(height * width, device=device)
    z_map[seen] = 1 / (key >> 32).to(torch.int32).view(torch.float32)
    id_map = torch.zeros(height * width, dtype=torch.int32, device=device)
    id_map[seen] = screen.mesh[triangle] + 1
    face_map = torch.full_like(id_map, -1)
    face_map[seen] = screen.face[triangle]
    return z_map.view(size), id_map.view(size), face_map.view(size)


def _fragments(boxes, ends, start, stop, width):
    """Covered pixels among bounding-box pixels start..stop, counted over all boxes, and the key of each."""
    first, last = torch.searchsorted(ends, torch.tensor([start, stop - 1], device=ends.device), right=True).tolist()
    begins = ends - boxes.count
    part = slice(first, last + 1)
    counts = ends[part].clamp(max=stop) - begins[part].clamp(min=start)
    box = torch.arange(first, last + 1, device=ends.device).repeat_interleave(counts)
    offset = torch.arange(start, stop, device=ends.device) - begins[box]
    down, right = offset // boxes.width[box], offset % boxes.width[box]

    edges = boxes.edges[box]
    areas = edges[..., 0] + down[:, None] * edges[..., 1] + right[:, None] * edges[..., 2]
    covered = (areas >= 0).all(-1)
    box, down, right = box[covered], down[covered], right[covered]

    depth = boxes.depth[box]
    inverse_depth = (depth[:, 0] + down * depth[:, 1]) + right * depth[:, 2]
    bits = inverse_depth.to(torch.float32).view(torch.int32).long()
    key = bits << 32 | (LAST_TRIANGLE - boxes.triangle[box])
    return (boxes.top[box] + down) * width + boxes.left[box] + right, key


def _boxes(screen, height, width):
    corners = screen.corners.long()
    x, y = screen.xy[:, corners].long()
    left, right = _pixel_range(x, width)
    top, bottom = _pixel_range(y, height)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])
    kept = ((left <= right) & (top <= bottom) & (area != 0)).nonzero()[:, 0]
    left, right, top, bottom, area = (values[kept] for values in (left, right, top, bottom, area))
    both_ways = torch.tensor([[0, 1, 2], [0, 2, 1]], device=corners.device)
    corners = corners[kept].gather(1, both_ways[(area < 0).long()])
    area = area.abs()

    x, y = screen.xy[:, corners].long()
    per_row = x.roll(-2, 1) - x.roll(-1, 1)
    per_column = y.roll(-1, 1) - y.roll(-2, 1)
    areas = (per_row * (top[:, None] * _STEP - y.roll(-1, 1)) + per_column * (left[:, None] * _STEP - x.roll(-1, 1)))
    # A pixel centre on an edge belongs to the triangle only if this is a top or left edge.
    owns_edge = (per_column > 0) | ((per_column == 0) & (per_row > 0))
    edges = torch.stack([areas - (~owns_edge).long(), per_row * _STEP, per_column * _STEP], -1)

    z = screen.inverse_depth[corners]
    slope_b, slope_c = (z[:, 1] - z[:, 0]) / area, (z[:, 2] - z[:, 0]) / area
    depth = torch.stack([
        z[:, 0] + (areas[:, 1] * slope_b + areas[:, 2] * slope_c),
        (per_row[:, 1] * slope_b + per_row[:, 2] * slope_c) * _STEP,
        (per_column[:, 1] * slope_b + per_column[:, 2] * slope_c) * _STEP
    ], -1)
    columns = right - left + 1
    return _Boxes(kept, left, top, columns, columns * (bottom - top + 1), edges, depth)


def _pixel_range(coordinate, size):
    """First and last pixel whose centre lies within the extent of corners (T, 3) along one axis of the image."""
    first = (coordinate.amin(-1) + _STEP - 1) >> SUBPIXEL_BITS
    last = coordinate.amax(-1) >> SUBPIXEL_BITS
    return first.clamp(min=0), last.clamp(max=size - 1)
