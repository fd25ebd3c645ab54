"""Networks: importing this package registers all of them."""
from . import backbones, data_preprocessor, detectors, heads, layers, lifters, losses, task_modules
