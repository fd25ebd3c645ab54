"""Motions in AMASS' layout: one person, in a world with z up and without a camera."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.amass import Z_UP
from mmhuman_dto.fileio.gltf import FLIP
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.registry import RESULTS

from . import tracks
from .base import ResultError
from .files import numbers
from .posing import BodiesReader
from .stored import Stored, save_stored

#: The file's world (z up) -> ours (x right, y down, z forward).
_TO_OURS = torch.from_numpy(np.diag(FLIP).astype(float) @ Z_UP.T)
_RATES = ('mocap_framerate', 'mocap_frame_rate')
#: Values a frame -> SMPL-H or SMPL-X; of the first the hands are left out, which SMPL has not.
_LAYOUTS = {156: 'smpl', 165: 'smplx'}
_BODY, _NUM_BETAS = 22, 10
_NOTE = ('AMASS has no camera: people are in the world of the file, turned so that y is down, and can be shown and '
         'exported but not placed')


@RESULTS.register_module()
class Amass(BodiesReader):
    """An ``.npz`` of one person: poses (T, 156: SMPL-H, or 165: SMPL-X), trans (T, 3) m, betas (16), gender, and
    mocap_framerate or mocap_frame_rate; z up.

    Read into axes with y down, (x, y, z) -> (x, -z, y), around the file's own origin; no camera is there.
    """
    kind = 'amass'
    program = 'AMASS (https://amass.is.tue.mpg.de), and what is written in its layout'
    files = 'an .npz with poses, trans, betas, gender and mocap_framerate or mocap_frame_rate'
    licence = 'AMASS: MPI, non-commercial'
    before_camera = False

    @classmethod
    def sniff(cls, path):
        try:
            if path.suffix != '.npz' or not path.is_file():
                return False
            with load_npz(path) as file:
                return {'poses', 'trans', 'betas', 'gender'} <= set(file) and bool(set(_RATES) & set(file))
        except (OSError, ValueError):
            return False

    def understood(self):
        where = str(self.path)
        with load_npz(self.path) as file:
            self.content = tracks.dictionary(dict(file), where, self.files, 'poses', 'trans', 'betas')
        poses = numbers(self.content, 'poses', (None, None), where)
        if poses.shape[1] not in _LAYOUTS:
            raise ResultError(f"{where}, key 'poses': {poses.shape[1]} numbers a frame, expected 156 (SMPL-H) or 165 "
                              '(SMPL-X)')
        layout, pose = _LAYOUTS[poses.shape[1]], poses.view(len(poses), -1, 3).clone()
        pose[:, 0] = matrix_to_axis_angle(_TO_OURS @ axis_angle_to_matrix(pose[:, 0]))
        betas = numbers(dict(betas=np.atleast_2d(self.content['betas'])), 'betas', (1, None), where)[:, :_NUM_BETAS]
        trans = numbers(self.content, 'trans', (len(poses), 3), where)
        track = tracks.Track(0, torch.arange(len(poses)), pose if layout == 'smplx' else pose[:, :_BODY],
                             betas.repeat(len(poses), 1), trans)
        bodies = tracks.rows_of_tracks(layout, [track.checked(where)], gender=_gender(self.content.get('gender')))
        if len(poses):  # the pelvis turns with the world, not trans, which is off by where it is at rest
            bodies.transl = torch.zeros_like(trans)
            rest = bodies.posed(self.context.bodies, [0]).pelvis.double()
            bodies.transl = (trans + rest) @ _TO_OURS.T - rest
        return bodies, tracks.shots_of([track], None), (_NOTE, ), False

    def write(self, out, moves):
        shift = self.of_rows(moves).shift @ _TO_OURS
        trans = (torch.as_tensor(self.content['trans']).double() + shift).numpy().astype(self.content['trans'].dtype)
        save_stored(written := Path(out) / self.path.name, Stored(dict(self.content, trans=trans), 'npz'))
        return [written]


def _gender(value):
    """'neutral', 'male' or 'female' as text, bytes or an array of one of them."""
    value = np.asarray(value).reshape(-1)[:1].tolist()
    text = value[0].decode() if value and isinstance(value[0], bytes) else str(value[0] if value else '')
    return text if text in ('male', 'female') else 'neutral'
