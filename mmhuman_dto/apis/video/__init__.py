"""Videos: people through time."""
from .inferencer import VideoInferencer
from .result import HumanClip

__all__ = ['HumanClip', 'VideoInferencer']
