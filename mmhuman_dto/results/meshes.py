"""Meshes of any kind, in a layout of our own that a few lines write from whatever a program returns."""
import numpy as np
import torch

from mmhuman_dto.body_models import topology_of
from mmhuman_dto.registry import RESULTS

from .base import ANY_BODIES, ImageResult, ResultError
from .files import FilesReader, Picture, numbers
from .meshes_only import FACES_HINT, UNITS, check_meshes, faces_for, mesh_people

_UNIT_HINT = "Say the unit in the key units: 'm', 'cm' or 'mm'."


@RESULTS.register_module()
class Meshes(FilesReader):
    """An npz a picture with ``vertices`` (N, V, 3) in the camera frame (x right, y down, z forward) and ``K`` or
    ``intrinsics`` (3, 3), px of the whole picture.

    Optional keys: ``faces`` (F, 3); ``units`` 'm' (default), 'cm' or 'mm' of vertices and joints; ``image`` or ``name``
    of the picture, else the file's own name without suffix; ``joints`` (N, 24, 3), SMPL's, nan unknown; ``heights`` and
    ``heights_std`` (N) m; ``ages`` (N) years; ``image_size`` (height, width) px. What is written back differs in
    vertices, joints and, where placing changes the camera, in it.
    """
    kind = 'meshes'
    program = 'any program'
    files = 'an .npz a picture with vertices (N, V, 3) and K (3, 3)'
    licence = 'as of the body that the meshes are of'
    suffixes = ('.npz', )
    initial_heights = ANY_BODIES
    faces_hint = f'Add the key faces (F, 3) to the files. {FACES_HINT}'

    @classmethod
    def knows(cls, content):
        return isinstance(content, dict) and 'vertices' in content and bool({'K', 'intrinsics'} & set(content))

    def parts(self, content, name, where):
        given = [str(np.asarray(content[key])) for key in ('image', 'name') if key in content]
        return {(given or [name])[0]: content}

    def picture(self, part, name, where):
        per_metre = _per_metre(part, where)
        vertices = numbers(part, 'vertices', (None, None, 3), where) / per_metre
        check_meshes(vertices, where, 'vertices', _UNIT_HINT)
        count, size = vertices.shape[:2]
        given = part.get('faces', self.own_faces())
        faces = faces_for(vertices, given, self.context, where) if count else None
        more = {key: numbers(part, key, (count, ), where).float() for key in ('heights', 'heights_std', 'ages')
                if key in part}
        joints = numbers(part, 'joints', (count, 24, 3), where) / per_metre if 'joints' in part else None
        pelvis = joints[:, 0] if joints is not None and torch.isfinite(joints[:, 0]).all() else None
        people = mesh_people(vertices, faces, pelvis, joints, **more)
        image_size = self.context.image_size(name)
        if 'image_size' in part:
            image_size = tuple(numbers(part, 'image_size', (2, ), where).int().tolist())
        intrinsics = numbers(part, _camera_key(part), (3, 3), where)
        return Picture(ImageResult(name, people, intrinsics, image_size), faces, topology_of(size) or 'meshes')

    def moved(self, part, picture, moves):
        per_metre = _per_metre(part, str(self.path))
        in_units, pelvis = moves.in_units(per_metre), picture.image.people.pelvis.double() * per_metre
        changed = {key: np.stack([in_units.points(row, part[key][row], pelvis[row]) for row in range(len(pelvis))])
                   for key in ('vertices', 'joints') if key in part and len(pelvis)}
        if moves.intrinsics is not None:
            key = _camera_key(part)
            changed[key] = moves.intrinsics.numpy().astype(part[key].dtype)
        return {**part, **changed}


def _camera_key(part):
    return 'K' if 'K' in part else 'intrinsics'


def _per_metre(part, where):
    unit = str(np.asarray(part.get('units', 'm')))
    if unit not in UNITS:
        raise ResultError(f'{where}, key units: {unit!r}, expected {", ".join(UNITS)}')
    return UNITS[unit]
