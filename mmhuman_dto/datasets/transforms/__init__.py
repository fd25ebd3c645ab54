"""Transforms of samples, dispatching on the field table's kinds."""
from .appearance import ColorJitter, OccludeWithNoise
from .compose import Pipeline
from .loading import ImageError, LoadImage
from .pack import PackHumanInputs
from .people import JointsFromMeshes, KeepVisiblePeople
from .views import Pad, RandomView, Resize

__all__ = ['ColorJitter', 'ImageError', 'JointsFromMeshes', 'KeepVisiblePeople', 'LoadImage', 'OccludeWithNoise',
           'PackHumanInputs', 'Pad', 'Pipeline', 'RandomView', 'Resize']
