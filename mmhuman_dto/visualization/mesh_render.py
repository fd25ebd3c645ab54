"""Shaded meshes over a picture, from our own z-buffer: no OpenGL."""
import cv2
import numpy as np
import torch

from ..geometry import interpolate, project, rasterize_meshes, resize_intrinsics
from ..geometry.camera import crop_intrinsics
from ..geometry.surfaces import vertex_normals

#: Directions towards the lights, camera frame, and their strength: sun from the upper left, soft light from the right.
LIGHTS = ((np.array([-.45, -.66, -.60], np.float32), 1.15), (np.array([.78, -.12, -.61], np.float32), .22))
#: Light from the sky and back from the ground, on surfaces that face up and down.
SKY, BOUNCE = .34, .12
#: What screens make of a channel's share of full light, as a table: shading is done in light, not in sRGB.
GAMMA = np.float32(2.2)
_TO_SRGB = (255 * np.linspace(0, 1, 4096)**(1 / 2.2)).astype(np.float32)
#: How much light remains where one person's outline meets another person or the picture.
OUTLINE_LIGHT = .55
#: The share of its opacity that is left of a surface without support.
FAINT = .3
#: Nearer surfaces shade what is at most this much deeper (m) beside them, at these distances (px of 1000 px pictures).
CREASE_DEPTH, CREASE_REACH = .05, (1.5, 4, 9)


def render_meshes(image, vertices, faces, intrinsics, colors, opacity=.88, supersample=2, support=None):
    """Draws shaded people over a picture, in a new one; the nearest surface wins in every sub-pixel.

    Args:
        vertices: (N, V, 3) m, camera frame. faces: (F, 3). intrinsics: (3, 3) px of ``image``.
        colors: (N, 3) uint8 RGB.
        opacity: 0..1; under 1 the picture shows through.
        supersample: sub-pixels along each side of a pixel, for smooth edges.
        support: (N, V) 0..1, more or less of the opacity, down to :data:`FAINT` of it; None: all of it.
    """
    picture = image.copy()
    left, top, right, bottom = _window(vertices, intrinsics, image.shape[:2])
    if left >= right or top >= bottom:
        return picture
    vertices, faces = torch.tensor(vertices, dtype=torch.float32), torch.tensor(faces, dtype=torch.int64)
    intrinsics = crop_intrinsics(torch.tensor(intrinsics, dtype=torch.float32), left, top)
    size = bottom - top, right - left
    layer = _draw(vertices, faces, intrinsics, size, np.asarray(colors), supersample, max(image.shape[:2]) / 1000,
                  support)
    window = picture[top:bottom, left:right]
    window[:] = np.clip(window * (1 - opacity * layer[..., 3:]) + opacity * layer[..., :3] + .5, 0, 255)
    return picture


def _window(vertices, intrinsics, size):
    """The part of the picture (left, top, right, bottom, px) that the people can be in."""
    points = np.asarray(vertices, np.float64).reshape(-1, 3)
    if len(points) == 0:
        return 0, 0, 0, 0
    if points[:, 2].min() < .05:  # what comes near the camera may be anywhere
        return 0, 0, size[1], size[0]
    pixels = project(torch.from_numpy(points), torch.as_tensor(intrinsics).double()).numpy()
    # With room for the outline around them.
    edges = np.stack([np.floor(pixels.min(0)) - 2, np.ceil(pixels.max(0)) + 2])
    return tuple(np.clip(edges, 0, size[::-1]).astype(int).ravel())


