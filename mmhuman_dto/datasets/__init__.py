"""Datasets, samplers, and readers of files that become tables."""
from . import public
from .human_table import HumanTable
from .mixing import WeightedMixture
from .photos import Photos
from .samplers import EndlessSampler
from .synthetic_crowd import SyntheticCrowd
from .synthetic_keypoints import SyntheticKeypoints
