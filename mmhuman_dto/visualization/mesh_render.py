"""Shaded meshes over a picture, from our own z-buffer: no OpenGL."""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

from ..geometry import interpolate, rasterize_meshes, resize_intrinsics

#: Towards the light, camera frame: from the upper left, on the camera's side.
LIGHT = np.array([-.35, -.7, -.62], dtype=np.float32)
#: How much light remains where one person's outline meets another person or the picture.
OUTLINE_LIGHT = .45


def render_meshes(image, vertices, faces, intrinsics, colors, opacity=.88, supersample=2):
    """Draws shaded people over a picture; the nearest surface wins in every sub-pixel.

    Args:
        image: (H, W, 3) uint8 RGB.
        vertices: (N, V, 3) m, camera frame.
        faces: (F, 3) integers.
        intrinsics: (3, 3) px of ``image``.
        colors: (N, 3) uint8 RGB.
        opacity: 0..1; under 1 the picture shows through.
        supersample: sub-pixels along each side of a pixel, for smooth edges.

    Returns:
        numpy.ndarray: (H, W, 3) uint8 RGB, a new array.
    """
    if len(vertices) == 0:
        return image.copy()
    height, width = image.shape[:2]
    vertices, faces = torch.tensor(vertices, dtype=torch.float32), torch.tensor(faces, dtype=torch.int64)
    intrinsics = resize_intrinsics(torch.tensor(intrinsics, dtype=torch.float32), supersample, supersample)
    meshes = [(mesh, faces) for mesh in vertices]
    raster = rasterize_meshes(meshes, intrinsics, (height * supersample, width * supersample))
    normals = interpolate(raster, meshes, vertex_normals(vertices, faces), intrinsics).numpy()
    ids = raster.id_map.numpy()
    rows, cols = np.nonzero(ids)

    rays = _rays(rows, cols, intrinsics.numpy())
    layer = np.zeros((*ids.shape, 4), np.float32)
    albedo = np.asarray(colors, np.float32)[ids[rows, cols] - 1]
    layer[rows, cols, :3] = _shade(albedo, _facing(normals[rows, cols], rays), rays)
    layer[rows, cols, :3] *= np.where(_outline(ids)[rows, cols], OUTLINE_LIGHT, 1)[:, None]
    layer[rows, cols, 3] = 1
    layer = cv2.resize(layer, (width, height), interpolation=cv2.INTER_AREA)
    coverage = opacity * layer[..., 3:]
    return np.clip(image * (1 - coverage) + opacity * layer[..., :3] + .5, 0, 255).astype(np.uint8)


def vertex_normals(vertices, faces):
    """Area-weighted unit normals.

    Args:
        vertices: (N, V, 3). faces: (F, 3) int64.

    Returns:
        torch.Tensor: (N, V, 3); zero for vertices of no face.
    """
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    face_normals = torch.cross(b - a, c - a, dim=-1)
    normals = torch.zeros_like(vertices)
    for k in range(3):
        normals.index_add_(1, faces[:, k], face_normals)
    return F.normalize(normals, dim=-1)


def _rays(rows, cols, intrinsics):
    """(P, 3) unit directions through pixel centres."""
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    rays = np.stack([(cols + .5 - cx) / fx, (rows + .5 - cy) / fy, np.ones(len(rows))], -1)
    return (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).astype(np.float32)


def _facing(normals, rays):
    """Unit normals (P, 3) on the side the camera sees."""
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    return np.where((normals * rays).sum(-1, keepdims=True) > 0, -normals, normals)


def _shade(albedo, normals, rays):
    """Wrapped diffuse light, darker where the surface turns away, a faint highlight: (P, 3)."""
    diffuse = .5 + .5 * normals @ LIGHT
    facing = -(normals * rays).sum(-1)
    half = LIGHT - rays
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    highlight = 38 * np.clip((normals * half).sum(-1), 0, 1)**28
    return albedo * ((.38 + .72 * diffuse) * (.7 + .3 * facing))[:, None] + highlight[:, None]


def _outline(ids):
    """True on sub-pixels where two people, or a person and the picture, meet."""
    edge = np.zeros(ids.shape, bool)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge
