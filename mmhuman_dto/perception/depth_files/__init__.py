from .base import DepthFiles, DepthMap
from .depth_anything_3 import DepthAnything3
from .depth_anything_v2 import DepthAnythingV2Metric
from .depth_pro import DepthPro
from .metric3d import Metric3D
from .midas import MiDaS
from .moge import MoGe
from .plain import PlainDepth
from .sniffing import layout_of
from .unidepth import UniDepth
from .zoedepth import ZoeDepth
