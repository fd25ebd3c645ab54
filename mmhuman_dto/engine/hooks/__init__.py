from .atomic_checkpoint import AtomicCheckpointHook
from .dto_refresh import DTORefreshHook
from .loss_summary import LossSummaryHook
from .plain_checkpoint import PlainCheckpointHook
from .steady_timer import SteadyTimerHook
from .unreadable_images import UnreadableImagesHook
from .visualization import PredictionVisualizationHook
