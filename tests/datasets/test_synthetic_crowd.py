from pathlib import Path

import numpy as np
import pytest
import tiny_network
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmhuman_dto.geometry import fov_from_focal, project
from mmhuman_dto.registry import DATASETS
from mmhuman_dto.structures import FIELDS

CONFIGS = Path(__file__).parents[2] / 'configs/_base_/datasets'
CONFIG = dict(type='SyntheticCrowd', scenes=dict(size=(120, 180), people=(2, 5)), num_scenes=6, seed=11)


@pytest.fixture(scope='module')
def dataset():
    return DATASETS.build(CONFIG)


def assert_same(a, b):
    assert np.array_equal(a.image, b.image)
    for group in ('gt_instances', 'gt_camera', 'gt_maps'):
        for name, value in getattr(a, group).items():
            assert torch.equal(value, getattr(b, group).get(name)), name


def test_items_have_the_standard_fields(dataset):
    sample = dataset[0]
    people = sample.gt_instances
    assert sample.image.shape == (120, 180, 3) and tuple(sample.ori_shape) == (120, 180)
    assert set(people.keys()) == {
        'bboxes', 'keypoints_2d', 'keypoints_2d_valid', 'keypoints_3d', 'keypoints_3d_valid', 'global_orient',
        'body_pose', 'betas', 'transl', 'heights', 'ages', 'male_probs', 'depth_layers'} <= set(FIELDS)
    assert len(sample.joint_set) == people.keypoints_3d.shape[1]
    assert torch.allclose(sample.gt_camera.fov, fov_from_focal(sample.gt_camera.intrinsics[1, 1], 120))


def test_fields_agree_with_the_body_model_and_each_other(dataset):
    for index in range(3):
        sample = dataset[index]
        people, intrinsics = sample.gt_instances, sample.gt_camera.intrinsics
        out = dataset.body_model(people.pose, people.betas, people.transl)
        assert torch.allclose(out.joints, people.keypoints_3d, atol=2e-4)
        assert torch.allclose(project(people.keypoints_3d, intrinsics), people.keypoints_2d, atol=5e-2)
        assert torch.allclose(dataset.body_model.height(people.betas), people.heights, atol=2e-5)
        assert len(sample.gt_maps.id_map.unique()) - 1 <= len(people)
        z = people.keypoints_3d[:, 0, 2]
        nearer = z[:, None] + .3 <= z
        assert (people.depth_layers[:, None] < people.depth_layers)[nearer].all()
        assert people.depth_layers.min() == 0


def test_boxes_hold_the_visible_pixels(dataset):
    sample = dataset[1]
    for i, (left, top, right, bottom) in enumerate(sample.gt_instances.bboxes.tolist()):
        rows, columns = (sample.gt_maps.id_map == i + 1).nonzero(as_tuple=True)
        assert left - 1 <= columns.min() and columns.max() <= right + 1
        assert top - 1 <= rows.min() and rows.max() <= bottom + 1


def test_items_depend_on_seed_and_index_alone(dataset):
    assert_same(dataset[2], DATASETS.build(CONFIG)[2])
    assert not np.array_equal(dataset[2].image, dataset[3].image)
    assert not np.array_equal(dataset[2].image, DATASETS.build(dict(CONFIG, seed=12))[2].image)


def test_cache_gives_the_same_items_and_is_what_is_read(dataset, tmp_path):
    cached = DATASETS.build(dict(CONFIG, cache_dir=str(tmp_path)))
    for _ in range(2):
        assert_same(dataset[0], cached[0])
    path, = tmp_path.rglob('*.*')
    with np.load(path, allow_pickle=False) as file:
        np.savez(path, **dict(file, heights=np.full_like(file['heights'], 9)))
    assert (cached[0].gt_instances.heights == 9).all()
    assert DATASETS.build(dict(CONFIG, seed=12, cache_dir=str(tmp_path))).cache != cached.cache


def test_length_and_range(dataset):
    assert len(dataset) == 6
    with pytest.raises(IndexError, match='scene 6 of 6'):
        dataset[6]


def test_pictures_of_all_formats_train_in_one_batch():
    config = Config.fromfile(CONFIGS / 'synthetic-crowd-v2.py').train_dataloader.dataset
    config.datasets[0].update(cache_dir=None, scenes=dict(config.datasets[0].scenes, size=(84, 112), people=(1, 6)))
    config.pipeline[0].update(input_size=112)
    dataset = DATASETS.build(config)
    batch = pseudo_collate([dataset[i] for i in range(6)])
    sizes = {tuple(image.shape[1:]) for image in batch['inputs']}
    assert len(sizes) >= 3 and {max(size) for size in sizes} == {112}
    model = tiny_network.build()
    losses = model(**model.data_preprocessor(batch), mode='loss')
    assert all(torch.isfinite(value).all() for value in losses.values())


def test_the_validation_set_of_the_recipe_is_other_scenes():
    config = Config.fromfile(CONFIGS / 'synthetic-crowd-v2.py')
    train, validation = config.train_dataloader.dataset.datasets[0], config.val_dataloader.dataset
    assert train.scenes == validation.scenes and train.scenes.version == 2 and train.seed != validation.seed
