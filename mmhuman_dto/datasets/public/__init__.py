"""Readers of the public data sets' own files; docs/datasets.md lists them.

Most of these files hold pickled objects; they are read with the restricted loader of ``fileio``, never with
``allow_pickle``.
"""
from .agora import AGORA
from .bedlam import BEDLAM
from .camerahmr import CameraHMRRelease
from .coco_keypoints import COCOKeypoints
from .dto_humans import DTOHumans, DTORaw, write_dto_humans, write_dto_raw
from .hi4d import Hi4D
from .initial_meshes import InitialMeshes
from .mupots import MuPoTS
from .panoptic import Panoptic
from .parsing import LayoutError
from .relative_human import RelativeHuman
from .three_dpw import ThreeDPW

__all__ = ['AGORA', 'BEDLAM', 'COCOKeypoints', 'CameraHMRRelease', 'DTOHumans', 'DTORaw', 'Hi4D', 'InitialMeshes',
           'LayoutError', 'MuPoTS', 'Panoptic', 'RelativeHuman', 'ThreeDPW', 'write_dto_humans', 'write_dto_raw']
