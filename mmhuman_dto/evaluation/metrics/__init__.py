from . import camera_space, coco_keypoints, dump, relative_human
from .agora import AGORAMetric
from .crowd import CrowdMetric
from .dpw import DPWMetric
from .identities import IdentityMetric
from .joints import MuPoTSMetric, PanopticMetric
from .lifting import LiftingMetric
from .world import ClipPlacementMetric, WorldMotionMetric
