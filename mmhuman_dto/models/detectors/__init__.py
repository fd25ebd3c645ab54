from .metric_hmr import MetricHMR
