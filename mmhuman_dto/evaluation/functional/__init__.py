"""Metrics as plain numpy functions over matched people, one file a concept."""
from .depth_order import PCDR_MARGIN, PairCount, depth_order, pcdr, pcdr_layers, percent_right
from .heights import height_errors
from .placement import PLACEMENT_METRICS, PlacedPeople, placement_metrics
from .translation import relative_depth_errors, scene_scale, translation_errors

__all__ = [
    'PCDR_MARGIN', 'PairCount', 'depth_order', 'pcdr', 'pcdr_layers', 'percent_right', 'height_errors',
    'PLACEMENT_METRICS', 'PlacedPeople', 'placement_metrics', 'relative_depth_errors', 'scene_scale',
    'translation_errors'
]
