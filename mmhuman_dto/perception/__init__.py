from mmhuman_dto.datasets.public_layouts import CameraHMRRelease, DTOHumans, DTORaw, InitialMeshes

from .base import AgeSource, DepthSource, MaskSource, SourceError
from .precomputed import PrecomputedAges, PrecomputedDepth, PrecomputedMasks

__all__ = ['AgeSource', 'CameraHMRRelease', 'DTOHumans', 'DTORaw', 'DepthSource', 'InitialMeshes', 'MaskSource',
           'PrecomputedAges', 'PrecomputedDepth', 'PrecomputedMasks', 'SourceError']
