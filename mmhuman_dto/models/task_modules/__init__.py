from .assigner import HungarianAssigner
from .match_costs import BoxL1Cost, ConfidenceCost, GIoUCost, KeypointCost
from .targets import Targets

__all__ = ['HungarianAssigner', 'BoxL1Cost', 'ConfidenceCost', 'GIoUCost', 'KeypointCost', 'Targets']
