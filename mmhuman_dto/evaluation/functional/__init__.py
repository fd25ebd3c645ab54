"""Metrics as plain numpy functions over matched people, one file a concept."""
from .agora import agora_metrics, agora_record
from .bodies import MIN_IOU, MIN_SCORE, Bodies, match_bodies, to_pixels
from .calibration import in_intervals
from .camera_space import camera_space_metrics, camera_space_record
from .cameras import fov_errors, vertical_fov
from .depth_order import (
    GAP_EDGES,
    PCDR_MARGIN,
    LayerPairs,
    PairCount,
    depth_order,
    depth_order_by_gap,
    layer_pairs,
    pcdr,
    pcdr_layers,
    percent_right,
)
from .dpw import dpw_metrics, dpw_record
from .heights import height_errors
from .keypoint_ap import SIGMAS, import_xtcocotools, keypoint_metrics, keypoint_record
from .mupots import MuPoTSPeople, match_mupots, mupots_metrics, mupots_record
from .panoptic import panoptic_errors, panoptic_metrics, sequence_name
from .placement import PLACEMENT_METRICS, PlacedPeople, placement_metrics
from .pose import detection_scores, mpjpe, pa_mpjpe
from .relative_human import (
    AGE_GROUPS,
    age_groups,
    layer_accuracy,
    relative_human_metrics,
    relative_human_record,
    right_keypoints,
)
from .translation import (
    pairwise_distance_errors,
    relative_depth_errors,
    scaled_translation_errors,
    scene_scale,
    translation_errors,
)

__all__ = [
    'agora_metrics', 'agora_record', 'MIN_IOU', 'MIN_SCORE', 'Bodies', 'match_bodies', 'to_pixels', 'in_intervals',
    'camera_space_metrics', 'camera_space_record', 'fov_errors', 'vertical_fov', 'GAP_EDGES', 'PCDR_MARGIN',
    'LayerPairs', 'PairCount', 'depth_order', 'depth_order_by_gap', 'layer_pairs', 'pcdr', 'pcdr_layers',
    'percent_right', 'dpw_metrics', 'dpw_record', 'height_errors', 'SIGMAS', 'import_xtcocotools',
    'keypoint_metrics', 'keypoint_record', 'MuPoTSPeople', 'match_mupots', 'mupots_metrics', 'mupots_record',
    'panoptic_errors', 'panoptic_metrics', 'sequence_name', 'PLACEMENT_METRICS', 'PlacedPeople', 'placement_metrics',
    'detection_scores', 'mpjpe', 'pa_mpjpe', 'AGE_GROUPS', 'age_groups', 'layer_accuracy', 'relative_human_metrics',
    'relative_human_record', 'right_keypoints', 'pairwise_distance_errors', 'relative_depth_errors',
    'scaled_translation_errors', 'scene_scale', 'translation_errors'
]
