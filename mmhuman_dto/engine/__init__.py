from .hooks import DTORefreshHook, LossSummaryHook, PlainCheckpointHook, PredictionVisualizationHook
from .loops import ResumableTrainLoop
from .optim import AutocastOptimWrapper, LayerDecayConstructor
from .sharding import FullyShardedStrategy

__all__ = ['DTORefreshHook', 'LossSummaryHook', 'PlainCheckpointHook', 'PredictionVisualizationHook',
           'ResumableTrainLoop', 'AutocastOptimWrapper', 'LayerDecayConstructor', 'FullyShardedStrategy']
