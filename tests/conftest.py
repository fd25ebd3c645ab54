"""For all tests: one torch thread (a second one slows many small operations down), repeatable property tests."""
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile('repeatable', deadline=None, derandomize=True)
settings.load_profile('repeatable')
