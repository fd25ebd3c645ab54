import numpy as np
import pytest
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.visualization import Placement
from mmhuman_dto.visualization.support import SUPPORT, bone_support, vertex_support

BONES = JOINT_SETS['smpl24'].names
LEGS = [f'{side}_{part}' for side in ('left', 'right') for part in ('hip', 'knee', 'ankle', 'foot')]
TORSO = ['pelvis', 'spine1', 'spine2', 'spine3', 'left_collar', 'right_collar']


def seen_of(joint_set, joints):
    return np.array([[name in joints for name in JOINT_SETS[joint_set].names]])


def supported(joint_set, joints, parents=SMPL_PARENTS[1:]):
    found, = bone_support(seen_of(joint_set, joints), joint_set, parents)
    return set(np.flatnonzero(found).tolist())


@pytest.mark.parametrize('joint_set, seen, bones', [
    ('coco17', ['left_ankle'], ['left_knee', 'left_ankle', 'left_foot']),
    ('coco17', ['right_knee'], ['right_hip']),
    ('coco17', ['left_elbow'], ['left_shoulder']),
    ('coco17', ['right_wrist'], ['right_elbow', 'right_wrist', 'right_hand']),
    ('coco17', ['right_ear'], ['neck', 'head']),
    ('coco17', ['left_hip'], TORSO), ('coco17', ['right_shoulder'], TORSO),
    ('coco17', JOINT_SETS['coco17'].names[:13], [name for name in BONES if name not in LEGS]),
    ('coco17', [], []),
    ('crowdpose14', ['head_top'], ['neck', 'head']), ('h36m17', ['spine'], TORSO),
    ('bk19', ['left_big_toe'], ['left_ankle', 'left_foot'])])
def test_bones_are_told_by_these_joints(joint_set, seen, bones):
    assert supported(joint_set, seen) == {BONES.index(bone) for bone in bones}


@pytest.mark.parametrize('joint_set', JOINT_SETS)
def test_every_bone_is_told_where_all_joints_are_seen(joint_set):
    assert len(supported(joint_set, JOINT_SETS[joint_set].names)) == 24


def test_every_joint_of_the_table_is_of_some_set():
    known = {name for joint_set in JOINT_SETS.values() for name in joint_set.names}
    assert {name.replace('*', 'left') for names in SUPPORT.values() for name in names} <= known


def test_bones_beyond_the_common_ones_are_told_as_their_parents_are():
    """SMPL-X: the jaw and eyes are the head's, fingers the wrists'."""
    parents = [*SMPL_PARENTS[1:22], 15, 15, 15, 20, 25, 26, 21]
    assert supported('coco17', ['nose'], parents) == {12, 15, 22, 23, 24}
    assert supported('coco17', ['left_wrist'], parents) == {18, 20, 25, 26, 27}


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


def test_vertices_blend_between_what_is_seen_and_what_is_not(body_model):
    seen = seen_of('coco17', JOINT_SETS['coco17'].names[:15])  # but the ankles
    support, = vertex_support(seen, 'coco17', body_model)
    vertices, joints = body_model(torch.zeros(1, 72), torch.zeros(1, 11))
    height = vertices[0, :, 1].numpy() - joints[0, [4, 5], 1].mean().item()  # above the knees
    assert support[height > .25] == pytest.approx(1) and support[height < -.25] == pytest.approx(0)
    around = support[np.abs(height) < .02]
    assert ((around > .1) & (around < .9)).mean() > .5


def test_a_placement_has_it_where_scores_and_their_joints_are_known(body_model):
    scores = torch.full((3, 17), .2)
    scores[0, 15:], scores[1] = .19, 0
    people = People(global_orient=torch.zeros(3, 3), body_pose=torch.zeros(3, 23, 3), betas=torch.zeros(3, 11),
                    transl=torch.tensor([[0, 0, 4.], [0, 0, torch.nan], [0, 0, 5.]]), keypoint_scores=scores)
    sample = HumanDataSample(metainfo=dict(keypoint_set='coco17'), pred_instances=people,
                             pred_camera=Camera(intrinsics=torch.eye(3)))
    placement = Placement.from_sample(sample, body_model)
    assert placement.ids.tolist() == [0, 2] and placement.support.shape == placement.vertices.shape[:2]
    assert placement.support[0].min() == 0 and placement.support[1] == pytest.approx(1)
    assert placement.only([2]).support == pytest.approx(1)
    sample.set_metainfo(dict(keypoint_set='crowdpose14'))
    with pytest.raises(ValueError, match="keypoint_scores of 17 joints, keypoint_set 'crowdpose14' has 14"):
        Placement.from_sample(sample, body_model)
    assert Placement.from_sample(sample.new(metainfo=dict(img_id='a')), body_model).support is None
