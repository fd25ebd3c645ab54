"""Datasets, samplers and the formats people are kept in."""
