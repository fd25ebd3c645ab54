"""Losses of pose, shape and joints (as in Metric-Aware HMR, arXiv 2511.13282)."""
import torch

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix
from mmhuman_dto.registry import MODELS

from .base import MatchedLoss


@MODELS.register_module()
class PoseLoss(MatchedLoss):
    """L1 of the axis-angle poses, mean over their 72 entries, a person with 3D."""

    def forward(self, matched):
        pred, target = matched.both_3d('pred_poses', 'poses')
        return (pred - target).abs().mean(-1).sum(-1), matched.num_people_3d


@MODELS.register_module()
class RotationLoss(MatchedLoss):
    """L1 of the joints' rotation matrices, mean over their entries, a person with 3D: poses, learned from scratch.

    Axis-angles jump from pi to -pi, and that is where people stand who are upright in the camera frame (y down): which
    sign their root has is chance, which pretrained networks get over (:class:`PoseLoss`) and others do not. Matrices
    have no such place (Zhou et al., arXiv 1812.07035).
    """

    def forward(self, matched):
        pred, target = (axis_angle_to_matrix(pose.unflatten(-1, (-1, 3)))
                        for pose in matched.both_3d('pred_poses', 'poses'))
        return (pred - target).abs().mean((-1, -2, -3)).sum(-1), matched.num_people_3d


@MODELS.register_module()
class ShapeLoss(MatchedLoss):
    """Weighted L1 of the shape coefficients, mean over them, a person with 3D.

    Args:
        weight: factor of the loss in the sum.
        coefficient_weights: a factor a coefficient; the 11th (child blend) is used where the body has one.
    """

    def __init__(self, weight=1., coefficient_weights=(2.56, 1.28, .64, .64, .32, .32, .32, .32, .32, .32, 10.)):
        super().__init__(weight)
        self.register_buffer('coefficient_weights', torch.tensor(coefficient_weights), persistent=False)

    def forward(self, matched):
        pred, target = matched.both_3d('pred_betas', 'betas')
        factors = self.coefficient_weights[:pred.shape[-1]]
        return ((pred - target).abs() * factors).mean(-1).sum(-1), matched.num_people_3d


@MODELS.register_module()
class Joints3DLoss(MatchedLoss):
    """L1 of the 3D joints, both with joint 0 (pelvis) at the origin, mean over joints and axes, a person with 3D."""

    def forward(self, matched):
        pred, target = (j - j[..., :1, :] for j in matched.both_3d('pred_j3ds', 'j3ds'))
        return (pred - target).abs().mean((-1, -2)).sum(-1), matched.num_people_3d


@MODELS.register_module()
class Joints2DLoss(MatchedLoss):
    """L1 of the projected joints in units of ``input_size``; hidden joints count 0 in the mean over all entries."""

    def forward(self, matched):
        error = (matched.pred('pred_j2ds') - matched.target('j2ds')).abs() * matched.target('j2ds_mask')
        return error.mean((-1, -2)).sum(-1) / matched.targets.input_size, matched.num_people
