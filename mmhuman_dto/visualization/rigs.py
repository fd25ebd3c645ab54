"""The people of a placement as bones with meshes over them, where a body model posed them."""
import numpy as np
import torch

from ..body_models import BodyModel
from ..fileio.gltf import FLIP


class KindError(ValueError):
    """A kind of file that cannot be made of a scene; the message says why."""


def skins_of(placement):
    """A :class:`~mmhuman_dto.geometry.skeleton.Skin` of one frame a person, camera frame; None for mere meshes."""
    parameters = _parameters(placement)
    if parameters is None:
        return None
    return [placement.body_model.skin(pose[None], betas, transl[None]) for pose, betas, transl in zip(*parameters)]


def joints_of(placement):
    """(N, J, 3) m, camera frame: the joints that the body model names; None for mere meshes."""
    parameters = _parameters(placement)
    if parameters is None:
        return None
    with torch.no_grad():
        return placement.body_model(*parameters).joints.double().cpu().numpy()


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
