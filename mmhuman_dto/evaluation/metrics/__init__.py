from .crowd import CrowdMetric

__all__ = ['CrowdMetric']
