"""Disparity comes with a sample and follows its picture."""
import numpy as np
import pytest
import torch

from mmhuman_dto.datasets.transforms import AddDisparity, Pipeline
from mmhuman_dto.structures import HumanDataSample, People


@pytest.fixture
def sample():
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', img_shape=(20, 40), ori_shape=(20, 40)))
    sample.image, sample.gt_instances = np.zeros((20, 40, 3), np.uint8), People(num_people=0)
    return sample


@pytest.fixture
def source(tmp_path):
    np.save(tmp_path / 'a.npy', np.tile(np.repeat(np.float32([100, 300]), 20), (20, 1)))
    return dict(type='PrecomputedDepth', folder=str(tmp_path), suffix='.npy', kind='disparity')


def test_a_file_becomes_a_map_that_is_resized_along(sample, source):
    chain = Pipeline([dict(type='AddDisparity', source=source), dict(type='Resize', input_size=20),
                      dict(type='PackHumanInputs')])
    maps = chain(sample)['data_samples'].pred_maps
    assert maps.disparity.shape == (10, 20)
    assert torch.equal(maps.disparity, torch.tensor([100.] * 10 + [300.] * 10).expand(10, 20))


def test_after_resizing_it_is_too_late(sample, source):
    with pytest.raises(ValueError, match='a.jpg.*it belongs before'):
        Pipeline([dict(type='Resize', input_size=20), AddDisparity(source)])(sample)
