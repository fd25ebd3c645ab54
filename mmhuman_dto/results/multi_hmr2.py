"""Multi-HMR 2: meshes of everybody, and the parameters that say where they are and by which camera."""
import math
import re
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.glb_mesh import GlbMesh
from mmhuman_dto.registry import RESULTS

from . import anny_bodies
from .base import AGED_BODIES, ImageResult, ResultError, ResultReader
from .cameras import centred
from .files import Picture, describe, in_layout, numbers, together
from .meshes_only import check_meshes, mesh_people, nobody
from .stored import Stored, load_stored, save_stored

MESHES, PARAMETERS = 'meshes', 'anny_params'
#: Longer side, px, of the pictures that the network sees, and what its sides are padded to a multiple of.
FRAME, PATCH = 768, 16
_TURNS = ((1., 1., 1.), (1., -1., -1.))  # the camera frame, and half a turn about x, as viewers want it
#: The root joint lies within the box around a mesh, or so far (m) out of it.
_MARGIN = .1
_TURNED_NOTE = 'meshes are turned by half a turn about x (y up), which was told by where anny_params say people are'


@RESULTS.register_module()
class MultiHMR2(ResultReader):
    """A folder with ``meshes/<picture>_000.glb``, a person each, and ``anny_params/<picture>.pkl``: K (3, 3), px of the
    network's picture, ``shape`` and ``pose_parameters`` (N, J, 4, 4), whose first translation is that of the pelvis.

    Placing changes the vertices of the meshes and that translation (and K with the camera).
    """
    kind = 'multi_hmr2'
    initial_heights = AGED_BODIES
    program = 'Multi-HMR 2 (https://github.com/naver/multi-hmr2)'
    files = 'the folder of multihmr2 --save_mesh --save_anny_params, with meshes/*.glb and anny_params/*.pkl'
    licence = 'not seen; Anny: Apache-2.0, its data CC0'

    @classmethod
    def sniff(cls, path):
        path = Path(path)
        return (path / PARAMETERS).is_dir() and any((path / PARAMETERS).glob('*.pkl'))

    def read(self):
        files = sorted((self.path / PARAMETERS).glob('*.pkl'))
        if not files:
            raise ResultError(f'{self.path}: no {PARAMETERS}/*.pkl in it; expected {self.files}')
        self._video = all(file.stem.isdigit() for file in files)
        self._read = [(file, load_stored(file), self._meshes(file.stem)) for file in files]
        self._pictures = [self._picture(*parts) for parts in self._read]
        return together(self._pictures, self.path)

    def write(self, out, moves):
        written = []
        for (file, stored, meshes), picture, move in zip(self._read, self._pictures, moves):
            turn = _turn(meshes, stored.content)
            pelvis = picture.image.people.pelvis
            for row, (path, mesh) in enumerate(meshes):
                points = move.points(row, mesh.vertices * turn, pelvis[row])
                target = Path(out, path.relative_to(self.path))
                target.parent.mkdir(parents=True, exist_ok=True)
                content = mesh.moved(points * turn)
                write_atomically(target, lambda temporary, content=content: temporary.write_bytes(content))
                written.append(target)
            target = Path(out, file.relative_to(self.path))
            save_stored(target, Stored(_moved(stored.content, move, picture.image.image_size), stored.form))
            written.append(target)
        return written

    def _meshes(self, stem):
        """[(file, mesh)] of the people of a picture, in the order of their numbers."""
        pattern = re.compile(re.escape(stem) + r'_(\d+)\.glb')
        found = ((pattern.fullmatch(path.name), path) for path in (self.path / MESHES).glob('*.glb'))
        return [(path, GlbMesh(path)) for _, path in sorted((int(match[1]), path) for match, path in found if match)]

    def _picture(self, file, stored, meshes):
        with in_layout(file, self.files):
            return self._understood(file, stored.content, meshes)

    def _understood(self, file, content, meshes):
        where = str(file)
        if not isinstance(content, dict) or 'pose_parameters' not in content:
            raise ResultError(f'{where}: {describe(content)}; expected K, shape and pose_parameters')
        frame = int(file.stem) if self._video else None
        image_size = self.context.image_size(file.stem, frame)
        pose = numbers(content, 'pose_parameters', (None, None, 4, 4), where)
        pelvis = pose[:, 0, :3, 3]
        if len(meshes) != len(pelvis):
            raise ResultError(f'{where}: {len(pelvis)} people, but {len(meshes)} meshes {MESHES}/{file.stem}_*.glb; '
                              'run multihmr2 with --save_mesh and --save_anny_params')
        if not meshes:
            empty = ImageResult(file.stem, nobody(), None, image_size, frame)
            return Picture(empty, None, 'Anny')
        if len({mesh.vertices.shape for _, mesh in meshes}) > 1:
            raise ResultError(f'{where}: its meshes differ in their number of vertices')
        turn = _turn(meshes, content)
        vertices = torch.from_numpy(np.stack([mesh.vertices * turn for _, mesh in meshes]))
        check_meshes(vertices, where, MESHES)
        faces = torch.from_numpy(meshes[0][1].faces)
        more = anny_bodies.anny_heights(numbers(content, 'shape', (len(pelvis), None), where))
        people = mesh_people(vertices, faces, pelvis, **more)
        image = ImageResult(file.stem, people, _camera(content, image_size, where), image_size, frame)
        return Picture(image, faces, 'Anny', (_TURNED_NOTE, ) if turn[1] < 0 else ())


