from .dto_refresh import DTORefreshHook
from .loss_summary import LossSummaryHook
from .plain_checkpoint import PlainCheckpointHook
from .visualization import PredictionVisualizationHook

__all__ = ['DTORefreshHook', 'LossSummaryHook', 'PlainCheckpointHook', 'PredictionVisualizationHook']
