"""The people of a placement as bones with meshes over them, where a body model posed them."""
import torch

from ..body_models import BodyModel


def skins_of(placement):
    """A :class:`~mmhuman_dto.geometry.skeleton.Skin` of one frame a person, camera frame; None for mere meshes."""
    people, body_model = placement.people, placement.body_model
    if people is None or 'body_pose' not in people or not isinstance(body_model, BodyModel):
        return None
    parameters = (torch.as_tensor(values, dtype=torch.float32, device=body_model.faces.device)
                  for values in (people.pose, people.betas, people.transl))
    return [body_model.skin(pose[None], betas, transl[None]) for pose, betas, transl in zip(*parameters)]
