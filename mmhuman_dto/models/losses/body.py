"""Losses of pose, shape and joints (as in Metric-Aware HMR, arXiv 2511.13282)."""
import torch

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix
from mmhuman_dto.registry import MODELS

from .base import MatchedLoss, PersonLoss


@MODELS.register_module()
class PoseLoss(PersonLoss):
    """L1 of the axis-angle poses, mean over their entries, a person with a mesh."""

    predictions, targets = ('pred_poses', ), ('poses', )

    def error(self, pred, target):
        return (pred - target).abs().mean(-1)


@MODELS.register_module()
class RotationLoss(PersonLoss):
    """L1 of the joints' rotation matrices, mean over their entries, a person with a mesh: poses, learned from scratch.

    Axis-angles jump from pi to -pi, and that is where people stand who are upright in the camera frame (y down): which
    sign their root has is chance, which pretrained networks get over (:class:`PoseLoss`) and others do not. Matrices
    have no such place (Zhou et al., arXiv 1812.07035).
    """

    predictions, targets = ('pred_poses', ), ('poses', )

    def error(self, pred, target):
        pred, target = (axis_angle_to_matrix(pose.unflatten(-1, (-1, 3))) for pose in (pred, target))
        return (pred - target).abs().mean((-1, -2, -3))


@MODELS.register_module()
class ShapeLoss(PersonLoss):
    """Weighted L1 of the shape coefficients, mean over them, a person with a mesh.

    Args:
        coefficient_weights: a factor a coefficient; the 11th (child blend) is used where the body has one.
    """

    predictions, targets = ('pred_betas', ), ('betas', )

    def __init__(self, weight=1., coefficient_weights=(2.56, 1.28, .64, .64, .32, .32, .32, .32, .32, .32, 10.)):
        super().__init__(weight)
        self.register_buffer('coefficient_weights', torch.tensor(coefficient_weights), persistent=False)

    def error(self, pred, target):
        return ((pred - target).abs() * self.coefficient_weights[:pred.shape[-1]]).mean(-1)


@MODELS.register_module()
class Joints3DLoss(MatchedLoss):
    """L1 of the 3D joints, both with joint 0 (pelvis) at the origin, a person with a mesh or a pelvis in 3D.

    Joints that are not annotated count 0 in the mean over all entries.
    """

    predictions, targets = ('pred_j3ds', ), ('j3ds', )

    def forward(self, matched):
        pred, target = (j - j[..., :1, :] for j in (matched.pred('pred_j3ds'), matched.target('j3ds')))
        error = ((pred - target).abs() * matched.target('j3ds_mask')).mean((-1, -2))
        return (error * matched.known('j3ds')).sum(-1), matched.count('j3ds')


@MODELS.register_module()
class Joints2DLoss(MatchedLoss):
    """L1 of the projected joints in units of ``input_size``; hidden joints count 0 in the mean over all entries."""

    predictions, targets = ('pred_j2ds', ), ('j2ds', )

    def forward(self, matched):
        error = (matched.pred('pred_j2ds') - matched.target('j2ds')).abs() * matched.target('j2ds_mask')
        return error.mean((-1, -2)).sum(-1) / matched.targets.input_size, matched.count('j2ds')
