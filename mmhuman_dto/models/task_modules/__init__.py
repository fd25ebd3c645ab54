from .assigner import HungarianAssigner
from .denoising import Denoising, NoisyQueries
from .match_costs import BoxL1Cost, ConfidenceCost, GIoUCost, KeypointCost
from .refine import RefineByDTO
from .target_encoder import TargetEncoder
from .targets import Targets

__all__ = ['HungarianAssigner', 'BoxL1Cost', 'ConfidenceCost', 'GIoUCost', 'KeypointCost', 'RefineByDTO',
           'Targets', 'TargetEncoder', 'Denoising', 'NoisyQueries']
