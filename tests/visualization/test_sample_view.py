import numpy as np
import pytest
import torch

from mmhuman_dto.body_models import JOINT_SETS, OpenBody
from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.structures import People
from mmhuman_dto.visualization import Placement, draw_annotations, draw_birdseye, draw_overlay, draw_sample
from mmhuman_dto.visualization.sample_view import joint_set_of

HEIGHT, WIDTH = 330, 440


@pytest.fixture(scope='module')
def body():
    return OpenBody()


@pytest.fixture
def sample():
    return SyntheticCrowd(scenes=dict(size=(HEIGHT, WIDTH), people=(3, 3)), num_scenes=1)[0]


def columns(picture, *widths):
    """The pictures side by side, which must have these widths."""
    assert picture.shape[1] == sum(widths)
    return np.split(picture, np.cumsum(widths)[:-1], axis=1)


def test_annotations_bodies_and_the_view_from_above(sample, body):
    plain = sample.image.copy()
    annotated, overlay, above = columns(draw_sample(sample, body), WIDTH, WIDTH, HEIGHT)
    assert np.array_equal(sample.image, plain)
    people = sample.gt_instances
    assert np.array_equal(annotated, draw_annotations(
        plain, range(3), people.bboxes.numpy(), people.keypoints_2d.numpy(), people.keypoints_2d_valid.numpy(),
        JOINT_SETS['smpl45'], [f'{number}: layer {layer}, {age:.0f} y' for number, layer, age in zip(
            range(3), people.depth_layers, people.ages)]))
    placement = Placement.from_sample(sample, body, 'gt')
    assert np.array_equal(overlay, draw_overlay(plain, placement, body.faces.numpy()))
    assert np.array_equal(above, draw_birdseye([('from above', placement)], body.faces.numpy(), (HEIGHT, WIDTH),
                                               panel_size=(HEIGHT, HEIGHT)))


@pytest.mark.parametrize('title', ['where it is from', 16 * 'long '])
def test_a_title_stands_above_the_pictures_and_fits(sample, texts, title):
    del sample.gt_camera, sample.gt_instances.keypoints_3d
    plain, titled = draw_sample(sample), draw_sample(sample, title=title)
    strip = titled[:-HEIGHT]
    assert np.array_equal(titled[-HEIGHT:], plain) and texts[-1].lines == (title, )
    left, top, right, bottom = texts[-1].box
    assert left == 0 and top > 0 and right <= WIDTH + 1 and bottom <= len(strip) + 1
    assert right > .75 * WIDTH or len(title) < 30  # a long one nearly fills the width


def test_without_meshes_joints_in_space_are_stick_figures(sample, body):
    people = sample.gt_instances
    for name in ('transl', 'betas', 'global_orient', 'body_pose'):
        delattr(people, name)
    annotated, overlay, above = columns(draw_sample(sample, body), WIDTH, WIDTH, HEIGHT)
    drawn = (overlay != sample.image).any(-1)
    points = people.keypoints_2d[people.keypoints_2d_valid].long().numpy()
    assert drawn[points[:, 1], points[:, 0]].mean() > .9 and drawn.mean() < .3
    del sample.gt_camera
    columns(draw_sample(sample, body), WIDTH, HEIGHT)
    del people.keypoints_3d
    assert draw_sample(sample, body).shape[:2] == (HEIGHT, WIDTH)


def test_two_dimensions_only(sample, texts):
    """As Relative Human: boxes, CrowdPose's joints, layers; nothing known of some."""
    count = 3
    joints = sample.gt_instances.keypoints_2d[:, 16:30]
    sample.gt_instances = People(
        keypoints_2d=joints, keypoints_2d_valid=torch.ones(count, 14, dtype=torch.bool),
        depth_layers=torch.tensor([1, -1, 0]), ages=torch.tensor([30., 5, torch.nan]))
    sample.set_metainfo(dict(joint_set='crowdpose14'))
    picture = draw_sample(sample)
    assert picture.shape[:2] == (HEIGHT, WIDTH) and (picture != sample.image).any()
    assert [text.lines[0] for text in texts] == ['0: layer 1, 30 y', '1: 5 y', '2: layer 0']


@pytest.mark.parametrize('fields', [True, False])
def test_nobody(sample, body, fields):
    nobody = sample.gt_instances[torch.zeros(3, dtype=torch.bool)] if fields else People(num_people=0)
    sample.gt_instances = nobody
    picture = draw_sample(sample, body, 'nobody')
    assert np.array_equal(picture[-HEIGHT:, :WIDTH], sample.image)


def test_joint_sets_by_name_and_by_names(sample):
    assert joint_set_of(sample).names == tuple(sample.joint_set)
    sample.set_metainfo(dict(joint_set='crowdpose14'))
    assert len(joint_set_of(sample).names) == 14
    sample.set_metainfo(dict(joint_set=('head', 'tail')))
    assert joint_set_of(sample) is None
