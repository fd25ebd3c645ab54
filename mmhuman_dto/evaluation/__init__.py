"""Metrics: ``functional`` holds them as pure numpy functions."""
