"""Meshes that 4D-Humans and TokenHMR leave of pictures."""
import re
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.obj import ObjMesh
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ImageResult, ResultError, ResultReader
from .cameras import centred
from .files import Picture, together
from .meshes_only import check_meshes, faces_for, mesh_people
from .phalp import CROP_FOCAL, CROP_SIZE

#: ``<picture>_<person>.obj``; CameraHMR's have six digits, AiOS' other words before the number.
_NAME = re.compile(r'(?P<picture>.+)(?<!_personId)_(?P<person>0|[1-9]\d*)\.obj')
_NUM_VERTICES = 6890
#: The files have y up and z towards the viewer.
_TURN = np.array([1., -1, -1])


@RESULTS.register_module()
class Obj4DHumans(ResultReader):
    """A folder of ``<picture>_<person>.obj``, SMPL's mesh at its place, m, turned by half a turn about x: camera frame
    (x, -y, -z). The focal length is 5000 / 256 of the picture's longer side, whose size is not saved.
    """
    kind = '4dhumans'
    program = '4D-Humans (https://github.com/shubham-goel/4D-Humans), TokenHMR'
    files = 'a folder of <picture>_<person>.obj of demo.py --save_mesh'
    licence = '4D-Humans MIT, TokenHMR and SMPL non-commercial'

    @classmethod
    def sniff(cls, path):
        try:
            first = next(iter(_files(path)), None)
            return first is not None and has_vertices(first[0], _NUM_VERTICES)
        except OSError:
            return False

    def read(self):
        self.meshes, self.pelvises, people = [], [], {}
        for path, picture, person in _files(self.path):
            mesh = ObjMesh(path)
            if len(mesh.vertices) != _NUM_VERTICES:
                raise ResultError(f'{path}: {len(mesh.vertices)} vertices, expected {_NUM_VERTICES} of SMPL')
            self.meshes.append((path, mesh))
            people.setdefault(picture, []).append((person, mesh))
        if not people:
            raise ResultError(f'{self.path}: no <picture>_<person>.obj; expected {self.files}')
        return together([self._picture(name, meshes) for name, meshes in people.items()], self.path)

    def _picture(self, name, meshes):
        where = f'{self.path}, {name}'
        vertices = torch.from_numpy(np.stack([mesh.vertices * _TURN for _, mesh in meshes]))
        check_meshes(vertices, where, 'v')
        if any(not np.array_equal(mesh.faces, meshes[0][1].faces) for _, mesh in meshes):
            raise ResultError(f'{where}: people with other triangles than the first')
        faces = faces_for(vertices, meshes[0][1].faces, self.context, where)
        joints = self.context.bodies.joints_of('smpl', vertices)
        people = mesh_people(vertices, faces, None if joints is None else joints[:, 0], joints)
        size = self.context.image_size(name)
        camera = None if size is None else centred(CROP_FOCAL / CROP_SIZE * max(size), size)
        notes = () if size else (tracks.SIZE_HINT, )
        self.pelvises += people.pelvis.double()
        return Picture(ImageResult(name, people, camera, size), faces, 'SMPL', notes, True)

    def write(self, out, moves):
        rows = [(move, row) for move in moves for row in range(len(move.scale))]
        written = []
        for (path, mesh), (move, row), pelvis in zip(self.meshes, rows, self.pelvises, strict=True):
            content = mesh.moved(move.points(row, mesh.vertices * _TURN, pelvis) * _TURN)
            written.append(target := Path(out) / path.relative_to(self.path))
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, lambda temporary, content=content: temporary.write_bytes(content))
        return written


def has_vertices(path, count):
    """Whether an ``.obj`` has so many lines of vertices."""
    with open(path, 'rb') as file:
        return sum(line.startswith(b'v ') for line in file) == count


def _files(path):
    """[(file, picture, person)] of a folder, by picture and person."""
    found = [(file, match['picture'], int(match['person'])) for file in (path.iterdir() if path.is_dir() else ())
             if (match := _NAME.fullmatch(file.name))]
    return sorted(found, key=lambda entry: entry[1:])
