"""What a scene can be saved as, by name: pictures, meshes, parameters.

A writer is a function (scene, path without suffix) -> list of the files it wrote; ``WRITERS['name'] = f`` adds one. It
raises :class:`KindError` for a scene that has not what its kind needs.
"""
from pathlib import Path

import numpy as np

from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.tables.people_file import write_people

from .birdseye import draw_birdseye
from .contact_sheet import shrink
from .html_page import write_html
from .mesh_writers import versions, write_scene_glb, write_scene_obj, write_scene_ply, write_scene_usd
from .motion_writers import write_scene_amass, write_scene_bvh_cm, write_scene_bvh_m, write_scene_trc
from .overlay import draw_overlay
from .rigs import KindError
from .sideview import draw_sideview

#: Photos are drawn on at this size (px) at most.
LARGEST_OVERLAY = (1600, 2048)


def save_scene(scene, out_dir, name, kinds):
    """Save a scene as ``OUT_DIR/KIND/NAME.suffix`` for each kind of ``WRITERS``: a list of the paths written.

    ``name`` may contain folders.

    Raises:
        ValueError: a kind that is not known; nothing is written.
        KindError: kinds that cannot be made of this scene, each with its reason; all others are written.
    """
    return save_kinds(kinds, WRITERS, lambda kind, write: write(scene, Path(out_dir) / kind / name))


def save_kinds(kinds, writers, write):
    """The paths that ``write(kind, writer)`` gives of all kinds, whose writers are in a table; errors as of
    :func:`save_scene`."""
    check_kinds(kinds, writers)
    paths, refused = [], []
    for kind in kinds:
        try:
            paths += write(kind, writers[kind])
        except KindError as error:
            refused.append(f'no {kind} of {error}')
    if refused:
        raise KindError('; '.join(refused))
    return paths


def check_kinds(kinds, writers=None):
    """Raise ValueError for a kind without a writer among ``writers``, by default those of scenes."""
    writers = WRITERS if writers is None else writers
    unknown = [kind for kind in kinds if kind not in writers]
    if unknown:
        raise ValueError(f'cannot save {", ".join(unknown)}; known: {", ".join(writers)}')


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
    for suffix, placement in versions(scene):
        if placement.sample is None:
            raise KindError(f'{scene.title}: made from meshes, not from parameters that could be saved')
        for kind in ('.json', '.npz'):
            paths.append(Path(f'{path}{suffix}{kind}'))
            write_people(paths[-1], placement.sample)
    return paths


#: Name -> writer.
WRITERS = dict(overlay=write_overlay, side=write_side, birdseye=write_birdseye, params=write_params,
               glb=write_scene_glb, obj=write_scene_obj, ply=write_scene_ply, usd=write_scene_usd,
               bvh=write_scene_bvh_cm, bvh_m=write_scene_bvh_m, amass=write_scene_amass, trc=write_scene_trc,
               html=write_html)


def _image(path, suffix, picture):
    path = Path(f'{path}{suffix}')
    write_image(path, picture)
    return [path]
