from .base import MatchedLoss, PersonLoss
from .body import Joints2DLoss, Joints3DLoss, PoseLoss, RotationLoss, ShapeLoss
from .boxes import BoxLoss, GIoULoss
from .camera import FoVLoss
from .confidence import ConfidenceLoss, ScaleMapConfidenceLoss, ScaleMapLoss
from .criterion import SetCriterion
from .depth import DepthOrderLoss, InverseDepthLoss, RelativeMetricLoss

__all__ = [
    'MatchedLoss', 'PersonLoss', 'Joints2DLoss', 'Joints3DLoss', 'PoseLoss', 'RotationLoss', 'ShapeLoss', 'BoxLoss',
    'GIoULoss', 'FoVLoss', 'ConfidenceLoss', 'ScaleMapConfidenceLoss', 'ScaleMapLoss', 'SetCriterion',
    'DepthOrderLoss', 'InverseDepthLoss', 'RelativeMetricLoss'
]
