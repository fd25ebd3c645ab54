"""Datasets, samplers and the formats people are kept in."""
from .human_table import HumanTable
from .mixing import WeightedMixture
from .samplers import EndlessSampler
from .synthetic_crowd import SyntheticCrowd

__all__ = ['EndlessSampler', 'HumanTable', 'SyntheticCrowd', 'WeightedMixture']
