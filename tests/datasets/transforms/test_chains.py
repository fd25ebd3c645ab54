"""Chains of the registered transforms, as configs compose them, on ordinary and on odd samples."""
import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.datasets.transforms import KeepVisiblePeople, Pad, Pipeline, RandomView, Resize
from mmhuman_dto.geometry import project
from mmhuman_dto.structures import HumanDataSample, People

METRIC = ('global_orient', 'body_pose', 'betas', 'transl', 'keypoints_3d', 'heights', 'ages')
SIZES = st.integers(30, 300)
WINDOWS = st.one_of(
    st.builds(lambda size: dict(type='Resize', input_size=size), SIZES),
    st.builds(lambda divisor, square: dict(type='Pad', divisor=divisor, square=square), st.sampled_from([1, 14, 56]),
              st.booleans()),
    st.builds(lambda size, crop: dict(type='RandomView', input_size=size, rotation=0, flip=0, crop=crop), SIZES,
              st.floats(0, .3)))
VIEWS = st.builds(
    lambda size, rotation, scale, flip, below_spine, crop: dict(
        type='RandomView', input_size=size, rotation=rotation, scale=scale, flip=flip, below_spine=below_spine,
        crop=crop),
    SIZES, st.floats(0, 180), st.tuples(st.floats(.5, 1), st.floats(1, 2)), st.floats(0, 1), st.floats(0, 1),
    st.floats(0, .3))
OTHERS = st.sampled_from([dict(type='ColorJitter'), dict(type='OccludeWithNoise'), dict(type='KeepVisiblePeople')])


def drawn(sample, draw):
    sample.set_metainfo(dict(draw=(0, draw)))
    return sample


def moved(points, sample):
    """Joints (N, J, 2) px of the original picture in the sample's, by its ``warp``; a mirror changes sides."""
    warp = torch.from_numpy(sample.get('warp', np.eye(3)))
    if torch.linalg.det(warp) < 0:
        points = points[:, list(JOINT_SETS[sample.joint_set].flip_permutation)]
    return points.double() @ warp[:2, :2].T + warp[:2, 2]


@settings(max_examples=100)
@given(chain=st.lists(st.one_of(WINDOWS, VIEWS, OTHERS), min_size=1, max_size=6), seed=st.integers(0, 9),
       count=st.integers(0, 3), draw=st.integers(0, 10**9))
def test_3d_projects_onto_2d_after_any_chain(make_sample, body, chain, seed, count, draw):
    sample = drawn(make_sample(seed, count), draw)
    sample.gt_instances.heights = torch.arange(count).float()  # tells who is left
    original = sample.gt_instances.keypoints_2d.clone()
    Pipeline(chain)(sample)
    people, intrinsics = sample.gt_instances, sample.gt_camera.intrinsics.double()
    torch.testing.assert_close(project(people.keypoints_3d.double(), intrinsics), people.keypoints_2d.double(),
                               atol=.1, rtol=0)
    if len(people):
        bones = body.skeleton(people.pose, people.betas, people.transl)
        torch.testing.assert_close(bones, people.keypoints_3d[:, :24], atol=5e-5, rtol=0)
    torch.testing.assert_close(moved(original, sample)[people.heights.long()], people.keypoints_2d.double(), atol=.1,
                               rtol=0)
    height, width = sample.img_shape
    points, valid = people.keypoints_2d, people.keypoints_2d_valid
    assert sample.image.shape == (height, width, 3) and people.masks.shape[1:] == (height, width)
    assert (points[valid] >= 0).all() and (points[valid] < torch.tensor([width, height])).all()
    assert (people.bboxes >= 0).all() and (people.bboxes <= torch.tensor([width, height] * 2)).all()


@settings(max_examples=30)
@given(chain=st.lists(WINDOWS, min_size=1, max_size=4), draw=st.integers(0, 10**9))
def test_windows_never_change_metres(make_sample, chain, draw):
    sample = drawn(make_sample(1), draw)
    before = copy.deepcopy(sample.gt_instances)
    Pipeline(chain)(sample)
    for name in METRIC:
        assert torch.equal(sample.gt_instances[name], before[name]), name
    assert set(sample.gt_maps.depth.unique().tolist()) <= {0., 4.}


def test_pad_centres_the_picture_and_resamples_nothing(make_sample):
    sample = make_sample(0, size=(90, 121))
    sample.image[:] = np.random.default_rng(0).integers(1, 256, sample.image.shape)
    before = copy.deepcopy(sample)
    Pad(divisor=56, square=True)(sample)
    assert sample.img_shape == (168, 168)
    inside = np.s_[39:39 + 90, 23:23 + 121]
    assert np.array_equal(sample.image[inside], before.image) and (sample.image > 0).sum() == before.image.size
    moved = torch.tensor([23., 39])
    torch.testing.assert_close(sample.gt_instances.keypoints_2d, before.gt_instances.keypoints_2d + moved)
    torch.testing.assert_close(sample.gt_camera.intrinsics[:2, 2], before.gt_camera.intrinsics[:2, 2] + moved)
    assert torch.equal(sample.gt_maps.id_map[inside], before.gt_maps.id_map)
    assert Pad(divisor=14)(make_sample(0, size=(90, 121))).img_shape == (98, 126)
    assert Pad()(make_sample(0)).img_shape == (90, 120)


TRAINING = [dict(type='JointsFromMeshes', body_model=dict(type='OpenBody')), dict(type='RandomView', input_size=112),
            dict(type='KeepVisiblePeople'), dict(type='OccludeWithNoise', prob=1.), dict(type='ColorJitter'),
            dict(type='Pad', square=True)]


@pytest.fixture(scope='module')
def training():
    return Pipeline(TRAINING)


