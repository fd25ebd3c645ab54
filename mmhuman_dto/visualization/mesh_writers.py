"""The meshes of a scene as files: writers of :data:`~mmhuman_dto.visualization.writers.WRITERS`."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio.gltf import Body, write_glb
from mmhuman_dto.fileio.names import BEFORE
from mmhuman_dto.fileio.obj import write_obj
from mmhuman_dto.fileio.packages import require
from mmhuman_dto.fileio.ply import write_ply
from mmhuman_dto.geometry.surfaces import vertex_normals

from .colors import colors_of
from .people_rows import people_rows
from .rigs import KindError, skins_of, upright


def write_scene_glb(scene, path, write=write_glb, suffix='.glb'):
    """The meshes over their bones and the camera as ``.glb``, the ground at y = 0; ``_before`` too after DTO."""
    ground, paths = scene.ground, []
    for version, placement in versions(scene):
        paths.append(Path(f'{path}{version}{suffix}'))
        bodies = bodies_of(placement, scene.faces, skins_of(placement))
        write(paths[-1], bodies, scene.faces, placement.intrinsics, scene.image.shape[:2],
              (ground.rotation, ground.height), dict(
                  image=scene.title, units='metres', notes=placement.notes,
                  coordinates='node camera_space: x right, y up, z towards the viewer, camera at its origin; '
                              'scene: y up from the ground, which is an estimate from where the people stand',
                  focal_px=[float(placement.intrinsics[i, i]) for i in (0, 1)]))
    return paths


def write_scene_usd(scene, path):
    """The same as ``.usdc``."""
    try:
        require('pxr', 'usd', 'docs/export.md')
    except ImportError as error:
        raise KindError(f'{scene.title}: {error}') from error
    from mmhuman_dto.fileio.usd import write_usd  # which needs that package
    return write_scene_glb(scene, path, write_usd, '.usdc')


def write_scene_obj(scene, path):
    """The meshes as ``.obj`` in the camera's frame, y up; ``_before`` too after DTO."""
    paths = []
    for suffix, placement in versions(scene):
        height, width = scene.image.shape[:2]
        (fx, _, cx), (_, fy, cy) = placement.intrinsics[:2]
        paths.append(Path(f'{path}{suffix}.obj'))
        write_obj(paths[-1], bodies_of(placement, scene.faces), scene.faces, (
            f'{len(placement.ids)} people of {scene.title}, by mmhuman_dto',
            'metres; x right, y up, z towards the viewer; the camera is at the origin and looks along -z',
            f'focal length {fx:.2f} {fy:.2f} px, principal point {cx:.2f} {cy:.2f} px, image {width} x {height} px',
            *placement.notes))
    return paths


def write_scene_ply(scene, path):
    """Each person's mesh as ``PATH/person_0.ply`` in the frame of the ``.glb``; ``_before`` too after DTO."""
    rotation, translation = upright(scene.ground)
    paths = []
    for suffix, placement in versions(scene):
        for body in bodies_of(placement, scene.faces):
            paths.append(Path(f'{path}{suffix}') / f'{body.name}.ply')
            write_ply(paths[-1], body.vertices @ rotation.T + translation, body.normals @ rotation.T, body.color,
                      scene.faces, (f'{body.name} of {scene.title}, by mmhuman_dto',
                                    'metres; x right, y up from the ground, z towards the viewer',
                                    ', '.join(f'{key} {value}' for key, value in body.extras.items()),
                                    *placement.notes))
    return paths


def versions(scene):
    """(suffix of the file name, placement): the one that counts, and after DTO also the one before."""
    return [('', scene.last)] + ([] if scene.after is None else [(BEFORE, scene.before)])


def bodies_of(placement, faces, skins=None):
    """A :class:`~mmhuman_dto.fileio.gltf.Body` a person, with bones where ``skins`` has them."""
    nobody = [None] * len(placement.ids)
    at_rest = None if not skins else _normals(np.stack([skin.vertices for skin in skins]), faces)
    people = zip(people_rows(placement), placement.vertices, _normals(placement.vertices, faces),
                 colors_of(placement), skins or nobody, nobody if at_rest is None else at_rest)
    return [Body(f'person_{row.person}', vertices, normals, tuple(color.tolist()), _facts(row), skin, rest_normals)
            for row, vertices, normals, color, skin, rest_normals in people]


def _normals(vertices, faces):
    """(N, V, 3) unit; towards the camera where a vertex has none."""
    normals = vertex_normals(torch.tensor(vertices, dtype=torch.float32), torch.tensor(faces).long()).numpy()
    return np.where(np.abs(normals).sum(-1, keepdims=True) > 0, normals, np.float32([0, 0, -1]))


def _facts(row):
    """What is known of a person, for viewers of its mesh."""
    numbers = dict(height_m=row.height, height_std_m=row.height_std, distance_m=row.distance,
                   distance_std_m=row.distance_std, score=row.score)
    words = dict(joints_seen=row.joints_text, note=row.note)
    return {**{name: round(value, 3) for name, value in numbers.items() if np.isfinite(value)},
            **{name: text for name, text in words.items() if text}}
