"""Pictures of joints as a data set."""
import pytest
import torch

from mmhuman_dto.registry import BODY_MODELS, DATASETS


def build(**changes):
    return DATASETS.build(dict(type='SyntheticKeypoints', **changes))


def test_items_are_samples_whose_parts_fit_together():
    """The meshes' joints are ``keypoints_3d``, their projection without errors ``keypoints_2d``."""
    none = dict(std=(0., 0., 0.), wrong=(0., 1.), pixel_std=0., sides_swapped=0., hips_raised=(0., 0.))
    sample = build(seed=4, errors=none)[3]['data_samples']
    people, body_model = sample.gt_instances, BODY_MODELS.build(dict(type='OpenBody'))
    output = body_model(people.pose, people.betas, people.transl)
    torch.testing.assert_close(body_model.select_joints(output, 'coco17'), people.keypoints_3d, atol=2e-4, rtol=0)
    height, width = sample.img_shape
    pixels = people.keypoints_3d @ sample.gt_camera.intrinsics.T
    pixels = (pixels[..., :2] / pixels[..., 2:]).clamp(min=0).minimum(torch.tensor([width, height]))
    torch.testing.assert_close(people.keypoints_2d, pixels, atol=.05, rtol=1e-4)
    torch.testing.assert_close(body_model.height(people.betas), people.heights, atol=1e-4, rtol=0)
    assert sample.joint_set[5] == 'left_shoulder' and sample.body_model == 'OpenBody'


def test_items_repeat_and_end():
    data = build(seed=1, num_scenes=3)
    assert len(data) == 3
    first, again = (data[2]['data_samples'].gt_instances.keypoints_2d for _ in range(2))
    assert torch.equal(first, again)
    with pytest.raises(IndexError, match='scene 3 of 3'):
        data[3]


def test_other_joints():
    sample = build(joint_set='crowdpose14', scenes=dict(people=3))[0]['data_samples']
    assert sample.gt_instances.keypoints_2d.shape[1:] == (14, 2) and len(sample.gt_instances) <= 3


def test_a_misspelt_option_is_named():
    with pytest.raises(TypeError, match='unusul'):
        build(scenes=dict(unusul=.2))
