from .loss_summary import LossSummaryHook
from .plain_checkpoint import PlainCheckpointHook
from .visualization import PredictionVisualizationHook

__all__ = ['LossSummaryHook', 'PlainCheckpointHook', 'PredictionVisualizationHook']
