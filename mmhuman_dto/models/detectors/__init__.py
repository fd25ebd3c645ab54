from .metric_hmr import MetricHMR

__all__ = ['MetricHMR']
