"""For all tests: one torch thread (a second one slows many small operations down), repeatable property tests."""
import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile('repeatable', deadline=None, derandomize=True)
settings.load_profile('repeatable')


def pytest_collection_modifyitems(items):
    """Slow tests may take longer than the limit of pyproject.toml."""
    for item in items:
        if item.get_closest_marker('slow'):
            item.add_marker(pytest.mark.timeout(3600))
