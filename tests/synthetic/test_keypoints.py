"""People of pictures that are never drawn: exact where they should be, varied as stated."""
import numpy as np
import pytest
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fitting.kinematics import JointTables
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors, detected
from mmhuman_dto.synthetic.keypoints import SOLE, UNUSUAL, KeypointConfig, KeypointScenes, hidden_by_others
from mmhuman_dto.synthetic.poses import LIMITS, pose_angles
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

NAMES = JOINT_SETS['coco17'].names


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def tables(body_model):
    return JointTables(body_model, 'coco17', dtype=torch.float32)


@pytest.fixture(scope='module')
def scenes(body_model, tables):
    made = KeypointScenes(body_model, tables, KeypointConfig(errors=KeypointErrors.none()), seed=3)
    return [made(i) for i in range(40)]


def test_a_scene_is_always_the_same_and_seeds_differ(body_model, tables):
    first, again, other = (KeypointScenes(body_model, tables, seed=seed)(7) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first.keypoints[:1], other.keypoints[:1])


def test_without_errors_keypoints_are_the_joints_projected(scenes):
    for scene in scenes:
        pixels = scene.joints @ scene.intrinsics.T
        pixels = np.clip(pixels[..., :2] / pixels[..., 2:], 0, scene.size[::-1])
        np.testing.assert_allclose(scene.keypoints, pixels, atol=1e-6)
        assert (scene.scores[scene.hidden] < 1e-9).all()
        inside = ((scene.joints[..., 2] > 0)[..., None] & (pixels > 0) & (pixels < scene.size[::-1])).all(-1)
        assert (scene.scores[inside & ~scene.hidden] == 1).all()


def test_people_are_bodies_of_their_pose_shape_and_place(scenes, body_model):
    scene = scenes[0]
    pose, betas, pelvis = (torch.from_numpy(value).float() for value in (scene.pose, scene.betas, scene.pelvis))
    output = body_model(pose, betas)
    joints = body_model.select_joints(output, 'coco17') - output.joints[:, :1] + pelvis[:, None]
    np.testing.assert_allclose(joints.numpy(), scene.joints, atol=1e-4)
    np.testing.assert_allclose(body_model.height(betas).numpy(), scene.heights, atol=1e-4)


def test_people_of_a_picture_are_on_one_ground(scenes):
    """The soles, ``SOLE`` below the lowest joint of a body of 1.7 m, are all as far below the camera."""
    for scene in scenes:
        soles = (scene.joints @ scene.up).min(1) - SOLE * scene.heights / 1.7
        np.testing.assert_allclose(soles, soles[0], atol=1e-4)
        assert soles[0] <= -.149
    assert sum(len(scene.heights) > 8 for scene in scenes) > 10


def test_pictures_are_as_varied_as_stated(body_model, tables):
    made = KeypointScenes(body_model, tables, seed=9)
    scenes = [made(i) for i in range(150)]
    fov = np.degrees([2 * np.arctan(max(scene.size) / 2 / scene.intrinsics[0, 0]) for scene in scenes])
    assert fov.min() < 25 and fov.max() > 100 and ((fov >= 15) & (fov <= 110)).all()
    ratio = np.array([scene.size[0] / scene.size[1] for scene in scenes])
    assert (ratio > 1.2).mean() > .2 and (ratio < .8).mean() > .2
    ages, heights = (np.concatenate([getattr(scene, name) for scene in scenes]) for name in ('ages', 'heights'))
    assert .2 < (ages < 15).mean() < .4
    assert heights[ages < 8].mean() < 1.15 and 1.65 < heights[ages >= 15].mean() < 1.8
    cut = np.concatenate([(scene.keypoints <= 0).any((1, 2)) | (scene.keypoints >= scene.size[::-1]).any((1, 2))
                          for scene in scenes])
    assert .2 < cut.mean() < .9
    assert max(len(scene.heights) for scene in scenes) > 20
    assert all((scene.scores > 0).all() for scene in scenes)


def test_probability_of_what_covers_and_of_unusual_poses(body_model, tables):
    plain = dict(covered=0., unusual=0., tilted=0., lean=0., people=1, errors=KeypointErrors.none())
    alone = [KeypointScenes(body_model, tables, KeypointConfig(**plain | dict(covered=covered)), seed=1)
             for covered in (0., 1.)]
    shown, covered = (np.concatenate([made(i).hidden for i in range(60)]).mean() for made in alone)
    assert shown < .15 < .25 < covered
    lying = KeypointScenes(body_model, tables, KeypointConfig(**plain | dict(unusual=1.)), seed=1)
    trunk = np.concatenate([_trunks(lying(i)) for i in range(60)])
    upright = np.concatenate([_trunks(alone[0](i)) for i in range(60)])
    assert np.median(upright) > .9 and np.median(trunk) < .9


def _trunks(scene):
    """(N) how far trunks point up in the camera frame, -1..1."""
    shoulders, hips = (scene.joints[:, [NAMES.index(f'{side}_{bone}') for side in ('left', 'right')]].mean(1)
                       for bone in ('shoulder', 'hip'))
    along = shoulders - hips
    return -along[:, 1] / np.linalg.norm(along, axis=1)


