"""Meshes drawn into maps: which pixels show whom, and how deep."""
import torch

from ..geometry import rasterize, resize_intrinsics, visible_vertices
from .bodies import bodies_of

#: Meshes are drawn with this many pixels at most along the longer side, as by the DTO paper (arXiv 2511.13282).
LONG_SIDE = 512


def draw_meshes(samples, sizes, body_model, long_side=LONG_SIDE):
    """Set ``pred_maps.id_map``, ``.z_map`` and ``visible_vertices`` of S samples; the nearest mesh wins.

    Where ``pred_maps`` has a ``segmentation``, a pixel is a person's only if it says so too. ``sizes`` are S (h, w) of
    the maps, px of the camera; at most ``long_side`` pixels along the longer side are drawn, then enlarged (nearest).
    ``body_model`` may be other :class:`~.bodies.Bodies`.
    """
    people, bodies = [sample.pred_instances for sample in samples], bodies_of(body_model)
    meshes = bodies.vertices(people).split([len(group) for group in people])
    for sample, size, vertices in zip(samples, sizes, meshes, strict=True):
        _draw(sample, tuple(size), vertices, bodies.faces, long_side)


def _draw(sample, size, vertices, faces, long_side):
    factor = min(1, long_side / max(size))
    small = tuple(max(1, round(side * factor)) for side in size)
    intrinsics = resize_intrinsics(sample.pred_camera.intrinsics, small[1] / size[1], small[0] / size[0])
    raster = rasterize(vertices, faces, intrinsics, small)
    sample.pred_instances.visible_vertices = visible_vertices(raster, faces, *vertices.shape[:2])
    maps = sample.pred_maps
    drawn = torch.stack([raster.id_map.float(), raster.z_map])[None]
    ids, z = torch.nn.functional.interpolate(drawn, size, mode='nearest-exact')[0]
    if 'segmentation' in maps:
        ids = torch.where(ids == maps.segmentation, ids, 0.)
    maps.id_map, maps.z_map = ids.int(), torch.where(ids > 0, z, 0.)
