"""SMPL-X as a body: SMPL's pose in with face and hands at rest, or its own; SMPL's joint names out."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.registry import BODY_MODELS

from .assets import find_body_file, read_body
from .base import BodyModel, pick_joints
from .joint_sets import JOINT_SETS
from .smpl import add_child, check_num_betas, point_vertices

_NUM_BONES, _NUM_BODY, _NUM_FACE = 55, 22, 3
#: Coefficients of expression.
NUM_EXPRESSION = 10
# SMPL's hand joints are nearest to SMPL-X's first joints of the middle fingers.
_SMPL_ROWS = [*range(_NUM_BODY), 28, 43]
#: The smplx package's names of SMPL-X's bones.
_BONES = (*JOINT_SETS['smpl24'].names[:_NUM_BODY], 'jaw', 'left_eye_smplhf', 'right_eye_smplhf',
          *(f'{side}_{finger}{joint}' for side in ('left', 'right')
            for finger in ('index', 'middle', 'pinky', 'ring', 'thumb') for joint in (1, 2, 3)))
# Files with fewer than 300 shape directions have 10, followed by 10 of expression.
_FULL_SHAPE, _SHORT_SHAPE = 300, 10


@BODY_MODELS.register_module()
class SMPLX(BodyModel):
    """SMPL-X, equal to the smplx package's, by default with expression 0, jaw and eyes at rest, hands at their mean.

    ``pose`` is SMPL's (*, 24, 3) like every body's; its two hand rotations have no counterpart and are ignored.
    ``joints`` are SMPL's 45 by name and order, the hands being the first joints of the middle fingers.

    With ``whole_body`` it is SMPL-X's own pose (*, 55, 3): root, 21 joints of the body, jaw, left and right eye, 15 of
    the left hand and 15 of the right; and 10 coefficients of expression follow those of shape in ``betas``.

    Args:
        model_path: folder as the smplx package expects it (``model_path/smplx/SMPLX_NEUTRAL.npz`` or ``.pkl``), the
            folder of the files, or one file.
        gender: 'neutral', 'male' or 'female'.
        num_betas: shape coefficients to use: at most 10, or 300 with the large files.
        kid_template_path: ``smplx_kid_template.npy`` (10475, 3); if given, betas end with the blend to that child.
        whole_body: whether pose and betas say hands and face, too.
        flat_hand_mean: whether hands at rest are flat, as smplx's argument; else they are the file's mean, and
            rotations of their joints are relative to that.

    Raises:
        FileNotFoundError, BrokenFileError, UnsafeFileError, BodyModelError: as of
            :class:`~mmhuman_dto.body_models.SMPL`.
    """

    bone_names = _BONES

    def __init__(self, model_path, gender='neutral', num_betas=10, kid_template_path=None, whole_body=False,
                 flat_hand_mean=False):
        arrays = read_body(find_body_file(model_path, 'smplx', gender), _NUM_BONES,
                           extras={'hands_meanl': (45, ), 'hands_meanr': (45, )}, gender=gender)
        self.gender = gender
        available = _FULL_SHAPE if arrays.shape_dirs.shape[2] >= _FULL_SHAPE else _SHORT_SHAPE
        check_num_betas(arrays.path, min(available, arrays.shape_dirs.shape[2]), num_betas)
        shape_dirs, child_coefficient = arrays.shape_dirs[:, :, :num_betas], None
        if whole_body:
            expression = arrays.shape_dirs[:, :, available:available + NUM_EXPRESSION]
            shape_dirs = np.concatenate([shape_dirs, expression], 2)
        if kid_template_path is not None:
            child_coefficient = shape_dirs.shape[2]
            shape_dirs = add_child(arrays, shape_dirs, Path(kid_template_path))
        super().__init__(
            template=arrays.template, shape_dirs=shape_dirs, skin_weights=arrays.skin_weights,
            joint_regressor=arrays.joint_regressor, parents=arrays.parents, faces=arrays.faces,
            joint_vertices=point_vertices('smplx', len(arrays.template), arrays.path),
            joint_names=JOINT_SETS['smpl45'].names, pose_dirs=arrays.pose_dirs, child_coefficient=child_coefficient)
        hands = np.concatenate([arrays.extras['hands_meanl'], arrays.extras['hands_meanr']]) * (not flat_hand_mean)
        rest = torch.as_tensor(np.concatenate([np.zeros(3 * _NUM_FACE), hands])).reshape(-1, 3)
        self._buffer('rest_pose', torch.cat([rest.new_zeros(_NUM_BODY, 3), rest]))
        self._buffer('face_hands_rotations', axis_angle_to_matrix(rest))
        if whole_body:
            self.num_body_joints = _NUM_BONES - 1
        self.pose_hint = f'. {_NUM_BONES} rotations are for whole_body=True, SMPL\'s 24 for whole_body=False'

    def bone_rotations(self, pose):
        if pose.shape[1] == _NUM_BONES:
            return axis_angle_to_matrix(pose + self.rest_pose)
        rest = self.face_hands_rotations.expand(len(pose), -1, -1, -1)
        return torch.cat([axis_angle_to_matrix(pose[:, :_NUM_BODY]), rest], 1)

    def public_joints(self, bone_joints):
        return pick_joints(bone_joints, _SMPL_ROWS)

    def pose_of(self, rotations):
        if self.num_body_joints == _NUM_BONES - 1:
            return matrix_to_axis_angle(rotations) - self.rest_pose
        return torch.nn.functional.pad(matrix_to_axis_angle(rotations[:, :_NUM_BODY]), (0, 0, 0, 2))
