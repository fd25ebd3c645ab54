"""Networks: importing this package registers all of them."""
from . import backbones, data_preprocessor, detectors, heads, layers, losses, task_modules
