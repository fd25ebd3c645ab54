"""Z-buffer rasteriser: which mesh and face a pixel sees, and how far away, without OpenGL.

A pixel shows the face that covers its centre (integer + 0.5) and is nearest there; depth is exact along the face
(1/z is linear in the image). Faces that share an edge leave no cracks and never both cover a pixel of it. Both
sides of a face are drawn. What is nearer than 1 cm, or behind the camera, is cut off; faces with a vertex that is
not finite are left out. Results are the same in every run; of equally near faces the first is drawn.
"""
from importlib.util import find_spec
from typing import NamedTuple

import torch

from . import _rasterize_torch
from ._screen import collect, to_screen
from .camera import unproject


class Raster(NamedTuple):
    """What the pixels of an image see."""
    z_map: torch.Tensor  # (H, W) float32, depth along the optical axis, m; 0 where nothing is
    id_map: torch.Tensor  # (H, W) int32, i + 1 where mesh i is; 0 where nothing is
    face_map: torch.Tensor  # (H, W) int32, the face within its mesh; -1 where nothing is


def rasterize(vertices, faces, intrinsics, size, backend='auto'):
    """:func:`rasterize_meshes` of vertices (N, V, 3), m, camera frame, that share their faces (F, 3)."""
    return rasterize_meshes([(mesh, faces) for mesh in vertices], intrinsics, size, backend)


def rasterize_meshes(meshes, intrinsics, size, backend='auto'):
    """Draw meshes of any kind; not differentiable.

    Args:
        meshes: [(vertices (V_i, 3) m camera frame, faces (F_i, 3) integers), ...], on the device of ``intrinsics``.
        intrinsics: (3, 3), px.
        size: (H, W), px.
        backend: ``'numba'`` (CPU; needs the numba package), ``'torch'`` (any device) or ``'auto'``: numba on the CPU
            where installed, else torch. Both give the same pixels.

    Returns:
        :class:`Raster` on the same device.

    Raises:
        ValueError: unknown or unfit backend, wrong shapes, faces that name vertices their mesh does not have.
    """
    device = intrinsics.device
    draw = _backend(backend, device)
    with torch.no_grad():
        return Raster(*draw(to_screen(collect(meshes, device), intrinsics), tuple(size)))


def interpolate(raster, meshes, attributes, intrinsics):
    """Vertex attributes at the pixels, interpolated on the faces (not on the image): smooth normals, colours, points.

    ``raster`` is that of ``meshes`` and ``intrinsics`` (:func:`rasterize_meshes`), ``attributes`` are [(V_i, C), ...],
    one a mesh; the result is (H, W, C), 0 where nothing is, and differentiable in the attributes and the vertices.
    """
    rows, columns, values = interpolate_seen(raster, meshes, attributes, intrinsics)
    image = values.new_zeros(*raster.id_map.shape, values.shape[-1])
    image[rows, columns] = values
    return image


def interpolate_seen(raster, meshes, attributes, intrinsics):
    """Rows (P), columns (P) of the pixels that show a mesh, row by row, and what :func:`interpolate` gives there."""
    rows, columns = raster.id_map.nonzero(as_tuple=True)
    soup = collect(meshes, intrinsics.device)
    counts = torch.tensor([0] + [len(faces) for _, faces in meshes], device=rows.device)
    face = counts.cumsum(0)[raster.id_map[rows, columns].long() - 1] + raster.face_map[rows, columns]
    corners = soup.corners.T.long()

    pixels = torch.stack([columns, rows], -1) + 0.5
    rays = unproject(pixels.double(), torch.ones_like(rows, dtype=torch.float64), intrinsics.double())
    values = torch.cat(list(attributes))
    weights = _barycentric(soup.points.T[:, corners].unbind(1), face, rays.T).to(values.dtype)
    values = sum(weight[:, None] * values[corner] for weight, corner in zip(weights, corners[:, face]))
    return rows, columns, values


def visible_vertices(raster, faces, num_meshes, num_vertices, mask=None):
    """How many of V vertices of each of N meshes belong to a face that at least one pixel shows: (N,) int64.

    The meshes share ``faces`` (F, 3); ``mask`` (H, W) bool are the only pixels to count, or (N, H, W), those of each.
    """
    rows, columns = raster.id_map.nonzero(as_tuple=True)
    mesh = raster.id_map[rows, columns].long() - 1
    if mask is not None:
        counted = mask[rows, columns] if mask.ndim == 2 else mask[mesh, rows, columns]
        rows, columns, mesh = rows[counted], columns[counted], mesh[counted]
    face_seen = torch.zeros(num_meshes, len(faces), dtype=torch.bool, device=mesh.device)
    face_seen[mesh, raster.face_map[rows, columns].long()] = True
    mesh, face = face_seen.nonzero(as_tuple=True)
    vertex_seen = torch.zeros(num_meshes, num_vertices, dtype=torch.bool, device=mesh.device)
    vertex_seen[mesh[:, None], faces[face].long()] = True
    return vertex_seen.sum(-1)


def _backend(name, device):
    if name == 'auto':
        name = 'numba' if device.type == 'cpu' and find_spec('numba') else 'torch'
    if name == 'torch':
        return _rasterize_torch.draw
    if name != 'numba':
        raise ValueError(f"unknown rasteriser backend {name!r}, expected 'auto', 'numba' or 'torch'")
    if device.type != 'cpu':
        raise ValueError(f"rasteriser backend 'numba' draws on the CPU, the intrinsics are on {device}: use 'torch'")
    from . import _rasterize_numba  # compiled code is only loaded where it is used
    return _rasterize_numba.draw


def _barycentric(corners, face, rays):
    """Weights (3, P) of the corners, three (3, F), of the face (P) that each ray (3, P) from the camera meets.

    A pixel at an edge may be covered by the snapped face and yet miss the exact one: weights are kept within it.
    """
    a, b, c = corners
    volumes = torch.stack([torch.linalg.cross(p, q, dim=0) for p, q in ((b, c), (c, a), (a, b))])
    weights = (volumes[..., face] * rays).sum(1)
    weights = (weights / weights.sum(0)).nan_to_num(1 / 3).clamp(0, 1)
    return weights / weights.sum(0)
