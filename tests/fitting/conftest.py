"""A fit of OpenBody, and people whose joints it is to find, with known truth."""
import numpy as np
import pytest
import torch
from smplx_files import write_smplx

from mmhuman_dto.fitting import KeypointFit
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.synthetic.poses import LIMITS, random_poses
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl


@pytest.fixture(scope='session')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='session')
def fit(body_model):
    limits = torch.from_numpy(np.radians(np.array(LIMITS)))
    return KeypointFit(body_model, torch.from_numpy(random_poses(2000, noise=10., swapped=.5)), limits)


@pytest.fixture(scope='session')
def smpl_dir(tmp_path_factory):
    """Folder with a synthetic body in SMPL's file layout."""
    return write_synthetic_smpl(tmp_path_factory.mktemp('bodies'))


@pytest.fixture(scope='session')
def smplx_dir(tmp_path_factory):
    """Folder with random arrays in SMPL-X's file layout."""
    return write_smplx(tmp_path_factory.mktemp('smplx_bodies'))


@pytest.fixture(scope='session')
def quick_fit():
    """A fit of OpenBody that starts from the lifting network's answer."""
    return SOURCES.build(dict(type='KeypointFitMeshes', lifter='openbody_coco17', hips=0., device='cpu')).fit
