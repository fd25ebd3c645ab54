"""Datasets, samplers and the formats people are kept in."""
from .synthetic_crowd import SyntheticCrowd

__all__ = ['SyntheticCrowd']
