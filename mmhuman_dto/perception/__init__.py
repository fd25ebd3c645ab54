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

from .base import AgeSource, DepthSource, MaskSource, SourceError
from .precomputed import PrecomputedAges, PrecomputedDepth, PrecomputedMasks

__all__ = ['AGORA', 'AgeSource', 'BEDLAM', 'CameraHMRRelease', 'DTOHumans', 'DTORaw', 'DepthSource', 'Hi4D',
           'InitialMeshes', 'MaskSource', 'MuPoTS', 'Panoptic', 'PrecomputedAges', 'PrecomputedDepth',
           'PrecomputedMasks', 'RelativeHuman', 'SourceError', 'ThreeDPW']
