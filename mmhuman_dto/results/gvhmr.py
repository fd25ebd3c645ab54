"""What GVHMR saves of the one person of a video."""
from pathlib import Path

import torch

from mmhuman_dto.fileio.joblib_file import mentions
from mmhuman_dto.registry import RESULTS

from . import tracks
from .cameras import diagonal
from .files import numbers
from .posing import BodiesReader
from .stored import Stored, load_stored, save_stored

_FILE, _CAMERA_KEY = 'hmr4d_results.pt', 'smpl_params_incam'


@RESULTS.register_module()
class Gvhmr(BodiesReader):
    """``hmr4d_results.pt``: {smpl_params_incam and smpl_params_global {body_pose (L, 63), betas (L, 10), global_orient
    (L, 3), transl (L, 3)}, K_fullimg (L, 3, 3), ...} of SMPL-X; the first in the camera frame, m.

    One person; frames are those of GVHMR's copy of the video with 30 frames a second. The focal length is the diagonal
    unless another was given.
    """
    kind = 'gvhmr'
    program = 'GVHMR (https://github.com/zju3dv/GVHMR)'
    files = 'hmr4d_results.pt of tools/demo/demo.py'
    licence = 'non-commercial'

    @classmethod
    def sniff(cls, path):
        return mentions(tracks.file_in(path, _FILE), _CAMERA_KEY, 'smpl_params_global', 'K_fullimg')

    def understood(self):
        self.file = tracks.file_in(self.path, _FILE)
        self.stored = load_stored(self.file)
        content = tracks.dictionary(self.stored.content, self.file, self.files, _CAMERA_KEY, 'K_fullimg')
        where = f'{self.file}, key {_CAMERA_KEY}'
        person = tracks.dictionary(content[_CAMERA_KEY], where, 'body_pose, betas, global_orient, transl')
        pose = torch.cat([numbers(person, 'global_orient', (None, 3), where),
                          numbers(person, 'body_pose', (None, 63), where)], 1).view(-1, 22, 3)
        track = tracks.Track(0, torch.arange(len(pose)), pose, numbers(person, 'betas', (None, 10), where),
                             numbers(person, 'transl', (None, 3), where)).checked(where)
        cameras = numbers(content, 'K_fullimg', (len(pose), 3, 3), str(self.file))
        size = tuple(int(2 * side) for side in cameras[0, [1, 0], 2].round()) if len(cameras) else None
        guess = len(cameras) > 0 and abs(float(cameras[0, 0, 0]) / diagonal(size) - 1) < .01
        notes = ('smpl_params_global is left as it is',
                 'frames are those of a copy of the video with 30 frames a second')
        return (tracks.rows_of_tracks('smplx', [track]), tracks.shots_of([track], lambda frame: cameras[frame], size),
                notes, guess)

    def write(self, out, moves):
        person = self.stored.content[_CAMERA_KEY]
        moved = tracks.moved_track(self.of_rows(moves), slice(None), person['transl'])
        cameras = self.stored.content['K_fullimg'].clone()
        for frame, move in enumerate(moves):
            if move.intrinsics is not None:
                cameras[frame] = move.intrinsics.to(cameras.dtype)
        changed = dict(self.stored.content, K_fullimg=cameras, **{_CAMERA_KEY: dict(person, transl=moved)})
        save_stored(written := Path(out) / self.file.name, Stored(changed, self.stored.form))
        return [written]
