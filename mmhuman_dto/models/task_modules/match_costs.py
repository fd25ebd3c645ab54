"""Costs of pairing a query with a person, one concept a class.

Each maps the predictions of the person's image, (L, T, Q, ...), and :class:`Targets` to (L, T, Q).
The weights in the configs are those of Metric-Aware HMR (arXiv 2511.13282).
"""
import torch
from torch import nn

from mmhuman_dto.geometry.boxes import generalized_iou
from mmhuman_dto.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ConfidenceCost(nn.Module):
    """Focal cost of calling the query a person: ``alpha (1 - p)^gamma (-log(p + 1e-8))``."""

    def __init__(self, weight=1., alpha=.25, gamma=2.):
        super().__init__()
        self.weight, self.alpha, self.gamma = weight, alpha, gamma

    def forward(self, pred, targets):
        p = pred['pred_confs'][..., 0]
        return self.weight * self.alpha * (1 - p)**self.gamma * -torch.log(p + 1e-8)


@TASK_UTILS.register_module()
class BoxL1Cost(nn.Module):
    """Sum of the absolute differences of cx, cy, w, h in units of ``input_size``."""

    def __init__(self, weight=1.):
        super().__init__()
        self.weight = weight

    def forward(self, pred, targets):
        return self.weight * (pred['pred_boxes'] - targets.boxes[:, None]).abs().sum(-1)


@TASK_UTILS.register_module()
class GIoUCost(nn.Module):
    """Negative generalised IoU of the boxes."""

    def __init__(self, weight=1.):
        super().__init__()
        self.weight = weight

    def forward(self, pred, targets):
        return -self.weight * generalized_iou(pred['pred_boxes'], targets.boxes[:, None])


@TASK_UTILS.register_module()
class KeypointCost(nn.Module):
    """Mean absolute 2D difference over the visible entries of the first joints, in units of ``input_size``."""

    def __init__(self, weight=20., num_joints=22):
        super().__init__()
        self.weight, self.num_joints = weight, num_joints

    def forward(self, pred, targets):
        n = self.num_joints
        visible = targets.j2ds_mask[:, None, :n].to(targets.j2ds.dtype)
        error = (pred['pred_j2ds'][..., :n, :] - targets.j2ds[:, None, :n]).abs() * visible
        return self.weight * error.sum((-1, -2)) / visible.sum((-1, -2)).clamp(min=1) / targets.input_size