def _draw(vertices, faces, intrinsics, size, colors, supersample, scale, support):
    """Shaded people alone, (h, w, 4) float32: colour times coverage 0..255, coverage by strength 0..1."""
    intrinsics = resize_intrinsics(intrinsics, supersample, supersample)
    meshes = [(mesh, faces) for mesh in vertices]
    raster = rasterize_meshes(meshes, intrinsics, [supersample * side for side in size])
    normals = interpolate(raster, meshes, vertex_normals(vertices, faces), intrinsics).numpy()
    ids, z = raster.id_map.numpy(), raster.z_map.numpy()
    rows, cols = np.nonzero(ids)
    rays = _rays(rows, cols, intrinsics.numpy())
    creases = _creases(z[::supersample, ::supersample], [reach * scale for reach in CREASE_REACH])
    light = 1 - creases[rows // supersample, cols // supersample]
    light[_outline(ids)[rows, cols]] *= OUTLINE_LIGHT
    linear = (colors / np.float32(255))**GAMMA
    layer = np.zeros((*ids.shape, 4), np.float32)
    layer[rows, cols, :3] = _shade(linear[ids[rows, cols] - 1], _facing(normals[rows, cols], rays), rays, light)
    layer[rows, cols, 3] = 1
    if support is not None:
        strength = [torch.tensor(FAINT + (1 - FAINT) * of, dtype=torch.float32)[:, None] for of in support]
        layer *= interpolate(raster, meshes, strength, intrinsics).numpy()
    return cv2.resize(layer, size[::-1], interpolation=cv2.INTER_AREA)


def _rays(rows, cols, intrinsics):
    """(P, 3) float32 unit directions through pixel centres."""
    fx, fy, cx, cy = intrinsics[0, 0], intrinsics[1, 1], intrinsics[0, 2], intrinsics[1, 2]
    rays = np.stack([(cols + .5 - cx) / fx, (rows + .5 - cy) / fy, np.ones(len(rows))], -1).astype(np.float32)
    return rays / np.sqrt(_dot(rays, rays))[:, None]


def _facing(normals, rays):
    """Unit normals (P, 3) on the side the camera sees."""
    length = np.maximum(np.sqrt(_dot(normals, normals)), 1e-9)
    return normals / np.where(_dot(normals, rays) > 0, -length, length)[:, None]


def _dot(a, b):
    return np.einsum('pc,pc->p', a, b)


def _shade(linear, normals, rays, light):
    """Sky and lights on matt skin with a faint sheen, dimmed by ``light`` (P): sRGB (P, 3), 0..255."""
    total = BOUNCE + (SKY - BOUNCE) * (.5 - .5 * normals[:, 1])
    sheen = np.zeros_like(total)
    for direction, strength in LIGHTS:
        total += strength * np.maximum(normals @ direction + .25, 0) / 1.25  # wrapped: soft at its edge
        half = direction - rays
        sharp = np.maximum(_dot(normals, half), 0)**2 / _dot(half, half)
        sheen += strength * sharp**8
    lit = linear * (total * light)[:, None] + (.05 * sheen * light)[:, None]
    return _TO_SRGB[(np.minimum(lit, 1) * (len(_TO_SRGB) - 1)).astype(np.int32)]


def _creases(z, reaches):
    """How much (H, W), 0..1, of a surface's light its surroundings take: where nearer ones are beside it."""
    border = int(np.ceil(max(reaches))) + 1
    padded = np.pad(z, border)
    place = np.flatnonzero(padded)
    depth, flat = padded.take(place), padded.reshape(-1)
    shade = np.zeros_like(depth)
    for reach in reaches:
        for angle in (reach, reach + np.pi / 2):
            step = round(reach * np.sin(angle)) * padded.shape[1] + round(reach * np.cos(angle))
            sides = (flat.take(place + step), flat.take(place - step))
            rise = sum(np.where(beside > 0, depth - beside, 0) for beside in sides)
            # Far nearer things are other people in front, whose shade would be a halo.
            shade += np.clip(rise / CREASE_DEPTH, 0, 1) * (rise < 4 * CREASE_DEPTH)
    creases = np.zeros_like(padded)
    creases.reshape(-1)[place] = .9 * shade / (2 * len(reaches))
    return creases[border:-border, border:-border]


def _outline(ids):
    """True on sub-pixels where two people, or a person and the picture, meet."""
    edge = np.zeros(ids.shape, bool)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge
