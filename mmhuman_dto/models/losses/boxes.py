"""Box losses, over boxes in units of ``input_size``."""
from mmhuman_dto.geometry.boxes import generalized_iou
from mmhuman_dto.registry import MODELS

from .base import PersonLoss


@MODELS.register_module()
class BoxLoss(PersonLoss):
    """Sum of |cx|, |cy|, |w|, |h| differences, a person."""

    predictions, targets = ('pred_boxes', ), ('boxes', )

    def error(self, pred, target):
        return (pred - target).abs().sum(-1)


@MODELS.register_module()
class GIoULoss(PersonLoss):
    """1 - generalised IoU, a person."""

    predictions, targets = ('pred_boxes', ), ('boxes', )

    def error(self, pred, target):
        return 1 - generalized_iou(pred, target)
