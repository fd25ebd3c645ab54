"""Steps from an image to placed people, each samples -> samples; recipes name them in their ``stages``."""
from .base import Context, SkipImage, Stage, StageError
from .config import ConfigError, check_needs, checked_config
from .dto import OptimiseTranslations
from .labels import TrainingLabels
from .photos import MatchDetections
