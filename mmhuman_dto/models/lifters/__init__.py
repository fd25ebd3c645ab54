"""From 2D joints to bodies."""
from .keypoint_lifter import KeypointLifter
