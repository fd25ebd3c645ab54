"""Rasteriser backend: a compiled loop over triangles (CPU)."""
import numba
import numpy as np
import torch

from ._screen import LAST_TRIANGLE, SUBPIXEL_BITS

_STEP = 1 << SUBPIXEL_BITS


def draw(screen, size):
    """Nearest triangle of every pixel: z_map, id_map, face_map (H, W), see :class:`~mmhuman_dto.geometry.Raster`."""
    xy, inverse_depth, corners, mesh, face = (tensor.contiguous().numpy() for tensor in screen)
    nearest = np.zeros(size, np.int64)
    z_map = np.zeros(size, np.float32)
    id_map = np.zeros(size, np.int32)
    face_map = np.empty(size, np.int32)
    _draw(xy, inverse_depth, corners, nearest)
    _label(nearest, mesh, face, z_map, id_map, face_map)
    return torch.from_numpy(z_map), torch.from_numpy(id_map), torch.from_numpy(face_map)


@numba.njit(cache=True, nogil=True, error_model='numpy')
def _draw(xy, inverse_depth, corners, nearest):
    height, width = nearest.shape
    for t in range(len(corners)):
        a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
        xa, xb, xc = np.int64(xy[0, a]), np.int64(xy[0, b]), np.int64(xy[0, c])
        left = max((min(xa, xb, xc) + _STEP - 1) >> SUBPIXEL_BITS, 0)
        right = min(max(xa, xb, xc) >> SUBPIXEL_BITS, width - 1)
        ya, yb, yc = np.int64(xy[1, a]), np.int64(xy[1, b]), np.int64(xy[1, c])
        top = max((min(ya, yb, yc) + _STEP - 1) >> SUBPIXEL_BITS, 0)
        bottom = min(max(ya, yb, yc) >> SUBPIXEL_BITS, height - 1)
        if (left > right) | (top > bottom):
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
                # Without branches, which a processor cannot predict here: a third faster.
                z = np.float32(z_start + (j - left) * z_col)
                key = np.int64(z.view(np.int32)) << 32 | (LAST_TRIANGLE - t)
                nearest[i, j] = max(nearest[i, j], key if (in_a | in_b | in_c) >= 0 else 0)
                in_a -= col_a * _STEP
                in_b -= col_b * _STEP
                in_c -= col_c * _STEP


@numba.njit(cache=True, nogil=True, error_model='numpy')
def _label(nearest, mesh, face, z_map, id_map, face_map):
    """Read the maps from the keys; z_map and id_map start as zeros."""
    for i in range(nearest.shape[0]):
        for j in range(nearest.shape[1]):
            key = nearest[i, j]
            if key:
                triangle = LAST_TRIANGLE - (key & LAST_TRIANGLE)
                z_map[i, j] = np.float32(1) / np.int32(key >> 32).view(np.float32)
                id_map[i, j] = mesh[triangle] + 1
                face_map[i, j] = face[triangle]
            else:
                face_map[i, j] = -1
