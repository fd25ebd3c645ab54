from .loops import ResumableTrainLoop
from .optim import AutocastOptimWrapper, LayerDecayConstructor

__all__ = ['ResumableTrainLoop', 'AutocastOptimWrapper', 'LayerDecayConstructor']
