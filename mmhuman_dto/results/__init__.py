"""Results of other programs (registry ``RESULTS``): a reader each, which also writes back what placing changed."""
from .amass import Amass
from .anny_fit import AnnyFit
from .base import ImageResult, Moves, ResultError, ResultReader, Results
from .bev import BEV
from .camerahmr import CameraHmr
from .finding import open_results, read_results
from .gvhmr import Gvhmr
from .human3r import Human3R
from .meshes import Meshes
from .multi_hmr import MultiHMR
from .multi_hmr2 import MultiHMR2
from .multi_hmr_anny import MultiHMRAnny
from .nlf import NLF
from .obj_4dhumans import Obj4DHumans
from .phalp import Phalp
from .prompthmr import PromptHmr
from .prompthmr_video import PromptHmrVideo
from .romp import ROMP
from .sam3d_body import Sam3DBody
from .smplerx import SmplerX
from .tram import Tram
from .wham import Wham

__all__ = ['ImageResult', 'Moves', 'ResultError', 'ResultReader', 'Results', 'open_results', 'read_results']
