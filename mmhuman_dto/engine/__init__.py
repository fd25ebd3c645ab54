from .hooks import (
    AtomicCheckpointHook,
    DTORefreshHook,
    LossSummaryHook,
    PlainCheckpointHook,
    PredictionVisualizationHook,
    SteadyTimerHook,
)
from .loops import ResumableTrainLoop
from .optim import AutocastOptimWrapper, LayerDecayConstructor
from .sharding import FullyShardedStrategy

__all__ = ['AtomicCheckpointHook', 'DTORefreshHook', 'LossSummaryHook', 'PlainCheckpointHook',
           'PredictionVisualizationHook', 'SteadyTimerHook', 'ResumableTrainLoop', 'AutocastOptimWrapper',
           'LayerDecayConstructor', 'FullyShardedStrategy']