def _turn(meshes, content):
    """Which turn (3) brings meshes to the camera frame, where the pelvises of the parameters are."""
    pelvis = torch.as_tensor(content['pose_parameters'])[:, 0, :3, 3].double().numpy()
    for turn in _TURNS if meshes else _TURNS[:1]:
        boxes = [(mesh.vertices * turn) for _, mesh in meshes]
        if all(((points.min(0) - _MARGIN < place) & (place < points.max(0) + _MARGIN)).all()
               for points, place in zip(boxes, pelvis)):
            return np.array(turn)
    raise ResultError(f'{meshes[0][0]}: the meshes of this picture are not where pose_parameters of {PARAMETERS} say '
                      'people are, neither as they are nor turned by half a turn about x; write both by one run')


def _camera(content, image_size, where):
    """Intrinsics of the whole picture; None without its size."""
    if image_size is None:
        return None
    scale, left, top = _frame(image_size)
    net = numbers(dict(K=_matrix(content)), 'K', (3, 3), where)
    intrinsics = centred(float(net[0, 0]) / scale, image_size)
    intrinsics[1, 1] = net[1, 1] / scale
    intrinsics[0, 2], intrinsics[1, 2] = (net[0, 2] - left) / scale, (net[1, 2] - top) / scale
    return intrinsics


def _frame(image_size):
    """(size of the network's picture over that of the whole, px of padding on the left, at the top)."""
    scale = FRAME / max(image_size)
    top, left = ((math.ceil(round(side * scale) / PATCH) * PATCH - round(side * scale)) // 2 for side in image_size)
    return scale, left, top


def _matrix(content):
    camera = torch.as_tensor(content['K']) if 'K' in content else None
    return camera[0] if camera is not None and camera.ndim == 3 else camera


def _moved(content, moves, image_size):
    """Parameters with other places of the pelvises and, where it is solved for, another camera."""
    pose = torch.as_tensor(content['pose_parameters']).clone()
    for row in range(len(pose)):
        pose[row, 0, :3, 3] = moves.translated(row, pose[row, 0, :3, 3])
    changed = {**content, 'pose_parameters': pose if torch.is_tensor(content['pose_parameters']) else pose.numpy()}
    if moves.intrinsics is not None and image_size is not None:
        scale, left, top = _frame(image_size)
        camera = torch.as_tensor(content['K']).clone()
        for axis, pad in ((0, left), (1, top)):
            camera[..., axis, axis] = moves.intrinsics[axis, axis] * scale
            camera[..., axis, 2] = moves.intrinsics[axis, 2] * scale + pad
        changed['K'] = camera if torch.is_tensor(content['K']) else camera.numpy()
    return changed
