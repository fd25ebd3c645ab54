"""Views of a scene: 2D, 3D, camera and pixels stay one scene whatever is done to it."""
import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.datasets.transforms import RandomView, Resize
from mmhuman_dto.datasets.transforms.views import through_window
from mmhuman_dto.datasets.transforms.warp import MIRROR, Warp, warp_sample
from mmhuman_dto.structures import FIELDS, FieldSpec

#: Mirrors a picture in place.
FLIP = RandomView(120, rotation=0, scale=(1, 1), flip=1, below_spine=0)


@st.composite
def warps(draw, size=(90, 120)):
    """Any roll, mirror and window."""
    angle = draw(st.floats(-np.pi, np.pi))
    roll = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    low = [draw(st.floats(-.4, .4)) * side for side in size[::-1]]
    high = [draw(st.floats(.6, 1.4)) * side for side in size[::-1]]
    pixels, size = through_window((*low, *high), draw(st.integers(40, 300)))
    return Warp(roll @ MIRROR if draw(st.booleans()) else roll, pixels, size)


@settings(max_examples=20)
@given(seed=st.integers(0, 99))
def test_flip_twice_is_identity(make_sample, seed):
    sample = make_sample(seed)
    sample.image[:] = np.random.default_rng(seed).integers(0, 256, sample.image.shape)
    before = copy.deepcopy(sample)
    once = copy.deepcopy(FLIP(sample))
    twice = FLIP(sample)
    assert not torch.allclose(once.gt_instances.global_orient, before.gt_instances.global_orient)
    assert np.array_equal(once.image, before.image[:, ::-1])
    for name, value in before.gt_instances.items():
        torch.testing.assert_close(twice.gt_instances[name], value, atol=2e-5, rtol=1e-6, msg=name)
    torch.testing.assert_close(twice.gt_camera.intrinsics, before.gt_camera.intrinsics)
    assert np.array_equal(twice.image, before.image)
    for name, value in before.gt_maps.items():
        assert torch.equal(twice.gt_maps.get(name), value)
    np.testing.assert_allclose(twice.warp, np.eye(3), atol=1e-9)


def test_mirrored_body_is_the_mirror_image_of_the_body(make_sample, body):
    """OpenBody is symmetric, so the mirrored pose gives the mirrored surface."""
    sample = make_sample(2)
    people = sample.gt_instances
    before = body(people.pose, people.betas, people.transl).vertices
    FLIP(sample)
    after = body(people.pose, people.betas, people.transl).vertices
    mirrored = before * torch.tensor([-1., 1, 1])
    torch.testing.assert_close(after[:, body.mirror], mirrored, atol=1e-4, rtol=0)


