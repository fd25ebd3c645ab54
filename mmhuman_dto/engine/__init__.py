from .hooks import LossSummaryHook, PlainCheckpointHook, PredictionVisualizationHook
from .loops import ResumableTrainLoop
from .optim import AutocastOptimWrapper, LayerDecayConstructor

__all__ = ['LossSummaryHook', 'PlainCheckpointHook', 'PredictionVisualizationHook', 'ResumableTrainLoop',
           'AutocastOptimWrapper', 'LayerDecayConstructor']
