"""The people of a placement as bones with meshes over them, where a body model posed them."""
import numpy as np
import torch

from ..body_models import JOINT_SETS, SMPL_PARENTS, BodyModel
from ..fileio.gltf import FLIP
from ..geometry.rotation import axis_angle_to_matrix
from ..geometry.skeleton import Skeleton

#: Names of SMPL's bones, and how many below the root have rotations that all of its family share.
_NAMES, _BODY = JOINT_SETS['smpl24'].names, 21
#: Rotations below the root: of the body alone, of SMPL, of SMPL-X.
_ROTATIONS = _BODY, 23, 54


class KindError(ValueError):
    """A kind of file that cannot be made of a scene; the message says why."""


def skins_of(placement):
    """A :class:`~mmhuman_dto.geometry.skeleton.Skin` of one frame a person, camera frame; None for mere meshes."""
    parameters = _parameters(placement)
    if parameters is None:
        return None
    return [placement.body_model.skin(pose[None], betas, transl[None]) for pose, betas, transl in zip(*parameters)]


def skeletons_of(placement):
    """A :class:`~mmhuman_dto.geometry.skeleton.Skeleton` of one frame a person, camera frame, or None.

    Of a body model, or of meshes of which SMPL's joints and rotations are known, as large as the meshes were placed.
    """
    skins = skins_of(placement)
    if skins is not None:
        return [skin.skeleton for skin in skins]
    told = told_bones(placement.people)
    return None if told is None else [told_skeleton(*(values[None] for values in person)) for person in zip(*told)]


def told_bones(people):
    """Bones of N people whose SMPL joints and rotations are told, not posed; None where they are not.

    Rotations (N, 24, 3, 3) as seen from the parents, joints (N, 24, 3), m, camera frame, and where the body model has
    its pelvis at rest (N, 3), m: 0 where no ``transl`` says it.
    """
    if people is None or not {'global_orient', 'body_pose', 'smpl_joints'} <= set(people.keys()):
        return None
    orient, body, joints = (torch.as_tensor(people[name]).double().cpu()
                            for name in ('global_orient', 'body_pose', 'smpl_joints'))
    if body.shape[1] not in _ROTATIONS or not joints.isfinite().all():
        return None
    # Hands turn nothing that is written.
    pose = torch.nn.functional.pad(body[:, :_BODY], (0, 0, 1, len(SMPL_PARENTS) - 1 - _BODY))
    pose[:, 0] = orient
    # transl is added after the root has turned about the pelvis at rest.
    pelvis = joints[:, 0] - torch.as_tensor(people.transl).double().cpu() if 'transl' in people else 0 * joints[:, 0]
    return tuple(values.numpy() for values in (axis_angle_to_matrix(pose), joints, pelvis))


def told_skeleton(rotations, joints, pelvis):
    """The :class:`~mmhuman_dto.geometry.skeleton.Skeleton` of one person in T frames of :func:`told_bones`."""
    skeleton = Skeleton.from_joints(_NAMES, SMPL_PARENTS, rotations, joints)
    return skeleton._replace(rest=skeleton.rest + pelvis.mean(0))


def joints_of(placement):
    """(names, (J, 3) m, camera frame) a person: what the body model names, or SMPL's as far as they are known; None."""
    parameters = _parameters(placement)
    if parameters is not None:
        with torch.no_grad():
            joints = placement.body_model(*parameters).joints.double().cpu().numpy()
        return [(placement.body_model.joint_names, places) for places in joints]
    joints = placement.field('smpl_joints')
    if joints is None:
        return None
    known = np.isfinite(joints).all(-1)
    return [([name for name, row in zip(_NAMES, rows) if row], places[rows]) for places, rows in zip(joints, known)]


def upright(ground):
    """(rotation (3, 3), translation (3), m) from the camera frame to x right, y up, z towards the viewer.

    The origin is on the ``ground``, a :class:`~mmhuman_dto.visualization.ground.Ground`, below the camera.
    """
    return np.diag(FLIP).astype(float) @ ground.rotation, np.array([0, ground.height, 0])


def _parameters(placement):
    """pose (N, 24, 3), betas (N, B) and transl (N, 3), tensors on the body model's device."""
    people, body_model = placement.people, placement.body_model
    if people is None or 'body_pose' not in people or not isinstance(body_model, BodyModel):
        return None
    return [torch.as_tensor(values, dtype=torch.float32, device=body_model.faces.device)
            for values in (people.pose, people.betas, people.transl)]
