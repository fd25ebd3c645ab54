from mmhuman_dto.datasets.public import (
    AGORA,
    BEDLAM,
    CameraHMRRelease,
    DTOHumans,
    DTORaw,
    Hi4D,
    InitialMeshes,
    MuPoTS,
    Panoptic,
    RelativeHuman,
    ThreeDPW,
)

from .base import (
    AgeSource,
    DepthSource,
    FocalSource,
    KeypointSource,
    MaskSource,
    MeshSource,
    PeopleSource,
    SourceError,
)
from .focal import ExifFocal, GivenFocal
from .imitated import ImitatedDepth
from .metric_hmr import MetricHMRMeshes
from .mmdet_people import MMDetPeople
from .mmpose_keypoints import MMPoseKeypoints
from .optional import WeightsError
from .photos import Photos
from .precomputed import PrecomputedAges, PrecomputedDepth, PrecomputedMasks
from .transformers_ages import MiVOLOAges, TransformersAges
from .transformers_depth import TransformersDepth
from .transformers_keypoints import TransformersKeypoints
from .transformers_people import TransformersPeople

__all__ = [
    'AGORA', 'AgeSource', 'BEDLAM', 'CameraHMRRelease', 'DTOHumans', 'DTORaw', 'DepthSource', 'ExifFocal',
    'FocalSource', 'GivenFocal', 'Hi4D', 'ImitatedDepth', 'InitialMeshes', 'KeypointSource', 'MMDetPeople',
    'MetricHMRMeshes',
    'MMPoseKeypoints', 'MaskSource', 'MeshSource', 'MiVOLOAges', 'MuPoTS', 'Panoptic', 'PeopleSource', 'Photos',
    'PrecomputedAges', 'PrecomputedDepth', 'PrecomputedMasks', 'RelativeHuman', 'SourceError', 'ThreeDPW',
    'TransformersAges', 'TransformersDepth', 'TransformersKeypoints', 'TransformersPeople', 'WeightsError'
]