@pytest.mark.parametrize('size', [(90, 120), (1, 1), (1, 300), (400, 1), (3, 2000), (1500, 7)])
@pytest.mark.parametrize('count', [0, 1, 100])
def test_any_size_and_any_number_of_people(make_sample, training, size, count):
    sample = make_sample(0, count=count, size=size)
    if count == 100:
        del sample.gt_instances.masks
    for draw in range(3):
        found = training(drawn(copy.deepcopy(sample), draw))
        assert found.image.shape == (112, 112, 3)
        assert len(found.gt_instances) <= count and found.gt_instances.keypoints_2d.isfinite().all()
        assert found.gt_camera.intrinsics.isfinite().all()


def test_an_image_without_annotations(training):
    """Readers give images of nobody as people without fields, without a camera."""
    sample = HumanDataSample(metainfo=dict(img_id='a', img_shape=(30, 40), joint_set='smpl45'))
    sample.image, sample.gt_instances = np.zeros((30, 40, 3), np.uint8), People(num_people=0)
    assert training(sample).img_shape == (112, 112) and len(sample.gt_instances) == 0


def joints_only(count=3):
    sample = HumanDataSample(metainfo=dict(img_id='a', img_shape=(80, 100), joint_set='crowdpose14'))
    sample.image = np.full((80, 100, 3), 100, np.uint8)
    points = torch.rand(count, 14, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([100., 80])
    sample.gt_instances = People(
        keypoints_2d=points, keypoints_2d_valid=torch.ones(count, 14, dtype=torch.bool),
        bboxes=torch.cat([points.amin(1), points.amax(1)], -1), depth_layers=torch.arange(count),
        ages=torch.full((count, ), torch.nan))
    return sample


def test_people_without_3d(training):
    for draw in range(5):
        sample = Pipeline(TRAINING[1:])(drawn(joints_only(), draw))
        assert 'keypoints_3d' not in sample.gt_instances and sample.gt_instances.ages.isnan().all()
        points = sample.gt_instances.keypoints_2d.double()
        mapped = moved(joints_only().gt_instances.keypoints_2d, sample)[:len(points)]
        torch.testing.assert_close(points, mapped, atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match='a: people have no transl; JointsFromMeshes is for sets with meshes'):
        training(joints_only())


def test_joints_that_are_not_numbers_are_nobodys(make_sample):
    """A joint that is nan counts as not seen, whatever its flag says: it moves no window and gets no noise."""
    sample = joints_only()
    sample.gt_instances.keypoints_2d[0] = torch.nan
    sample.gt_instances.keypoints_2d[1, 6:8] = torch.nan
    Pipeline([dict(type='OccludeWithNoise', prob=1.), dict(type='RandomView', input_size=112, below_spine=1.),
              dict(type='KeepVisiblePeople', min_joints=1)])(sample)
    assert len(sample.gt_instances) == 2
    assert sample.gt_instances.keypoints_2d[sample.gt_instances.keypoints_2d_valid].isfinite().all()


def test_people_without_2d(make_sample):
    sample = make_sample(0)
    del sample.gt_instances.keypoints_2d, sample.gt_instances.keypoints_2d_valid
    before = copy.deepcopy(sample.gt_instances.keypoints_3d)
    RandomView(112)(sample)
    Resize(60)(sample)
    depths = (values[..., 2].sort(-1).values for values in (sample.gt_instances.keypoints_3d, before))
    torch.testing.assert_close(*depths)
    for name in ('OccludeWithNoise', 'KeepVisiblePeople'):
        with pytest.raises(ValueError, match=f'0.png: people have no .*; put JointsFromMeshes before {name}'):
            Pipeline([dict(type=name)])(sample)


def test_noise_stays_in_the_picture():
    """Joints annotated outside of it pull the box of noise there, and a box outside covers nothing."""
    sample = joints_only(1)
    sample.gt_instances.keypoints_2d -= 300
    for draw in range(20):
        Pipeline([dict(type='OccludeWithNoise', prob=1.)])(drawn(sample, draw))
    assert (sample.image == 100).all()


def test_unknown_meshes_stay_unknown(make_sample):
    """nan of one person reaches no one else."""
    sample = make_sample(0)
    others = copy.deepcopy(sample.gt_instances[1:])
    for name in ('transl', 'global_orient', 'betas'):
        sample.gt_instances[name][0] = torch.nan
    Pipeline(TRAINING[:2])(sample)
    assert sample.gt_instances.transl[0].isnan().all() and not sample.gt_instances.keypoints_2d_valid[0].any()
    assert sample.gt_instances.transl[1:].isfinite().all() and sample.gt_instances.global_orient[1:].isfinite().all()
    torch.testing.assert_close(sample.gt_instances.transl[1:, 2], others.transl[:, 2], atol=.5, rtol=0)
    KeepVisiblePeople(1)(sample)
    assert len(sample.gt_instances) <= 2 and sample.gt_instances.transl.isfinite().all()


def test_the_pelvis_of_other_joint_sets_does_not_place_bodies(make_sample):
    sample = make_sample(0)
    people = sample.gt_instances
    for name in ('keypoints_2d', 'keypoints_2d_valid', 'keypoints_3d_valid'):
        delattr(people, name)
    people.keypoints_3d = people.keypoints_3d[:, :17]
    sample.set_metainfo(dict(joint_set='h36m17'))
    with pytest.raises(ValueError, match='SMPL\'s 24: put JointsFromMeshes before'):
        RandomView(112)(sample)
    del people.keypoints_3d
    with pytest.raises(ValueError, match='SMPL\'s 24: put JointsFromMeshes before'):
        RandomView(112)(sample)
