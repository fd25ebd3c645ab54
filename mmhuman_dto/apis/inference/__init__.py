"""From a photo to people in metres: one network, then DTO; see docs/inference.md."""
from mmhuman_dto.engine.model import init_model

from .dto import DTOInferencer
from .metric_hmr import MetricHMRInferencer
from .result import Inference