@settings(max_examples=25)
@given(warp=warps(), u=st.integers(30, 90), v=st.integers(25, 65))
def test_a_dot_in_the_picture_stays_at_its_joint(make_sample, warp, u, v):
    sample = make_sample(4, count=1)
    sample.gt_instances.keypoints_2d[0, 0] = torch.tensor([u, v])
    sample.image[v - 3:v + 3, u - 3:u + 3] = 255  # pixels' centres lie at integers + .5, so the dot's at (u, v)
    warp_sample(sample, warp)
    joint = sample.gt_instances.keypoints_2d[0, 0].numpy()
    extent = 5 * np.sqrt(abs(np.linalg.det(sample.warp)))
    if (joint > extent).all() and (joint < np.array(warp.size[::-1]) - extent).all():
        weight = sample.image[..., 0].astype(float)
        rows, columns = np.mgrid[:weight.shape[0], :weight.shape[1]] + .5
        centre = [(columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()]
        np.testing.assert_allclose(centre, joint, atol=.25)


def test_boxes_masks_and_maps_follow(make_sample):
    sample = make_sample(0, count=1)
    people = sample.gt_instances
    people.bboxes, people.areas = torch.tensor([[30., 20, 50, 40]]), torch.tensor([300.])
    warp_sample(sample, Warp(np.eye(3), *through_window((20, 10, 80, 55), 120)))
    assert people.bboxes.tolist() == [[20, 20, 60, 60]] and people.areas.item() == pytest.approx(1200)
    want = torch.zeros(90, 120, dtype=torch.bool)
    want[20:60, 20:60] = True
    assert torch.equal(people.masks[0], want) and torch.equal(sample.gt_maps.id_map > 0, want)
    assert sample.gt_camera.intrinsics[1, 1] == pytest.approx(2 * 1.1 * 1.3 * 90)
    assert sample.gt_camera.fov == pytest.approx(2 * np.arctan(90 / 2 / (2 * 1.1 * 1.3 * 90)))


def test_joints_outside_are_not_valid(make_sample):
    sample = make_sample(0, count=2)
    points = sample.gt_instances.keypoints_2d.clone()
    warp_sample(sample, Warp(np.eye(3), *through_window((0, 0, 120, 45), 120)))
    inside = ((points >= 0) & (points < torch.tensor([120., 45]))).all(-1)
    assert 0 < inside.sum() < inside.numel()
    assert torch.equal(sample.gt_instances.keypoints_2d_valid, inside)
    assert sample.gt_instances.keypoints_3d_valid.all()


def test_a_new_field_needs_only_a_row_in_the_table(make_sample, monkeypatch):
    monkeypatch.setitem(FIELDS, 'heads', FieldSpec('box', (4, ), 'px'))
    sample = make_sample(0, count=1)
    sample.gt_instances.heads = torch.tensor([[10., 10, 20, 20]])
    Resize(240)(sample)
    assert sample.gt_instances.heads.tolist() == [[20, 20, 40, 40]]
    monkeypatch.setitem(FIELDS, 'feet', FieldSpec('sides', (2, ), 'of the left and the right foot'))
    sample.gt_instances.feet = torch.tensor([[1., 2]])
    FLIP(sample)
    assert sample.gt_instances.feet.tolist() == [[2, 1]]


def views_of(make_sample, view, count=300):
    for draw in range(count):
        sample = make_sample(7, count=1)
        before = copy.deepcopy(sample)
        sample.set_metainfo(dict(draw=(0, draw)))
        yield before, view(sample)


def test_shares_and_ranges_of_random_views(make_sample):
    mirrored, angles, zooms = [], [], []
    for before, after in views_of(make_sample, RandomView(224, below_spine=0.)):
        linear = after.warp[:2, :2]
        mirrored.append(np.linalg.det(linear) < 0)
        zooms.append(after.gt_camera.intrinsics[1, 1].item() / (1.1 * 1.3 * 90) * 120 / 224)
        joints = after.gt_instances.keypoints_3d
        if mirrored[-1]:
            joints = joints[:, list(JOINT_SETS['smpl45'].flip_permutation)]
        # The mirror leaves y alone, so the roll is where the y axis went.
        world = np.linalg.lstsq(before.gt_instances.keypoints_3d[0].numpy(), joints[0].numpy(), rcond=None)[0].T
        angles.append(np.degrees(np.arctan2(-world[0, 1], world[1, 1])))
        # Not cut: the principal point's offset from the centre is the original's, as an angle.
        height, width = after.img_shape
        off = np.abs([(after.gt_camera.intrinsics[0, 2] - width / 2) / after.gt_camera.intrinsics[0, 0],
                      (after.gt_camera.intrinsics[1, 2] - height / 2) / after.gt_camera.intrinsics[1, 1]])
        np.testing.assert_allclose(off, [.05 * 120 / (1.3 * 90), .05 * 90 / (1.1 * 1.3 * 90)], atol=2e-3)
    assert .4 < np.mean(mirrored) < .6
    assert .8 <= min(zooms) < .9 and 1.7 < max(zooms) <= 1.81
    assert -15 <= min(angles) < -13 and 13 < max(angles) <= 15


def test_cut_below_the_spine_keeps_everybodys_upper_body(make_sample):
    cut, kept_half = [], []
    for before, after in views_of(make_sample, RandomView(224, rotation=0, scale=(1, 1), flip=0.)):
        ratio = after.img_shape[0] / after.img_shape[1]
        cut.append(ratio < .74)
        kept_half.append(ratio > .37)
        assert after.gt_instances.keypoints_2d_valid[:, 3].all() == before.gt_instances.keypoints_2d_valid[:, 3].all()
    assert all(kept_half) and .7 < np.mean(cut) < .9


def test_a_crop_is_a_window_of_the_picture_of_at_least_the_stated_size(make_sample):
    view = RandomView(224, rotation=0, scale=(1, 1), flip=0, below_spine=0, crop=.2)
    corners = [(np.linalg.inv(after.warp) @ [[0, after.img_shape[1]], [0, after.img_shape[0]], [1, 1]])[:2]
               for _, after in views_of(make_sample, view, 100)]
    low, high = np.moveaxis(corners / np.array([[120], [90]]), -1, 0)  # parts of the picture's width and height
    assert low.min() > -1e-9 and high.max() < 1 + 1e-9 and low.max() > .1 > 1 - high.max()
    assert .8 <= (high - low).min() < .85 and .95 < (high - low).max() <= 1
