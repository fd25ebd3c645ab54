"""Box losses, over boxes in units of ``input_size``."""
from mmhuman_dto.geometry.boxes import generalized_iou
from mmhuman_dto.registry import MODELS

from .base import MatchedLoss


@MODELS.register_module()
class BoxLoss(MatchedLoss):
    """Sum of |cx|, |cy|, |w|, |h| differences, a person."""

    def forward(self, matched):
        error = (matched.pred('pred_boxes') - matched.target('boxes')).abs()
        return error.sum((-1, -2)), matched.num_people


@MODELS.register_module()
class GIoULoss(MatchedLoss):
    """1 - generalised IoU, a person."""

    def forward(self, matched):
        giou = generalized_iou(matched.pred('pred_boxes'), matched.target('boxes'))
        return (1 - giou).sum(-1), matched.num_people
