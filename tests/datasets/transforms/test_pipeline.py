"""Reading, choosing people, and changing what pictures look like."""
import copy

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.body_models.joint_sets import names_of
from mmhuman_dto.datasets.transforms import (
    ColorJitter,
    JointsFromMeshes,
    KeepVisiblePeople,
    OccludeWithNoise,
    Pipeline,
)


def test_joints_from_meshes(make_sample, body):
    sample = make_sample(0, count=2)
    people = sample.gt_instances
    people.transl = torch.tensor([[0., 0, 6], [0, 0, -6]])
    JointsFromMeshes(dict(type='OpenBody'))(sample)
    want = body(people.pose, people.betas, people.transl).joints
    torch.testing.assert_close(people.keypoints_3d, want, atol=1e-5, rtol=0)
    fx, cx = sample.gt_camera.intrinsics[0, 0], sample.gt_camera.intrinsics[0, 2]
    torch.testing.assert_close(people.keypoints_2d[0, :, 0], fx * want[0, :, 0] / want[0, :, 2] + cx)
    assert people.keypoints_2d_valid[0].all() and not people.keypoints_2d_valid[1].any()


def test_people_without_a_mesh_keep_their_own_joints(make_sample):
    sample = make_sample(0, count=2)
    people, coco = sample.gt_instances, names_of('coco17')
    meshes = people.keypoints_2d.clone()
    del people.keypoints_3d, people.keypoints_3d_valid
    people.has_mesh, people.keypoints_2d = torch.tensor([True, False]), torch.full((2, 17, 2), 7.)
    people.keypoints_2d_valid = torch.arange(34).view(2, 17) < 33
    sample.set_metainfo(dict(joint_set='coco17', body_model='OpenBody'))
    JointsFromMeshes(dict(type='OpenBody'))(sample)
    torch.testing.assert_close(people.keypoints_2d[0], meshes[0])
    seen = {name for name, valid in zip(names_of('smpl45'), people.keypoints_2d_valid[1]) if valid}
    assert seen == set(coco[:16]) and people.keypoints_2d[1, people.keypoints_2d_valid[1]].unique().item() == 7
    assert people.keypoints_3d_valid.all(1).tolist() == [True, False]


def test_joints_can_stand_for_meshes_of_another_body_model(make_sample):
    sample = make_sample(0)
    sample.set_metainfo(dict(body_model='OpenBody'))
    JointsFromMeshes(dict(type='OpenBody'), keep_meshes=False)(sample)
    assert 'betas' not in sample.gt_instances and sample.gt_instances.keypoints_3d_valid.all()
    unsure = make_sample(0)
    unsure.set_metainfo(dict(has_3d=False))
    JointsFromMeshes(dict(type='OpenBody'), keep_meshes=False)(unsure)
    assert 'keypoints_2d' in unsure.gt_instances and 'keypoints_3d' not in unsure.gt_instances
    other = make_sample(0)
    other.set_metainfo(dict(body_model='SMPLX'))
    with pytest.raises(ValueError, match='0.png: its meshes are of SMPLX, this body model is OpenBody'):
        JointsFromMeshes(dict(type='OpenBody'))(other)


def test_keep_visible_people(make_sample):
    sample = make_sample(0, count=3)
    sample.gt_instances.keypoints_2d_valid[:] = torch.arange(45) < torch.tensor([[4], [3], [45]])
    sample.gt_instances.ages = torch.tensor([1., 2, 3])
    sample.gt_maps.id_map[0, :4] = torch.arange(4)
    KeepVisiblePeople(min_joints=4)(sample)
    assert sample.gt_instances.ages.tolist() == [1, 3]
    assert sample.gt_maps.id_map[0, :4].tolist() == [0, 1, 0, 2]
    KeepVisiblePeople(min_joints=46)(sample)
    assert len(sample.gt_instances) == 0 and not sample.gt_maps.id_map.any()
    KeepVisiblePeople(min_joints=1)(sample)
    assert sample.gt_instances.keypoints_2d.shape == (0, 45, 2)


def test_occluding_noise_covers_the_stated_shares(make_sample):
    covered, area = [], []
    for draw in range(300):
        sample = make_sample(0, count=1, size=(180, 240))
        sample.set_metainfo(dict(draw=(0, draw)))
        truth = copy.deepcopy(sample.gt_instances)
        OccludeWithNoise(prob=.6, max_area=.3)(sample)
        rows, columns = np.nonzero(sample.image.any(-1))
        covered.append(len(rows) > 0)
        points = truth.keypoints_2d[0][truth.keypoints_2d_valid[0]]
        low, high = points.amin(0).numpy(), points.amax(0).numpy()
        if covered[-1]:
            area.append(len(rows) / np.prod(high - low))
            assert columns.min() >= low[0] - 1 and columns.max() <= high[0] + 1
            assert rows.min() >= low[1] - 1 and rows.max() <= high[1] + 1
        for name, value in truth.items():
            assert torch.equal(sample.gt_instances[name], value)
    assert .5 < np.mean(covered) < .7
    assert .1 < np.mean(area) < .22 and max(area) < .4


def test_colour_jitter_scales_brightness_contrast_and_saturation(make_sample):
    ratios = []
    for draw in range(200):
        sample = make_sample(0, count=1)
        sample.image[:] = (120, 100, 80)
        sample.image[:45] = (60, 50, 40)
        sample.set_metainfo(dict(draw=(0, draw)))
        before = sample.image.copy()
        ColorJitter(.2)(sample)
        assert sample.image.dtype == np.uint8
        ratios.append([cv2.mean(image)[1] for image in (sample.image, before)])
    brightness = np.divide(*np.transpose(ratios))
    assert .78 < brightness.min() < .85 and 1.15 < brightness.max() < 1.22
    sample.image[:] = (120, 100, 80)
    before = sample.image.copy()
    assert np.array_equal(ColorJitter(0.)(sample).image, before)


def test_transforms_draw_independently_of_each_other(make_sample):
    def run(*transforms):
        sample = make_sample(0)
        sample.image[:] = 128
        sample.set_metainfo(dict(draw=(3, 4)))
        return Pipeline([dict(type=name) for name in transforms])(sample)

    alone, together = run('OccludeWithNoise'), run('ColorJitter', 'OccludeWithNoise')
    noise = (alone.image != 128).any(-1)
    assert noise.any() and np.array_equal(alone.image[noise], together.image[noise])
    assert np.array_equal(run('ColorJitter').image[~noise], together.image[~noise])
