"""Steps from an image to placed people, each samples -> samples; recipes name them in their ``stages``."""
from .base import Context, SkipImage, Stage, StageError
from .config import ConfigError, check_component, check_needs, checked_config
from .dto import (
    AddAges,
    AddDepth,
    AddMasks,
    CheckPeople,
    KeepOptimised,
    LoadImageStage,
    OptimiseTranslations,
    RasteriseMeshes,
)
from .photos import AddDetections, AddFocal, AddKeypoints, AddMeshes, MatchDetections

__all__ = [
    'AddAges', 'AddDepth', 'AddDetections', 'AddFocal', 'AddKeypoints', 'AddMasks', 'AddMeshes', 'CheckPeople',
    'ConfigError', 'Context', 'KeepOptimised', 'LoadImageStage', 'MatchDetections', 'OptimiseTranslations',
    'RasteriseMeshes', 'SkipImage', 'Stage', 'StageError', 'check_component', 'check_needs', 'checked_config'
]
