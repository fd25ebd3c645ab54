import cv2
import pytest
import torch

from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene

torch.set_num_threads(1)
cv2.setNumThreads(1)
CONFIG = CrowdConfig(size=(240, 360))


@pytest.fixture(scope='session')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='session')
def scenes(body_model):
    return [sample_scene(index, body_model, CONFIG, seed=7) for index in range(6)]


@pytest.fixture(scope='session')
def pictures(body_model, scenes):
    renderer = Renderer(body_model)
    return [renderer(scene) for scene in scenes]


@pytest.fixture(scope='session')
def varied_config():
    return CrowdConfig(version=2, size=(72, 96), people=(1, 30), depth_range=(1.2, 2.))


@pytest.fixture(scope='session')
def varied(body_model, varied_config):
    return [sample_scene(index, body_model, varied_config, seed=5) for index in range(120)]


@pytest.fixture(scope='session')
def varied_pictures(body_model, varied):
    renderer = Renderer(body_model)
    return [renderer(scene) for scene in varied[:30]]
