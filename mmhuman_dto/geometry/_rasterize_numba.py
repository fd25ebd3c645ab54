"""Rasteriser backend: a compiled loop over triangles (CPU)."""
import numba
import numpy as np
import torch

from ._screen import SUBPIXEL_BITS

_STEP = 1 << SUBPIXEL_BITS


def draw(soup, xy, inverse_depth, size):
    """Nearest triangle of every pixel.

    Args:
        soup: triangles; only ``corners`` (rows of ``xy``), ``mesh`` and ``face`` are read.
        xy: (V, 2) int32, sub-pixel units.
        inverse_depth: (V,) float64, 1/m.
        size: (H, W).

    Returns:
        z_map, id_map, face_map, see :class:`~mmhuman_dto.geometry.Raster`.
    """
    depth = np.zeros(size, np.float32)
    ids = np.zeros(size, np.int32)
    triangle = np.empty(size, np.int32)
    corners, mesh, face, xy, inverse_depth = (
        tensor.contiguous().numpy() for tensor in (soup.corners, soup.mesh, soup.face, xy, inverse_depth))
    _draw(corners, xy, inverse_depth, depth, triangle)
    _label(mesh, face, depth, ids, triangle)
    return torch.from_numpy(depth), torch.from_numpy(ids), torch.from_numpy(triangle)


@numba.njit(cache=True, nogil=True)
def _draw(corners, xy, inverse_depth, nearest, triangle):
    height, width = nearest.shape
    for t in range(len(corners)):
        a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
        xa, xb, xc = np.int64(xy[a, 0]), np.int64(xy[b, 0]), np.int64(xy[c, 0])
        left = max((min(xa, xb, xc) + _STEP - 1) >> SUBPIXEL_BITS, 0)
        right = min(max(xa, xb, xc) >> SUBPIXEL_BITS, width - 1)
        if left > right:
            continue
        ya, yb, yc = np.int64(xy[a, 1]), np.int64(xy[b, 1]), np.int64(xy[c, 1])
        top = max((min(ya, yb, yc) + _STEP - 1) >> SUBPIXEL_BITS, 0)
        bottom = min(max(ya, yb, yc) >> SUBPIXEL_BITS, height - 1)
        if top > bottom:
            continue
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        if area == 0:
            continue
        if area < 0:
            area, b, c, xb, xc, yb, yc = -area, c, b, xc, xb, yc, yb

        # Doubled areas opposite to each corner, at the first pixel; their steps per row and (negated) per column.
        row_a, row_b, row_c = xc - xb, xa - xc, xb - xa
        col_a, col_b, col_c = yc - yb, ya - yc, yb - ya
        x, y = left * _STEP, top * _STEP
        area_a = row_a * (y - yb) - col_a * (x - xb)
        area_b = row_b * (y - yc) - col_b * (x - xc)
        area_c = row_c * (y - ya) - col_c * (x - xa)

        za = inverse_depth[a]
        slope_b, slope_c = (inverse_depth[b] - za) / area, (inverse_depth[c] - za) / area
        z_first = za + (area_b * slope_b + area_c * slope_c)
        z_row = (row_b * slope_b + row_c * slope_c) * _STEP
        z_col = (col_b * slope_b + col_c * slope_c) * -_STEP

        # A pixel centre on an edge belongs to the triangle only if this is a top or left edge.
        if not (col_a < 0 or (col_a == 0 and row_a > 0)):
            area_a -= 1
        if not (col_b < 0 or (col_b == 0 and row_b > 0)):
            area_b -= 1
        if not (col_c < 0 or (col_c == 0 and row_c > 0)):
            area_c -= 1
        for i in range(top, bottom + 1):
            z_start = z_first + (i - top) * z_row
            down = (i - top) * _STEP
            in_a, in_b, in_c = area_a + down * row_a, area_b + down * row_b, area_c + down * row_c
            for j in range(left, right + 1):
                if (in_a | in_b | in_c) >= 0:
                    z = np.float32(z_start + (j - left) * z_col)
                    if z > nearest[i, j]:
                        nearest[i, j] = z
                        triangle[i, j] = t
                in_a -= col_a * _STEP
                in_b -= col_b * _STEP
                in_c -= col_c * _STEP


@numba.njit(cache=True, nogil=True)
def _label(mesh, face, depth, ids, triangle):
    """Turn inverse depths into depths and triangles into faces, in place, and set the ids."""
    for i in range(depth.shape[0]):
        for j in range(depth.shape[1]):
            if depth[i, j] > 0:
                depth[i, j] = np.float32(1) / depth[i, j]
                ids[i, j] = mesh[triangle[i, j]] + 1
                triangle[i, j] = face[triangle[i, j]]
            else:
                triangle[i, j] = -1
