"""What PromptHMR saves of pictures."""
from pathlib import Path

import torch

from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.geometry.rotation import matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ResultError
from .cameras import centred, diagonal, pinhole
from .files import numbers
from .posing import BodiesReader, BodyRows, Shot, moved_points
from .stored import Stored, load_stored, save_stored

_FILE, _NET_SIZE = 'output.pt', 896


@RESULTS.register_module()
class PromptHmr(BodiesReader):
    """``<image name>/output.pt``, one or a folder of such folders: {rotmat (N, 22, 3, 3), betas (N, 10), transl (N, 3),
    vertices (N, 10475, 3), body_joints, cam_int (N, 3, 3), ...} of SMPL-X, camera frame, m; vertices absolute.

    ``cam_int`` is of the picture scaled to 896 px on its longer side and padded to a square: the focal length of the
    picture itself is cam_int's times its longer side / 896, and its axis goes through the picture's middle.
    """
    kind = 'prompthmr'
    program = 'PromptHMR (https://github.com/yufu-wang/PromptHMR), pictures'
    files = '<image name>/output.pt of scripts/demo_phmr.py'
    licence = 'non-commercial'

    @classmethod
    def sniff(cls, path):
        return any(mentions(file, 'cam_int', 'body_joints', 'vertices', 'rotmat') for file in _files(path)[:1])

    def understood(self):
        self.contents, shots, guesses, start = {}, [], [], 0
        for file in _files(self.path):
            content = tracks.dictionary(load_stored(file).content, file, self.files, 'cam_int', 'vertices')
            self.contents[file], count = content, len(numbers(content, 'rotmat', (None, 22, 3, 3), str(file)))
            for key, shape in dict(betas=(10, ), transl=(3, ), vertices=(10475, 3)).items():
                numbers(content, key, (count, *shape), str(file))
            name = file.parent.name if file.name == _FILE else file.stem
            size = self.context.image_size(name)
            camera, guess = _camera(content, size, str(file)) if count and size else (None, True)
            shots.append(Shot(name, list(range(start, start := start + count)), camera, size))
            guesses.append(guess)
        if not self.contents:
            raise ResultError(f'{self.path}: no {_FILE}; expected {self.files}')
        notes = () if all(shot.image_size for shot in shots) else (tracks.SIZE_HINT, )
        return self._rows(), shots, notes, any(guesses)

    def _rows(self):
        """:class:`BodyRows` of all files, one after the other."""
        def joined(key):
            return torch.cat([torch.as_tensor(content[key]).float() for content in self.contents.values()])

        owners = [(content, place) for content in self.contents.values() for place in range(len(content['vertices']))]

        def vertices(rows):
            meshes = [content['vertices'][place] for content, place in (owners[row] for row in rows)]
            return torch.stack(meshes) if meshes else torch.zeros(0, 10475, 3)

        pose = matrix_to_axis_angle(joined('rotmat'))
        return BodyRows('smplx', pose, joined('betas'), joined('transl'), vertices=vertices)

    def write(self, out, moves):
        written = []
        for (file, content), move, image in zip(self.contents.items(), moves, self.images, strict=True):
            pelvises = image.people.pelvis
            changed = dict(content, transl=tracks.moved_track(move, slice(None), content['transl']),
                           vertices=moved_points(move, content['vertices'], pelvises))
            if move.intrinsics is not None and image.image_size:
                changed['cam_int'] = _of_net(move.intrinsics, image.image_size).to(content['cam_int']).expand_as(
                    content['cam_int']).clone()
            joints = content.get('body_joints')
            if torch.is_tensor(joints) and joints.ndim == 3 and _absolute(joints, content['vertices']):
                changed['body_joints'] = moved_points(move, joints, pelvises)
            target = Path(out) / (file.relative_to(self.path) if self.path.is_dir() else file.name)
            save_stored(target, Stored(changed, 'torch'))
            written.append(target)
        return written


def _files(path):
    """The files below a folder, or a file itself."""
    if not path.is_dir():
        return [path] if path.suffix == '.pt' else []
    return [path / _FILE] if (path / _FILE).is_file() else sorted(path.glob(f'*/{_FILE}'))


def _absolute(joints, vertices):
    """Whether joints (N, J, 3) lie about the vertices (N, V, 3) and not about the origin: the source does not say."""
    if len(joints) != len(vertices):
        return False
    middles = joints.mean(1)
    return bool(((middles - vertices.mean(1)).norm(dim=-1) < middles.norm(dim=-1)).all())


def _camera(content, image_size, where):
    """((3, 3) of the picture, whether its focal length is the diagonal, which is assumed where none is known)."""
    intrinsics = numbers(content, 'cam_int', (None, 3, 3), where)[0]
    focal = float(intrinsics[0, 0]) * max(image_size) / _NET_SIZE
    return centred(focal, image_size), abs(focal / diagonal(image_size) - 1) < .01


def _of_net(intrinsics, image_size):
    """(3, 3) of the picture scaled to 896 px and padded to a square around its middle."""
    height, width = image_size
    scale = _NET_SIZE / max(image_size)
    shift = intrinsics.new_tensor([width / 2, height / 2])
    return pinhole(float(intrinsics[0, 0]) * scale, *(_NET_SIZE / 2 + (intrinsics[:2, 2] - shift) * scale).tolist())
