"""The motion of one person as an ``.npz`` file with the names that AMASS uses, for tools that read AMASS.

Two layouts: SMPL-H's (``poses`` (T, 156): root, 21 joints of the body, 2 x 15 of the hands) and SMPL-X's (``poses``
(T, 165): with jaw and eyes before the hands, and the parts by name). Both are z up, in metres, as AMASS has it;
``trans`` is the body model's own translation, not the place of the root's joint.
Source: Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes" (ICCV 2019), and its data format.
"""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.geometry.rotation import matrix_to_axis_angle

#: y up, z towards the viewer -> z up, y away from the viewer.
Z_UP = np.array([[1., 0, 0], [0, 0, -1], [0, 1, 0]])
_SMPL_BONES, _SMPLX_BONES, _BODY, _HANDS = 24, 55, 22, 30
#: The parts of SMPL-X's pose that have names of their own, and their bones.
_PARTS = dict(root_orient=1, pose_body=21, pose_jaw=1, pose_eye=2, pose_hand=30)
_BETAS = 16


def write_amass(path, skeleton, betas, gender, rate, smplx=None, **others):
    """Write a person in its frames.

    Args:
        path: of the file.
        skeleton: :class:`~mmhuman_dto.geometry.skeleton.Skeleton` of SMPL's 24 bones, whose two of the hands SMPL-H
            has not and which become flat hands, or of SMPL-X's 55; y up.
        betas: (B) shape coefficients, filled up to AMASS's 16.
        gender: of the body's data.
        rate: frames a second.
        smplx: whether the body is SMPL-X's, whose hands and face are at rest where the skeleton has 24 bones; None: it
            is that of a skeleton of 55.
        others: further arrays and texts.

    Raises:
        ValueError: a skeleton with another number of bones.
    """
    if len(skeleton.names) not in (_SMPL_BONES, _SMPLX_BONES):
        raise ValueError(f'{path}: AMASS has bodies of {_SMPL_BONES} or {_SMPLX_BONES} bones, these have '
                         f'{len(skeleton.names)}')
    skeleton = skeleton.moved(Z_UP, 0)
    turns = matrix_to_axis_angle(torch.from_numpy(skeleton.rotations)).numpy()
    frames, whole = len(turns), len(skeleton.names) == _SMPLX_BONES if smplx is None else smplx
    poses = turns
    if len(skeleton.names) == _SMPL_BONES:
        rest = (_SMPLX_BONES if whole else _BODY + _HANDS) - _BODY
        poses = np.concatenate([turns[:, :_BODY], np.zeros((frames, rest, 3))], 1)
    fields = dict(poses=poses.reshape(frames, -1), trans=skeleton.root - skeleton.rest[0],
                  betas=np.pad(betas, (0, max(0, _BETAS - len(betas)))), gender=gender,
                  mocap_framerate=float(rate), mocap_frame_rate=float(rate),
                  coordinates='z up, metres; poses axis-angle in rad; trans is the translation of the body model')
    if whole:
        fields.update(surface_model_type='smplx', num_betas=len(fields['betas']), mocap_time_length=frames / rate)
        parts = np.split(poses, np.cumsum(list(_PARTS.values()))[:-1], axis=1)
        fields.update({name: part.reshape(frames, -1) for name, part in zip(_PARTS, parts)})
    else:
        fields['dmpls'] = np.zeros((frames, 8))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **fields, **others)
