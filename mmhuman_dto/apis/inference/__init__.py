"""From a photo to people in metres; see docs/inference.md."""
from mmhuman_dto.engine.model import init_model

from .inferencer import HumanInferencer
from .result import HumanScene
