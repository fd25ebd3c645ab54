from .assigner import HungarianAssigner, InOrder
from .denoising import Denoising, NoisyQueries
from .match_costs import BoxL1Cost, ConfidenceCost, GIoUCost, KeypointCost, MatchCost
from .refine import RefineByDTO
from .target_encoder import TargetEncoder
from .targets import Targets
