"""Transforms of samples, dispatching on the field table's kinds."""
from .appearance import ColorJitter, OccludeWithNoise
from .compose import Pipeline
from .depth import AddDisparity
from .labels import TrustLabels
from .loading import LoadImage
from .pack import PackHumanInputs
from .people import ConvertMeshes, JointsFromMeshes, KeepVisiblePeople
from .refine import RefineTranslations
from .views import Pad, RandomView, Resize
