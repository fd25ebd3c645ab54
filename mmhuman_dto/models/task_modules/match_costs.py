"""Costs of pairing a query with a person, one concept a class.

The weights in the configs are those of Metric-Aware HMR (arXiv 2511.13282).
"""
import torch
from torch import nn

from mmhuman_dto.geometry.boxes import generalized_iou
from mmhuman_dto.registry import TASK_UTILS


class MatchCost(nn.Module):
    """A cost of the assigner; it names what it needs and nothing else has to know of it.

    ``forward(pred, targets)`` takes the ``predictions`` of each person's image, name -> (L, T, Q, ...) float32, and
    :class:`Targets` of T people, and returns costs (L, T, Q); of people without the target they are the same for all
    queries.

    Args:
        weight: factor of the cost in the sum.
    """

    #: names of the predictions and of the targets or labels that it looks at
    predictions, targets = (), ()

    def __init__(self, weight=1.):
        super().__init__()
        self.weight = weight


@TASK_UTILS.register_module()
class ConfidenceCost(MatchCost):
    """Focal cost of calling the query a person: ``alpha (1 - p)^gamma (-log(p + 1e-8))``."""

    predictions = ('pred_confs', )

    def __init__(self, weight=1., alpha=.25, gamma=2.):
        super().__init__(weight)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, pred, targets):
        p = pred['pred_confs'][..., 0]
        return self.weight * self.alpha * (1 - p)**self.gamma * -torch.log(p + 1e-8)


@TASK_UTILS.register_module()
class BoxL1Cost(MatchCost):
    """Sum of the absolute differences of cx, cy, w, h in units of ``input_size``."""

    predictions, targets = ('pred_boxes', ), ('boxes', )

    def forward(self, pred, targets):
        cost = (pred['pred_boxes'] - targets.boxes[:, None]).abs().sum(-1)
        return self.weight * cost * targets.whose('boxes')[:, None]


@TASK_UTILS.register_module()
class GIoUCost(MatchCost):
    """Negative generalised IoU of the boxes."""

    predictions, targets = ('pred_boxes', ), ('boxes', )

    def forward(self, pred, targets):
        giou = generalized_iou(pred['pred_boxes'], targets.boxes[:, None])
        return -self.weight * giou * targets.whose('boxes')[:, None]


@TASK_UTILS.register_module()
class KeypointCost(MatchCost):
    """Mean absolute 2D difference over the visible entries of the first joints, in units of ``input_size``."""

    predictions, targets = ('pred_j2ds', ), ('j2ds', )

    def __init__(self, weight=20., num_joints=22):
        super().__init__(weight)
        self.num_joints = num_joints

    def forward(self, pred, targets):
        n = self.num_joints
        visible = targets.j2ds_mask[:, None, :n].to(targets.j2ds.dtype)
        error = (pred['pred_j2ds'][..., :n, :] - targets.j2ds[:, None, :n]).abs() * visible
        return self.weight * error.sum((-1, -2)) / visible.sum((-1, -2)).clamp(min=1) / targets.input_size
