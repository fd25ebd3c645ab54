"""People of Human3R, in the layout that its demo saves where the lines that do so are switched on."""
from pathlib import Path

import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ResultError
from .cameras import pinhole
from .files import numbers
from .posing import BodiesReader, BodyRows, Shot
from .stored import Stored, save_stored

#: Rotations: root, 21 joints of the body, 15 of each hand, jaw. SMPL-X has jaw and eyes before the hands.
_ROTATIONS, _BODY, _JAW = 53, 22, 52
#: SMPL's joint that ``transl`` is of.
_HEAD = 15
#: Bodies that are posed together to find where their heads are.
_TOGETHER = 256


@RESULTS.register_module()
class Human3R(BodiesReader):
    """A folder with ``smpl/<frame>.npz`` {rotvec (n, 53, 3), shape (n, 10), transl (n, 3), scores, msk, expression} and
    ``camera/<frame>.npz`` {intrinsics (3, 3), pose (4, 4)}; SMPL-X, m, ``transl`` that of the head in the camera frame,
    ``intrinsics`` px of the network's frame, whose longer side is the picture's, scaled.
    """
    kind = 'human3r'
    program = 'Human3R (https://github.com/fanegg/Human3R)'
    files = 'a folder with smpl/<frame>.npz and camera/<frame>.npz'
    licence = 'CC BY-NC-SA and NAVER, non-commercial'

    @classmethod
    def sniff(cls, path):
        try:
            file = next(iter(_files(path)), None)
            if file is None or not _camera_file(file).is_file():
                return False
            with load_npz(file) as arrays:
                return {'rotvec', 'shape', 'transl'} <= set(arrays)
        except (OSError, ValueError):
            return False

    def understood(self):
        self.contents = {file: _loaded(file) for file in _files(self.path)}
        if not self.contents:
            raise ResultError(f'{self.path}: no smpl/<frame>.npz; expected {self.files}')
        parts, shots, start = [], [], 0
        for number, (file, content) in enumerate(self.contents.items()):
            rotations = numbers(content, 'rotvec', (None, _ROTATIONS, 3), str(file))
            count = len(rotations)
            parts.append((rotations, numbers(content, 'shape', (count, None), str(file))[:, :10],
                          numbers(content, 'transl', (count, 3), str(file)), _scores(content, count, str(file))))
            frame = int(file.stem) if file.stem.isdigit() else number
            size = self.context.image_size(file.stem, frame)
            camera = None if size is None else _camera(file, size)
            shots.append(Shot(file.stem, list(range(start, start := start + count)), camera, size, frame))
        rotations, betas, heads, scores = map(torch.cat, zip(*parts))
        pose = torch.cat([rotations[:, :_BODY], rotations[:, [_JAW]], torch.zeros(len(rotations), 2, 3),
                          rotations[:, _BODY:_JAW]], 1)
        bodies = BodyRows('smplx', pose, betas, torch.zeros_like(heads), fields=dict(scores=scores))
        bodies.transl = heads - self._heads(bodies)
        notes = () if all(shot.image_size for shot in shots) else (tracks.SIZE_HINT, )
        return bodies, shots, notes, False

    def _heads(self, bodies):
        """(M, 3) of the heads of bodies whose transl is 0."""
        found = [bodies.posed(self.context.bodies, rows.tolist()).smpl_joints[:, _HEAD].double()
                 for rows in torch.arange(len(bodies)).split(_TOGETHER)]
        return torch.cat([torch.zeros(0, 3), *found])

    def write(self, out, moves):
        written = []
        for (file, content), move, shot in zip(self.contents.items(), moves, self.shots, strict=True):
            transl = tracks.moved_track(move, slice(None), content['transl'])
            written.append(self._save(out, file, dict(content, transl=transl)))
            camera = _loaded(_camera_file(file))
            if move.intrinsics is not None and shot.image_size is not None:
                wanted = move.intrinsics.numpy() * _scale(camera, shot.image_size)
                wanted[2, 2] = 1
                camera = dict(camera, intrinsics=wanted.astype(camera['intrinsics'].dtype))
            written.append(self._save(out, _camera_file(file), camera))
        return written

    def _save(self, out, file, content):
        target = Path(out) / file.relative_to(self.path)
        save_stored(target, Stored(content, 'npz'))
        return target


def _files(path):
    return sorted((path / 'smpl').glob('*.npz')) if path.is_dir() else []


def _camera_file(file):
    return file.parents[1] / 'camera' / file.name


def _loaded(file):
    if not file.is_file():
        raise ResultError(f'{file}: not found; expected {Human3R.files}')
    with load_npz(file) as arrays:
        return dict(arrays)


def _scores(content, count, where):
    if 'scores' not in content:
        return torch.full((count, ), torch.nan)
    return numbers(dict(scores=content['scores'].reshape(-1)), 'scores', (count, ), where).float()


def _scale(camera, image_size):
    """Pixels of the network's frame, whose middle the axis goes through, per pixel of the picture."""
    return 2 * float(max(camera['intrinsics'][0, 2], camera['intrinsics'][1, 2])) / max(image_size)


def _camera(file, image_size):
    """(3, 3) of the whole picture."""
    camera = _loaded(_camera_file(file))
    intrinsics = numbers(camera, 'intrinsics', (3, 3), str(_camera_file(file)))
    height, width = image_size
    return pinhole(float(intrinsics[0, 0]) / _scale(camera, image_size), width / 2, height / 2)
