"""Transforms of samples, dispatching on the field table's kinds."""
from .appearance import ColorJitter, OccludeWithNoise
from .compose import Pipeline
from .loading import ImageError, LoadImage
from .pack import PackHumanInputs
from .people import JointsFromMeshes, KeepVisiblePeople
from .views import RandomView, Resize

__all__ = ['ColorJitter', 'ImageError', 'JointsFromMeshes', 'KeepVisiblePeople', 'LoadImage', 'OccludeWithNoise',
           'PackHumanInputs', 'Pipeline', 'RandomView', 'Resize']
