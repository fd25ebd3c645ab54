from .agora import AGORAMetric
from .camera_space import CameraSpaceMetric
from .coco_keypoints import KeypointAPMetric
from .crowd import CrowdMetric
from .dpw import DPWMetric
from .dump import DumpPeople
from .joints import MuPoTSMetric, PanopticMetric
from .relative_human import RelativeHumanMetric

__all__ = [
    'AGORAMetric', 'CameraSpaceMetric', 'CrowdMetric', 'DPWMetric', 'DumpPeople', 'KeypointAPMetric',
    'MuPoTSMetric', 'PanopticMetric', 'RelativeHumanMetric'
]
