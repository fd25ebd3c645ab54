"""Bodies fitted to joints in the picture, and to other bodies: kinematics, terms with derivatives, a batched solver."""
from .body_fit import BodyFit
from .conversion import Converted, MeshConversion, convert
from .keypoints import FitResult, KeypointFit
from .kinematics import FitState, JointTables
from .live import LiveFit
from .starts import PoseBank
from .temporal import TemporalFit
from .windows import JointTrack

__all__ = ['BodyFit', 'Converted', 'FitResult', 'FitState', 'JointTables', 'JointTrack', 'KeypointFit', 'LiveFit',
           'MeshConversion', 'PoseBank', 'TemporalFit', 'convert']
