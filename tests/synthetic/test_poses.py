import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.synthetic import poses
from mmhuman_dto.synthetic.poses import LIMITS, POSES


@pytest.mark.parametrize('name', list(POSES))
def test_poses_are_within_joint_limits(name):
    angles = poses.pose_angles(POSES[name])
    assert (angles >= LIMITS[0]).all() and (angles <= LIMITS[1]).all()


@settings(deadline=None)
@given(st.sampled_from(list(POSES)), st.integers(0, 2**31), st.floats(0, 60))
def test_noise_stays_within_joint_limits(name, seed, std):
    noisy = poses.add_noise(poses.pose_angles(POSES[name]), std, np.random.default_rng(seed))
    assert (noisy >= LIMITS[0]).all() and (noisy <= LIMITS[1]).all()


@pytest.mark.parametrize('name', list(POSES))
def test_mirroring_twice_changes_nothing_and_limits_are_symmetric(name):
    angles = poses.pose_angles(POSES[name])
    assert np.array_equal(poses.mirror_angles(poses.mirror_angles(angles)), angles)
    mirrored = poses.mirror_angles(angles)
    assert (mirrored >= LIMITS[0]).all() and (mirrored <= LIMITS[1]).all()


def _stands(body_model, name):
    pose = torch.as_tensor(poses.to_axis_angle(poses.pose_angles(POSES[name])), dtype=torch.float32)
    return body_model.skeleton(pose[None], torch.zeros(1, body_model.num_betas), None)[0].numpy()


def test_poses_mean_what_they_say(body_model):
    left_hip, right_wrist, left_wrist, head = 1, 21, 20, 15
    standing = _stands(body_model, 'standing')
    # Arms hang beside the hips: hands lower than the chest and less than 40 cm from the middle.
    assert standing[left_wrist, 1] < standing[3, 1] and abs(standing[left_wrist, 0]) < .4
    assert _stands(body_model, 'arms raised')[[left_wrist, right_wrist], 1].min() > standing[head, 1]
    pointing = _stands(body_model, 'pointing')
    assert pointing[right_wrist, 2] - pointing[17, 2] > .35
    hips = _stands(body_model, 'hands on hips')
    assert np.linalg.norm(hips[left_wrist] - hips[left_hip]) < .22
    crossed = _stands(body_model, 'arms crossed')
    assert abs(crossed[left_wrist, 0]) < .18 and crossed[left_wrist, 2] > crossed[9, 2]
    sitting = _stands(body_model, 'sitting')
    assert abs(sitting[4, 1] - sitting[1, 1]) < .1 and sitting[4, 2] - sitting[1, 2] > .3


def test_bending_a_leg_keeps_the_sole_level_and_shortens_it(body_model):
    angles = poses.flatten_feet(poses.pose_angles(POSES['standing']), 'lr')
    bent = poses.bend_leg(angles, 'l', 15.)
    pose = torch.as_tensor(poses.to_axis_angle(np.stack([angles, bent])), dtype=torch.float32)
    joints = body_model.skeleton(pose, torch.zeros(2, body_model.num_betas), None).numpy()
    assert joints[1, 7, 1] - joints[0, 7, 1] > .01
    assert np.allclose(joints[1, 8], joints[0, 8], atol=1e-5)
    soles = joints[:, 10] - joints[:, 7]
    assert np.allclose(soles[0], soles[1], atol=5e-3)


def test_random_poses_are_known_ones_with_noise_and_others_legs():
    plain, swapped = (poses.random_poses(200, seed=4, noise=0., swapped=share) for share in (0., 1.))
    known = np.stack([poses.to_axis_angle(angles) for pose in poses.POSES.values()
                      for angles in (poses.pose_angles(pose), poses.mirror_angles(poses.pose_angles(pose)))])

    def nearest(drawn, bones):
        return np.abs(drawn[:, None, bones] - known[None, :, bones]).max((2, 3)).argmin(1)

    legs, arms = [1, 2, 4, 5], [16, 17, 18, 19]
    assert np.abs(plain[:, None] - known).max((2, 3)).min(1).max() < 1e-9
    assert (nearest(swapped, legs) != nearest(swapped, arms)).mean() > .6
    assert np.array_equal(plain, poses.random_poses(200, seed=4, noise=0.))
    assert np.abs(poses.random_poses(50, noise=8.) - poses.random_poses(50, noise=0.)).std() > .03
