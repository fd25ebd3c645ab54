"""NLF: what ``detect_smpl_batched`` returns, with translations in metres and points in millimetres."""
import numpy as np
import torch

from mmhuman_dto.fileio.finding import find_files
from mmhuman_dto.registry import RESULTS
from mmhuman_dto.structures import People

from .base import ImageResult, ResultError
from .cameras import longer_side_focal, measured, pinhole
from .files import FilesReader, Picture, numbers
from .meshes_only import check_meshes, faces_for, mesh_people, nobody

#: Field of view, degrees, along the longer side, where the caller gives no camera.
FIELD_OF_VIEW = 55.
#: Points are in mm, ``trans`` is in m.
_PER_METRE = 1000
_POINTS = ('vertices3d', 'joints3d', 'vertices3d_nonparam', 'joints3d_nonparam')
_LAYOUTS = {72: 'smpl', 165: 'smplx'}
#: Keys that name the pictures of a file, whichever is there.
_NAMES = ('image_names', 'names')
_UNIT_HINT = 'NLF writes points in mm and trans in m; write them as it returned them.'


@RESULTS.register_module()
class NLF(FilesReader):
    """A dictionary of lists, an entry a picture: ``pose`` (n, 72) or (n, 165), ``betas`` (n, 10), ``trans`` (n, 3) m,
    ``vertices3d`` (n, V, 3) and ``joints3d`` (n, J, 3) mm, camera frame, ``vertices2d`` and ``joints2d`` px; the same
    with ``_nonparam``. Of several pictures ``image_names`` names them.
    """
    kind = 'nlf'
    program = 'NLF (https://github.com/isarandi/nlf)'
    files = 'a file a picture with the dictionary that detect_smpl_batched returns'
    licence = 'code MIT, models non-commercial; SMPL and SMPL-X: MPI, non-commercial'

    @classmethod
    def sniff(cls, path):
        return _compressed(path) or super().sniff(path)

    @classmethod
    def knows(cls, content):
        if not isinstance(content, dict):
            return False
        return bool({'vertices3d', 'vertices3d_nonparam'} & set(content)) and bool({'trans', 'boxes'} & set(content))

    def read(self):
        if _compressed(self.path):
            raise ResultError(f'{self.path}: BodyCompress files (.xz) of the NLF pipeline are packed in their own way. '
                              'Open them with the bodycompress package that wrote them, and save what it '
                              'gives: the dictionary by pickle, or vertices (in mm) and K as .npz of the kind meshes.')
        return super().read()

    def parts(self, content, name, where):
        if _is_single(content):
            return {name: content}
        pictures = len(_entries(content))
        given = next((content[key] for key in _NAMES if key in content), [name] if pictures == 1 else None)
        if given is None or len(given) != pictures:
            raise ResultError(f'{where}: {pictures} pictures, whose names are not in it; add the key image_names, a '
                              'list of as many, or save a file a picture')
        lists = {field: values for field, values in content.items()
                 if field not in _NAMES and hasattr(values, '__len__') and len(values) == pictures}
        return {str(key): {field: values[i] for field, values in lists.items()} for i, key in enumerate(given)}

    def joined(self, content, parts):
        if _is_single(content):
            return parts[0]
        changed = {key for part in parts for key in ('trans', *_POINTS) if key in part}
        return {key: _refilled(values, [part[key] for part in parts]) if key in changed else values
                for key, values in content.items()}

    def picture(self, part, name, where):
        image_size = self.context.image_size(name)
        key = next(key for key in ('vertices3d', 'vertices3d_nonparam') if key in part)
        if not len(part[key]):
            return Picture(ImageResult(name, nobody(), None, image_size), None, 'SMPL')
        vertices = numbers(part, key, (None, None, 3), where) / _PER_METRE
        check_meshes(vertices, where, key, _UNIT_HINT)
        joints = _joints(part, key, where)
        intrinsics, guess = _camera(part, key, vertices, image_size, where)
        if 'pose' in part:
            people, faces, body, notes = self._bodies(part, vertices, joints, where)
        else:
            faces, notes = faces_for(vertices, self.own_faces(), self.context, where), ()
            known = None if joints is None else _smpl(joints)
            people, body = mesh_people(vertices, faces, None if joints is None else joints[:, 0], known), 'SMPL'
        return Picture(ImageResult(name, people, intrinsics, image_size), faces, body, notes, guess)

    def moved(self, part, picture, moves):
        in_mm, pelvis = moves.in_units(_PER_METRE), picture.image.people.pelvis.double() * _PER_METRE
        changed = {key: _rows(part[key], lambda row, points: in_mm.points(row, points, pelvis[row]))
                   for key in _POINTS if key in part}
        if 'trans' in part:
            changed['trans'] = _rows(part['trans'], moves.translated)
        return {**part, **changed}

    def _bodies(self, part, vertices, joints, where):
        """(People, faces, body, notes) by pose and shape."""
        count = len(vertices)
        pose = numbers(part, 'pose', (count, None), where)
        if pose.shape[1] not in _LAYOUTS:
            raise ResultError(f"{where}, key 'pose': {pose.shape[1]} numbers, expected 72 (SMPL) or 165 (SMPL-X)")
        pose, betas = pose.unflatten(1, (-1, 3)), numbers(part, 'betas', (count, None), where)
        trans = numbers(part, 'trans', (count, 3), where)
        posed = self.context.bodies(_LAYOUTS[pose[0].numel()], pose, betas, trans, vertices=vertices,
                                    pelvis=None if joints is None else joints[:, 0])
        fields = posed.fields()
        if joints is not None:
            fields['smpl_joints'] = _smpl(joints).float()
        people = People(num_people=count, **fields, global_orient=pose[:, 0].float(), body_pose=pose[:, 1:].float(),
                        betas=betas.float(), transl=trans.float())
        return people, posed.faces, posed.body, posed.notes