@pytest.mark.parametrize('name', list(UNUSUAL))
def test_unusual_poses_are_within_joint_limits(name):
    angles = pose_angles(UNUSUAL[name])[1:]
    assert (angles >= LIMITS[0][1:]).all() and (angles <= LIMITS[1][1:]).all()


def test_a_trunk_hides_what_is_behind_it(scenes):
    standing = next(scene for scene in scenes if len(scene.heights) and _trunks(scene)[0] > .99)
    front = standing.joints[:1] - standing.joints[:1].mean((0, 1)) + [0, 0, 3]
    behind = front + [0, 0, 1.5]
    joints = np.concatenate([front, behind])
    pixels = joints[..., :2] / joints[..., 2:] * 1000
    pixels[1] = pixels[0].mean(0) + (pixels[1] - pixels[1].mean(0))
    heights = np.array([1.7, 1.7])
    hidden = hidden_by_others(pixels, joints, heights, 1000.)
    hips = [NAMES.index('left_hip'), NAMES.index('right_hip')]
    assert hidden[1, hips].all() and not hidden[0, hips].any()
    assert not hidden_by_others(pixels + [[[0, 0]], [[900, 0]]], joints, heights, 1000.)[1, hips].any()


@pytest.fixture(scope='module')
def imitated(scenes):
    """What networks say of many joints, and the truth: keypoints, pixels, hidden, scores, distances by size."""
    def imitate(**changes):
        rng = np.random.default_rng(0)
        pixels = np.concatenate([scene.keypoints for scene in scenes if min(scene.size) > 900])
        pixels = np.repeat(pixels[((pixels > 100) & (pixels < 800)).all((1, 2))], 30, 0)
        hidden = rng.random(pixels.shape[:2]) < .3
        plain = dict(hips_raised=(0., 0.), sides_swapped=0., pixel_std=0., to_other_side=0.)
        keypoints, scores = detected(pixels, hidden, (2000, 2000), KeypointErrors(**plain | changes), rng)
        size = np.linalg.norm(np.ptp(pixels, axis=1), axis=-1)[:, None]
        return keypoints, pixels, hidden, scores, (keypoints - pixels) / size[..., None]
    return imitate


def test_errors_grow_as_scores_fall(imitated):
    errors = KeypointErrors()
    *_, hidden, scores, error = imitated(wrong=(0., 1.))
    for score in (.3, .5, .7, .9):
        near = np.abs(scores - score) < .05
        # Of a normal distribution the median is .674, a person's factor has the median 1.
        want = .674 * (errors.std[0] + errors.std[1] * np.exp(-errors.std[2] * score))
        assert np.median(np.abs(error[near])) == pytest.approx(want, rel=.15)
    assert np.median(scores[hidden]) == pytest.approx(1 / (1 + np.exp(.35)), abs=.03)
    assert np.median(scores[~hidden]) == pytest.approx(1 / (1 + np.exp(-1.25)), abs=.03)


def test_joints_of_low_scores_are_wrong_more_often(imitated):
    *_, scores, error = imitated(wrong=(1., 3.), wrong_std=5., std=(0., 0., 0.))
    for score in (.3, .5, .8):
        near = np.abs(scores - score) < .05
        assert (np.abs(error[near]) > 1e-3).any(-1).mean() == pytest.approx(np.exp(-3 * score), abs=.05)
    keypoints, pixels, *_ = imitated(wrong=(1., 0.), to_other_side=1., std=(0., 0., 0.))
    left, right = NAMES.index('left_knee'), NAMES.index('right_knee')
    np.testing.assert_allclose(keypoints[:, left], pixels[:, right], atol=1e-6)


def test_hips_are_raised_and_sides_exchanged():
    pixels = np.zeros((1, 17, 2)) + 500
    pixels[0, :, 0] += np.arange(17)
    hip, shoulder = NAMES.index('left_hip'), NAMES.index('left_shoulder')
    pixels[0, hip, 1], pixels[0, shoulder, 1] = 700, 400
    none = KeypointErrors.none()
    raised = detected(pixels, np.zeros((1, 17), bool), (1000, 1000), _with(none, hips_raised=(.1, 0.)),
                      np.random.default_rng(0))[0]
    assert raised[0, hip, 1] == pytest.approx(670)
    swapped = detected(pixels, np.zeros((1, 17), bool), (1000, 1000), _with(none, sides_swapped=1.),
                       np.random.default_rng(0))[0]
    assert swapped[0, NAMES.index('right_hip'), 1] == 700 and swapped[0, hip, 1] == 500
    assert np.array_equal(swapped[0, :5], pixels[0, :5])


def _with(errors, **changes):
    return type(errors)(**{**vars(errors), **changes})


def test_bodies_that_know_no_children_are_all_grown_up(tmp_path):
    smpl = BODY_MODELS.build(dict(type='SMPL', model_path=str(write_synthetic_smpl(tmp_path))))
    made = KeypointScenes(smpl, JointTables(smpl, 'smpl24', dtype=torch.float32), KeypointConfig(child_share=0.),
                          'smpl24')
    assert (made(0).ages >= 15).all() and made(0).keypoints.shape[1] == 24
    with pytest.raises(ValueError, match='no child coefficient'):
        KeypointScenes(smpl, JointTables(smpl, 'smpl24', dtype=torch.float32), joint_set='smpl24')
