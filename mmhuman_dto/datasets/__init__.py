"""Datasets, samplers and the formats people are kept in."""
from .samplers import EndlessSampler
from .synthetic_crowd import SyntheticCrowd

__all__ = ['EndlessSampler', 'SyntheticCrowd']
