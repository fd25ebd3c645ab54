"""A fit of OpenBody, and people whose joints it is to find, with known truth."""
import numpy as np
import pytest
import torch

from mmhuman_dto.fitting import KeypointFit
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic.poses import LIMITS, random_poses


@pytest.fixture(scope='session')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='session')
def fit(body_model):
    limits = torch.from_numpy(np.radians(np.array(LIMITS)))
    return KeypointFit(body_model, torch.from_numpy(random_poses(2000, noise=10., swapped=.5)), limits)
