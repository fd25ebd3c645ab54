"""Focal losses: which query is a person, and which cell of the scale map holds one."""
import torch

from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import MODELS

from .base import MatchedLoss


def focal_loss(prob, target, alpha=.25, gamma=2.):
    """Element-wise focal loss (Lin et al. 2017) of probabilities against 0/1 targets of the same shape."""
    prob = at_least_single(prob).clamp(1e-8, 1 - 1e-7)
    hit = torch.where(target, prob, 1 - prob)
    return torch.where(target, alpha, 1 - alpha) * (1 - hit)**gamma * -hit.log()


@MODELS.register_module()
class ConfidenceLoss(MatchedLoss):
    """Focal loss of the confidences: all queries of an image where everyone is annotated, else the paired ones."""

    predictions = ('pred_confs', )

    def __init__(self, weight=1., alpha=.25, gamma=2.):
        super().__init__(weight)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, matched):
        confs = matched.outputs['pred_confs'][..., 0]
        layers, images, queries = confs.shape
        person = torch.zeros(layers, images * queries, dtype=torch.bool).scatter_(1, matched.query, True)
        used = person | torch.tensor(matched.fully_annotated).repeat_interleave(queries)
        person, used = (m.to(confs.device, non_blocking=True) for m in (person, used))
        loss = focal_loss(confs.flatten(1), person, self.alpha, self.gamma)
        return (loss * used).sum(-1), used.sum(-1) * matched.num_groups


@MODELS.register_module()
class ScaleMapConfidenceLoss(MatchedLoss):
    """Focal loss of the scale map's confidences: all cells where everyone has a mesh, else those with a person."""

    predictions, targets = ('scale_map', ), ('scale_map', )
    once = True

    def __init__(self, weight=1., alpha=.25, gamma=2.):
        super().__init__(weight)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, matched):
        pred, targets = matched.outputs['scale_map'], matched.targets
        person = targets.scale_map[:, 0] > 0
        known = torch.tensor(targets.map_known).repeat_interleave(torch.tensor(targets.map_cells))
        used = person | known.to(pred.device, non_blocking=True)
        return (focal_loss(pred[:, 0], person, self.alpha, self.gamma) * used).sum(), used.sum()


@MODELS.register_module()
class ScaleMapLoss(MatchedLoss):
    """L1 of the scale over the cells with a person."""

    predictions, targets = ('scale_map', ), ('scale_map', )
    once = True

    def forward(self, matched):
        target = matched.targets.scale_map
        person = target[:, 0] > 0
        error = (at_least_single(matched.outputs['scale_map'][:, 1]) - target[:, 1]).abs()
        return (error * person).sum(), person.sum()
