"""SMPL-X's parameters, under the names that its data sets give them, as people."""
import torch

from mmhuman_dto.body_models.smplx import NUM_EXPRESSION
from mmhuman_dto.structures import People

from .parsing import LayoutError

#: Joints of SMPL-X's pose after the root, in its order.
PARTS = dict(body_pose=21, jaw_pose=1, leye_pose=1, reye_pose=1, left_hand_pose=15, right_hand_pose=15)
#: Joints of SMPL's pose after the root that are none of SMPL-X's: its two hands.
_SMPL_HANDS = 2


def smplx_people(values, whole_body=True):
    """:class:`People` of SMPL-X's parameters.

    Args:
        values: tensors (N, ...) under the smplx package's names: ``global_orient`` (N, 3) rad, ``body_pose`` (N, 63)
            rad, ``betas`` (N, B), ``transl`` (N, 3) m and, as far as they are annotated, ``jaw_pose``, ``leye_pose``,
            ``reye_pose`` (N, 3) rad, ``left_hand_pose``, ``right_hand_pose`` (N, 45) rad, axis-angle and no
            coefficients of components, and ``expression`` (N, 10). What is not there is at rest.
        whole_body: True keeps hands and face: 54 joints in ``body_pose``, ``betas`` followed by the expression, for
            ``SMPLX(whole_body=True)``. False drops them: 23 joints, as SMPL's, for ``SMPLX()``.

    Raises:
        LayoutError: a pose or expression of another size.
    """
    count, betas = len(values['betas']), values['betas']
    parts = {name: _sized(values, name, count, 3 * joints) for name, joints in PARTS.items()}
    pose = torch.cat([*parts.values()], 1).unflatten(1, (-1, 3))
    if whole_body:
        betas = torch.cat([betas, _sized(values, 'expression', count, NUM_EXPRESSION)], 1)
    else:
        pose = torch.nn.functional.pad(pose[:, :PARTS['body_pose']], (0, 0, 0, _SMPL_HANDS))
    return People(global_orient=values['global_orient'], body_pose=pose, betas=betas, transl=values['transl'])


def _sized(values, name, count, size):
    value = values[name].flatten(1) if name in values else torch.zeros(count, size)
    if value.shape != (count, size):
        raise LayoutError(f'{name} has shape {tuple(values[name].shape)}, expected {(count, size)}')
    return value
