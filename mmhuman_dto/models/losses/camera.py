"""Loss of the camera branch."""
import torch
from mmengine.dist import get_world_size

from mmhuman_dto.geometry import fov_from_focal
from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import MODELS

from .base import MatchedLoss


@MODELS.register_module()
class FoVLoss(MatchedLoss):
    """Squared error of the vertical field of view (rad), sum over the images whose focal is known.

    FoV = 2 atan(cy / f), both with the predicted principal point's cy. An over-predicted FoV makes people too near and
    weighs more.

    Args:
        over_weight: factor of images whose FoV is predicted too wide.
    """

    predictions, targets = ('pred_intrinsics', ), ('focals', )
    once = True

    def __init__(self, weight=1., over_weight=3.):
        super().__init__(weight)
        self.over_weight = over_weight

    def forward(self, matched):
        intrinsics = at_least_single(matched.outputs['pred_intrinsics']).reshape(-1, 3, 3)
        true_focal = matched.targets.focals
        known = torch.isfinite(true_focal)
        cy = intrinsics[:, 1, 2]
        true_fov = fov_from_focal(torch.where(known, true_focal, 1.), 2 * cy)
        error = fov_from_focal(intrinsics[:, 1, 1], 2 * cy) - true_fov
        loss = error**2 * torch.where(error > 0, self.over_weight, 1.) * known
        # A sum over the images of all ranks, so that two processes give what one with both batches gives.
        return loss.sum(), 1 / get_world_size()
