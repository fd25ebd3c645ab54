from .base import AgeSource, DepthSource, FocalSource, SourceError
from .blazepose_joints import BlazePoseJoints
from .focal import DepthFocal, ExifFocal, GivenFocal
from .imitated import ImitatedDepth
from .keypoint_fit import KeypointFitMeshes
from .keypoint_lifter import LiftedMeshes
from .metric_hmr import MetricHMRMeshes
from .mmdet_people import MMDetPeople
from .mmpose_keypoints import MMPoseKeypoints
from .movenet_joints import MoveNetJoints
from .optional import WeightsError
from .precomputed import PrecomputedAges, PrecomputedMasks
from .precomputed_depth import PrecomputedDepth
from .transformers_ages import MiVOLOAges, TransformersAges
from .transformers_boxes import TransformersBoxes
from .transformers_depth import TransformersDepth
from .transformers_keypoints import TransformersKeypoints
from .transformers_people import TransformersPeople
from .video_joints import VideoJoints
