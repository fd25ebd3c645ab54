"""Meshes drawn into maps: which pixels show whom, and how deep."""
import torch

from ..geometry import rasterize, resize_intrinsics, visible_vertices
from .problem import stack_pose, stack_rows

#: Meshes are drawn with this many pixels at most along the longer side, as by the DTO paper (arXiv 2511.13282).
LONG_SIDE = 512


def draw_meshes(samples, sizes, body_model, long_side=LONG_SIDE):
    """Set ``pred_maps.id_map``, ``.z_map`` and ``visible_vertices`` of S samples; the nearest mesh wins.

    Where ``pred_maps`` has a ``segmentation``, a pixel is a person's only if it says so too. ``sizes`` are S (h, w) of
    the maps, px of the camera; at most ``long_side`` pixels along the longer side are drawn, then enlarged (nearest).
    """
    people = [sample.pred_instances for sample in samples]
    betas, transl = stack_rows(people, 'betas', (body_model.num_betas, )), stack_rows(people, 'transl', (3, ))
    meshes = body_model(stack_pose(people, body_model), betas, transl).vertices
    for sample, size, vertices in zip(samples, sizes, meshes.split([len(group) for group in people]), strict=True):
        _draw(sample, tuple(size), vertices, body_model.faces, long_side)


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
