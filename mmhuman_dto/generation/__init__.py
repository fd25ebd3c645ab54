"""Making datasets: DTO over many images, restartable, one bad image costing one line."""
from .base import Context, SkipImage, Stage, StageError
from .config import ConfigError, check_component, checked_config
from .generator import Generator
from .manifest import GenerationError
from .meshes import MetricHMRMeshes
from .photo_stages import AddDetections, AddFocal, AddKeypoints, AddMeshes, MatchDetections
from .stages import (
    AddAges,
    AddDepth,
    AddMasks,
    CheckPeople,
    KeepOptimised,
    LoadImage,
    OptimiseTranslations,
    RasteriseMeshes,
)

__all__ = [
    'AddAges', 'AddDepth', 'AddDetections', 'AddFocal', 'AddKeypoints', 'AddMasks', 'AddMeshes', 'CheckPeople',
    'ConfigError', 'Context', 'GenerationError', 'Generator', 'KeepOptimised', 'LoadImage', 'MatchDetections',
    'MetricHMRMeshes', 'OptimiseTranslations', 'RasteriseMeshes', 'SkipImage', 'Stage', 'StageError',
    'check_component', 'checked_config'
]
