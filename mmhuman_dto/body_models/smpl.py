"""SMPL and SMPL+A from the user's own licensed files."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.registry import BODY_MODELS

from .assets import child_direction, find_body_file, read_body, read_matrix
from .base import BodyModel, pick_joints
from .joint_sets import JOINT_SETS, SMPL_PARENTS, pick_rows

_FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')
# The smplx package's names of the 21 vertices that follow the kinematic joints, in its order.
_POINTS = ('nose', 'reye', 'leye', 'rear', 'lear', 'LBigToe', 'LSmallToe', 'LHeel', 'RBigToe', 'RSmallToe', 'RHeel',
           *(f'l{finger}' for finger in _FINGERS), *(f'r{finger}' for finger in _FINGERS))
#: Rows of J_regressor_extra.npy: joints as LSP, MPII and H36M annotate them.
_EXTRA_JOINTS = ('right_hip_lsp', 'left_hip_lsp', 'neck', 'head_top', 'pelvis_mpii', 'thorax_mpii', 'spine_h36m',
                 'jaw_h36m', 'head_h36m')
#: The child template of SMPL+A, and where to get it.
_CHILD_FILE = 'smpl_kid_template.npy'
_CHILD = f'{_CHILD_FILE} (register at https://agora.is.tue.mpg.de)'
_H36M_FILE, _EXTRA_FILE = 'J_regressor_h36m_correct.npy', 'J_regressor_extra.npy'


@BODY_MODELS.register_module()
class SMPL(BodyModel):
    """SMPL, equal to the smplx package's within float error, joints in its order of 45.

    ``J_regressor_h36m_correct.npy`` (17, 6890) beside the body file gives ``regress(vertices, 'h36m17')``,
    ``J_regressor_extra.npy`` (9, 6890) gives ``select_joints`` those with a head top: crowdpose14, bk19, ochuman19.

    Args:
        model_path: folder as the smplx package expects it (``model_path/smpl/SMPL_NEUTRAL.pkl`` or ``.npz``), the
            folder of the files, or one file.
        gender: 'neutral', 'male' or 'female'.
        num_betas: shape coefficients to use, at most what the file has.

    Raises:
        FileNotFoundError: which file, where to get it and where to put it.
        BrokenFileError: file, key and shape that are wrong.
        UnsafeFileError: a pickle of anything but plain data.
        BodyModelError: a file of another gender, by its name or content.
    """

    shape_space = 'SMPL'  # the child's coefficient comes last, 0 of all others

    def __init__(self, model_path, gender='neutral', num_betas=10):
        arrays, self.gender = _read_smpl(model_path, gender, num_betas), gender
        self._init_smpl(arrays, arrays.shape_dirs[:, :, :num_betas])

    def _init_smpl(self, arrays, shape_dirs, child_coefficient=None):
        size, self._folder = len(arrays.template), arrays.path.parent
        regressors = {}
        if (self._folder / _H36M_FILE).is_file():
            regressors['h36m17'] = read_matrix(self._folder / _H36M_FILE, (17, size))
        BodyModel.__init__(
            self, template=arrays.template, shape_dirs=shape_dirs, skin_weights=arrays.skin_weights,
            joint_regressor=arrays.joint_regressor, parents=arrays.parents, faces=arrays.faces,
            joint_vertices=point_vertices('smplh', size, arrays.path), joint_names=JOINT_SETS['smpl45'].names,
            pose_dirs=arrays.pose_dirs, child_coefficient=child_coefficient, regressors=regressors)
        extra = self._folder / _EXTRA_FILE
        self._buffer('extra_regressor', torch.as_tensor(read_matrix(extra, (9, size))) if extra.is_file() else None)

    def select_joints(self, output, joint_set):
        """Joints (*, K, 3) of a named set from a BodyOutput; sets with a head top need J_regressor_extra.npy."""
        names = JOINT_SETS[joint_set].names
        if joint_set in self.regressor_names or 'head_top' not in names:
            return super().select_joints(output, joint_set)
        if self.extra_regressor is None:
            raise KeyError(f'joint set {joint_set!r} needs {self._folder / _EXTRA_FILE} (9, {self.num_vertices}), '
                           'which is not there. It comes with the data of SPIN and of most later methods.')
        # First, so that their neck is taken and not the kinematic tree's.
        joints = torch.cat([self.extra_regressor @ output.vertices, output.joints], -2)
        return pick_joints(joints, pick_rows(_EXTRA_JOINTS + self.joint_names, joint_set))

    def _regressor_hint(self, joint_set):
        if joint_set == 'h36m17':
            return f'Put {_H36M_FILE} (17, {self.num_vertices}) into {self._folder}.'
        return f'select_joints(output, {joint_set!r}) picks joints by name where it can.'


@BODY_MODELS.register_module(name=['SMPL+A', 'SMPLA'])
class SMPLA(SMPL):
    """SMPL with one more coefficient, last in betas: the blend from SMPL's adult (0) to a child template (1).

    Equal to the smplx package's SMPL with ``age='kid'``.
    Source of the child template: Patel et al., "AGORA" (CVPR 2021).

    Args:
        kid_template_path: ``smpl_kid_template.npy`` (6890, 3); looked for beside the body file if None.
        model_path, gender, num_betas: as of :class:`SMPL`; ``betas`` has ``num_betas + 1`` entries.
    """

    knows_children = True

    def __init__(self, model_path, gender='neutral', num_betas=10, kid_template_path=None):
        try:
            arrays, self.gender = _read_smpl(model_path, gender, num_betas), gender
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{error} Next: {_CHILD}, beside it.') from None
        path = Path(kid_template_path or arrays.path.parent / _CHILD_FILE)
        if not path.is_file():
            raise FileNotFoundError(f'no child template {path}. Get {_CHILD}, and put it there, or name it by '
                                    'kid_template_path.')
        shape_dirs = add_child(arrays, arrays.shape_dirs[:, :, :num_betas], path)
        self._init_smpl(arrays, shape_dirs, child_coefficient=num_betas)


def add_child(arrays, shape_dirs, path):
    """``shape_dirs`` (V, 3, B) and one more (V, 3, B + 1), which leads to the child template at ``path``."""
    child = child_direction(arrays.template, read_matrix(path, arrays.template.shape))
    return np.concatenate([shape_dirs, child[:, :, None]], 2)


def check_num_betas(path, have, num_betas):
    """ValueError unless a file with ``have`` shape directions can give ``num_betas``."""
    if not 0 < num_betas <= have:
        raise ValueError(f'{path}: has {have} shape coefficients, num_betas is {num_betas}')


def point_vertices(topology, num_vertices, path):
    """Vertices (21,) of nose, eyes, ears, feet and finger tips of the smplx package's 'smplh' or 'smplx' topology."""
    # Here, not above: OpenBody has to work without the smplx package, whose licence is non-commercial.
    from smplx.vertex_ids import vertex_ids
    points = [vertex_ids[topology][name] for name in _POINTS]
    if max(points) >= num_vertices:
        raise BrokenFileError(f'{path}: {num_vertices} vertices, too few for the {topology} topology')
    return points


def _read_smpl(model_path, gender, num_betas):
    arrays = read_body(find_body_file(model_path, 'smpl', gender), len(SMPL_PARENTS), gender=gender)
    check_num_betas(arrays.path, arrays.shape_dirs.shape[2], num_betas)
    if tuple(arrays.parents) != SMPL_PARENTS:
        raise BrokenFileError(f'{arrays.path}: key kintree_table is not SMPL\'s tree: {arrays.parents.tolist()}')
    return arrays
