"""Metrics: ``functional`` holds them as pure numpy functions, ``metrics`` as thin MMEngine metrics."""
