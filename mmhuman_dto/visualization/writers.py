"""What a scene can be saved as, by name: pictures, meshes, parameters.

A writer is a function (scene, path without suffix) -> list of the files it wrote; ``WRITERS['name'] = f`` adds one.
"""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio.gltf import Body, write_glb
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.fileio.names import BEFORE
from mmhuman_dto.fileio.obj import write_obj
from mmhuman_dto.tables.people_file import write_people

from .birdseye import draw_birdseye
from .colors import colors_of
from .contact_sheet import shrink
from .html_page import write_html
from .mesh_render import vertex_normals
from .overlay import draw_overlay
from .people_rows import people_rows
from .sideview import draw_sideview

#: Photos are drawn on at this size (px) at most.
LARGEST_OVERLAY = (1600, 2048)


def save_scene(scene, out_dir, name, kinds):
    """Save a scene as ``OUT_DIR/KIND/NAME.suffix`` for each kind of ``WRITERS``: a list of the paths written.

    ``name`` may contain folders; ValueError for a kind that is not known.
    """
    check_kinds(kinds)
    return [path for kind in kinds for path in WRITERS[kind](scene, Path(out_dir) / kind / name)]


def check_kinds(kinds):
    """Raise ValueError for a kind without a writer."""
    unknown = [kind for kind in kinds if kind not in WRITERS]
    if unknown:
        raise ValueError(f'cannot save {", ".join(unknown)}; known: {", ".join(WRITERS)}')


def write_overlay(scene, path):
    """The photo with its people, before | after, as ``.jpg``."""
    panels = [draw_overlay(*shrink(scene.image, placement, LARGEST_OVERLAY), scene.faces, title=title)
              for title, placement in scene.panels]
    return _image(path, '.jpg', np.concatenate(panels, 1))


def write_side(scene, path):
    """From the side on a metre grid, before above after, as ``.png``."""
    return _image(path, '.png', draw_sideview(scene.panels, scene.faces, scene.image.shape[:2], scene.ground))


def write_birdseye(scene, path):
    """Straight from above on a metre grid, before | after, as ``.png``."""
    return _image(path, '.png', draw_birdseye(scene.panels, scene.faces, scene.image.shape[:2], ground=scene.ground))


def write_params(scene, path):
    """Parameters as ``.json`` and ``.npz``, see :mod:`mmhuman_dto.tables.people_file`; ``_before`` too after DTO."""
    paths = []
    for suffix, placement in _versions(scene):
        if placement.sample is None:
            raise ValueError(f'{scene.title}: made from meshes, not from parameters that could be saved')
        for kind in ('.json', '.npz'):
            paths.append(Path(f'{path}{suffix}{kind}'))
            write_people(paths[-1], placement.sample)
    return paths


def write_scene_glb(scene, path):
    """The meshes and the camera as ``.glb``, the ground at y = 0; ``_before`` too after DTO."""
    ground, paths = scene.ground, []
    for suffix, placement in _versions(scene):
        paths.append(Path(f'{path}{suffix}.glb'))
        write_glb(paths[-1], _bodies(scene, placement), scene.faces, placement.intrinsics, scene.image.shape[:2],
                  (ground.rotation, ground.height), dict(
                      image=scene.title, units='metres', notes=placement.notes,
                      coordinates='node camera_space: x right, y up, z towards the viewer, camera at its origin; '
                                  'scene: y up from the ground, which is an estimate from where the people stand',
                      focal_px=[float(placement.intrinsics[i, i]) for i in (0, 1)]))
    return paths


def write_scene_obj(scene, path):
    """The meshes as ``.obj`` in the camera's frame, y up; ``_before`` too after DTO."""
    paths = []
    for suffix, placement in _versions(scene):
        height, width = scene.image.shape[:2]
        (fx, _, cx), (_, fy, cy) = placement.intrinsics[:2]
        paths.append(Path(f'{path}{suffix}.obj'))
        write_obj(paths[-1], _bodies(scene, placement), scene.faces, (
            f'{len(placement.ids)} people of {scene.title}, by mmhuman_dto',
            'metres; x right, y up, z towards the viewer; the camera is at the origin and looks along -z',
            f'focal length {fx:.2f} {fy:.2f} px, principal point {cx:.2f} {cy:.2f} px, image {width} x {height} px',
            *placement.notes))
    return paths


#: Name -> writer.
WRITERS = dict(overlay=write_overlay, side=write_side, birdseye=write_birdseye, params=write_params,
               glb=write_scene_glb, obj=write_scene_obj, html=write_html)


def _image(path, suffix, picture):
    path = Path(f'{path}{suffix}')
    write_image(path, picture)
    return [path]


def _versions(scene):
    """(suffix of the file name, placement): the one that counts, and after DTO also the one before."""
    return [('', scene.last)] + ([] if scene.after is None else [(BEFORE, scene.before)])


def _bodies(scene, placement):
    normals = vertex_normals(torch.tensor(placement.vertices), torch.tensor(scene.faces).long()).numpy()
    normals = np.where(np.abs(normals).sum(-1, keepdims=True) > 0, normals, np.float32([0, 0, -1]))
    people = zip(people_rows(placement), placement.vertices, normals, colors_of(placement))
    return [Body(f'person_{row.person}', vertices, normal, tuple(color.tolist()), _facts(row))
            for row, vertices, normal, color in people]


def _facts(row):
    """What is known of a person, for viewers of its mesh."""
    numbers = dict(height_m=row.height, height_std_m=row.height_std, distance_m=row.distance,
                   distance_std_m=row.distance_std, score=row.score)
    words = dict(joints_seen=row.joints_text, note=row.note)
    return {**{name: round(value, 3) for name, value in numbers.items() if np.isfinite(value)},
            **{name: text for name, text in words.items() if text}}
