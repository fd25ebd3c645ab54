import pytest

from mmhuman_dto.synthetic import Renderer
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip

SMALL = dict(size=(90, 160), people=(3, 4))


@pytest.fixture(scope='session')
def crowd(body_model):
    """Four seconds of a still camera."""
    return sample_clip(1, body_model, ClipConfig(seconds=4., cameras=(('still', 1.), ), **SMALL), seed=3)


@pytest.fixture(scope='session')
def moving(body_model):
    """One second of a camera that somebody carries."""
    config = ClipConfig(seconds=1., cameras=(('walking', 1.), ), enter_leave=0., **SMALL)
    return sample_clip(2, body_model, config, seed=3)


@pytest.fixture(scope='session')
def renderer(body_model):
    return Renderer(body_model)
