"""Meshes fitted to joints, as a source: rows, cameras and what is missing."""
import math

import pytest
import torch
from fitted_people import upright

from mmhuman_dto.fitting import JointTables
from mmhuman_dto.perception import SourceError
from mmhuman_dto.perception.keypoint_fit import GUESSED_FOCAL
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import Camera, HumanDataSample, People

K = torch.tensor([[700., 0, 320], [0, 700, 240], [0, 0, 1]])


@pytest.fixture(scope='module')
def source():
    return SOURCES.build(dict(type='KeypointFitMeshes', device='cpu'))


def sample_of(source, state, known):
    joints = JointTables(source.body_model).joints(state).float() @ K.T
    keypoints = joints[..., :2] / joints[..., 2:]
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    sample.detected_instances = People(keypoints_2d=keypoints, keypoints_2d_valid=torch.full(keypoints.shape[:2], .8))
    if known:
        sample.pred_camera = Camera(intrinsics=K)
    return sample


def test_rows_are_the_detected_people(source):
    """Images of a batch keep to themselves; each mesh projects to its person's joints, at about its distance."""
    states = upright(4, seed=2), upright(2, seed=3)
    results = source([sample_of(source, state, known=True) for state in states])
    for state, (people, camera) in zip(states, results):
        assert len(people) == len(state.betas) and torch.equal(camera.intrinsics, K)
        vertices = source.body_model(people.pose, people.betas, people.transl).vertices
        joints = source.body_model.regress(vertices, 'coco17')
        away = (joints.mean(1) - JointTables(source.body_model).joints(state).mean(1).float())
        assert (away.norm(dim=-1) < .15 * state.position[:, 2]).all()
        assert (away[:, :2].abs() < .06).all()
        assert ((people.depths_std > .05) & (people.depths_std < 2)).all()


def test_unknown_focal_length_is_guessed(source):
    (people, camera), = source([sample_of(source, upright(2), known=False)])
    assert camera.intrinsics[0, 0].item() == pytest.approx(GUESSED_FOCAL * math.hypot(480, 640))
    assert camera.intrinsics[:2, 2].tolist() == [320, 240]


def test_nobody_and_no_joints(source):
    nobody = sample_of(source, upright(2), known=True)
    nobody.detected_instances = nobody.detected_instances[:0]
    (people, _), (others, _) = source([nobody, sample_of(source, upright(1), known=True)])
    assert len(people) == 0 and len(others) == 1
    with pytest.raises(SourceError, match='a.jpg: no detected_instances with keypoints_2d; put'):
        source([HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))])
