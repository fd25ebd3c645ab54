"""Bodies fitted to joints in the picture: kinematics without vertices, terms with their Jacobians, a batched solver."""
from .keypoints import FitResult, KeypointFit
from .kinematics import FitState, JointTables
from .starts import PoseBank

__all__ = ['FitResult', 'FitState', 'JointTables', 'KeypointFit', 'PoseBank']