def _camera(part, key, vertices, image_size, where):
    """(intrinsics, whether the focal length is the program's default): by 2D vertices, else the default."""
    default = None if image_size is None else longer_side_focal(FIELD_OF_VIEW, image_size)
    flat, found = key.replace('3d', '2d'), None
    if flat in part:
        found = measured(vertices, numbers(part, flat, (*vertices.shape[:2], 2), where))
    if found is None:
        if image_size is None:
            return None, True
        height, width = image_size
        return pinhole(default, (width - 1) / 2, (height - 1) / 2), True
    return found, default is not None and abs(float(found[0, 0]) / default - 1) < .01


def _joints(part, key, where):
    """Joints (n, 24 or 55, 3) m that belong to the vertices; None without."""
    name = key.replace('vertices', 'joints')
    return numbers(part, name, (len(part[key]), None, 3), where) / _PER_METRE if name in part else None


def _smpl(joints):
    """SMPL's joints (n, 24, 3) of SMPL's 24 or SMPL-X's 55, which share the first 22; the hands of the latter nan."""
    if joints.shape[1] == 24:
        return joints
    return torch.cat([joints[:, :22], joints.new_full((len(joints), 2, 3), torch.nan)], 1)


def _entries(content):
    return next(content[key] for key in ('vertices3d', 'vertices3d_nonparam') if key in content)


def _is_single(content):
    """Whether a dictionary is of one picture, without lists."""
    return getattr(_entries(content), 'ndim', 0) == 3


def _rows(values, change):
    """(n, ...) with ``change(row, values)`` of each row, as array or tensor."""
    rows = [change(row, values[row]) for row in range(len(values))]
    if not rows:
        return values
    return torch.stack(rows) if torch.is_tensor(values) else np.stack(rows)


def _refilled(values, entries):
    """Entries of pictures in a list, tuple, object array or stack as ``values`` is."""
    if torch.is_tensor(values):
        return torch.stack(entries)
    if isinstance(values, np.ndarray) and values.dtype != object:
        return np.stack(entries)
    if isinstance(values, np.ndarray):
        filled = np.empty(len(entries), object)
        for i, entry in enumerate(entries):
            filled[i] = entry
        return filled
    return type(values)(entries)


def _compressed(path):
    """Whether a path is of the pipeline's compressed files."""
    return path.suffix == '.xz' or path.is_dir() and any(name.endswith('.xz') for name in find_files(path, ('.xz', )))
