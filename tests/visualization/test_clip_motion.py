import numpy as np
import pytest
import torch
from moving_people import INTRINSICS, mesh_clip, told_clip, true_joints, walking_clip
from scipy.spatial.transform import Rotation

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.structures import Clip
from mmhuman_dto.visualization.clip_motion import camera_to_world, motions_of


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


def at(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_bones_are_the_body_models_in_a_world_that_stands_on_the_ground(body_model):
    clip = walking_clip(body_model)
    to_world = camera_to_world(clip, body_model)
    assert (to_world == to_world[0]).all()
    for motion, track in zip(motions_of(clip, body_model), clip.tracks):
        _, joints = motion.skeleton.world()
        for row, frame in enumerate(track.frames.tolist()):
            truth = at(to_world[0], true_joints(clip, track.track_id, frame, body_model))
            np.testing.assert_allclose(joints[row], truth, atol=1e-5)
        lowest = motion.skin._replace(skeleton=motion.skeleton).posed()[..., 1].min(1)
        assert abs(np.median(lowest)) < .15 and joints[:, 15, 1].min() > 1.2  # feet and head
        assert motion.height == pytest.approx(float(track.people.heights[0]))
        assert motion.height_std == pytest.approx(.02)
        np.testing.assert_array_equal(motion.times, clip.times[track.frames])


def test_short_gaps_are_bridged_long_ones_are_absence_and_who_leaves_is_gone_with_the_next_frame(body_model):
    spans = {motion.track_id: motion.spans for motion in motions_of(walking_clip(body_model), body_model)}
    assert spans[2] == [(0, np.inf)]
    assert spans[5] == [(1, 2)]
    assert spans[7] == [pytest.approx((0, .5)), (3, np.inf)]


def test_a_person_has_one_shape_and_its_pelvis_where_each_frame_has_it(body_model):
    clip = walking_clip(body_model)
    people = clip.tracks[0].people
    people.betas = torch.randn(people.betas.shape, generator=torch.Generator().manual_seed(0))
    motion, *_ = motions_of(clip, body_model, np.tile(np.eye(4), (len(clip), 1, 1)))
    assert motion.betas == pytest.approx(people.betas.median(0).values.numpy())
    assert motion.height == pytest.approx(float(body_model.height(people.betas.median(0).values)))
    assert np.ptp(motion.skin.vertices[:, 1]) == pytest.approx(motion.height, abs=1e-5)
    roots = body_model.skeleton(people.pose, people.betas, people.transl)[:, 0].numpy()
    np.testing.assert_allclose(motion.skeleton.root, roots, atol=1e-6)


def test_a_camera_that_moves_leaves_people_where_they_stand(body_model):
    still = walking_clip(body_model)
    world = {motion.track_id: motion.skeleton.world()[1] for motion in motions_of(still, body_model)}
    moved = walking_clip(body_model)
    # The camera turns to the left and goes right, in a world of any axes.
    turns = Rotation.from_rotvec(np.outer(still.times.numpy(), [0, -.05, 0])).as_matrix()
    to_reference = np.tile(np.eye(4), (len(still), 1, 1))
    to_reference[:, :3, :3], to_reference[:, 0, 3] = turns, .2 * still.times
    any_axes = np.eye(4)
    any_axes[:3, :3], any_axes[:3, 3] = Rotation.from_rotvec([1, 2, 3]).as_matrix(), (5, -6, 7)
    moved.camera_poses = torch.from_numpy(np.linalg.inv(to_reference) @ np.linalg.inv(any_axes))
    for track in moved.tracks:
        pelvis = body_model.skeleton(track.people.pose, track.people.betas, track.people.transl)[:, 0].numpy()
        matrices = np.linalg.inv(to_reference)[track.frames.numpy()]
        seen = np.einsum('fij,fj->fi', matrices[:, :3, :3], pelvis) + matrices[:, :3, 3]
        turned = Rotation.from_matrix(matrices[:, :3, :3]) * Rotation.from_rotvec(track.people.global_orient.numpy())
        track.people.global_orient = torch.from_numpy(turned.as_rotvec()).float()
        track.people.transl = track.people.transl + torch.from_numpy(seen - pelvis).float()
    to_world = camera_to_world(moved, body_model)
    assert to_world[-1, 0, 3] - to_world[0, 0, 3] == pytest.approx(.2 * 3.9, abs=1e-3)
    for motion in motions_of(moved, body_model):
        np.testing.assert_allclose(motion.skeleton.world()[1], world[motion.track_id], atol=1e-4)


def test_each_shot_has_a_ground_of_its_own(body_model):
    clip = walking_clip(body_model)
    cut = 20
    tracks = [type(track)(track.track_id + 10 * late, track.frames[rows], track.people[rows])
              for track in clip.tracks for late in (False, True)
              for rows in [(track.frames >= cut) == late] if rows.any()]
    for track in tracks:
        if track.track_id > 10:
            track.people.transl = track.people.transl + torch.tensor([0, .7, 0])
    clip = Clip('cut', clip.times, clip.image_size, clip.intrinsics, tracks, shots=[0, cut])
    to_world = camera_to_world(clip, body_model)
    assert (to_world[:cut] == to_world[0]).all() and (to_world[cut:] == to_world[cut]).all()
    assert to_world[cut, 1, 3] - to_world[0, 1, 3] == pytest.approx(.7, abs=.1)


def test_rows_that_are_not_finite_are_left_out_and_meshes_have_no_bones(body_model):
    clip = walking_clip(body_model)
    clip.tracks[0].people.transl[3] = torch.nan
    clip.tracks[1].people.body_pose[:] = torch.nan
    first, second = motions_of(clip, body_model)
    assert first.track_id == 2 and second.track_id == 7 and len(first.times) == len(clip.tracks[0]) - 1
    assert motions_of(mesh_clip(body_model), MeshBodies(body_model.faces)) is None


def test_joints_and_rotations_that_are_told_are_bones_too(body_model):
    clip = told_clip(body_model)
    truth = {motion.track_id: motion for motion in motions_of(clip, body_model)}
    for motion in motions_of(clip, MeshBodies(body_model.faces)):
        assert motion.skin is None and motion.height == pytest.approx(truth[motion.track_id].height, abs=1e-6)
        np.testing.assert_allclose(motion.skeleton.world()[1], truth[motion.track_id].skeleton.world()[1], atol=1e-4)


def test_nobody_has_a_camera_on_level_ground(body_model):
    clip = Clip('empty', torch.arange(3, dtype=torch.float64), (480, 640), INTRINSICS.repeat(3, 1, 1), [])
    np.testing.assert_allclose(camera_to_world(clip, body_model)[2, :3], np.diag([1, -1, -1, 0.])[:3] + np.array(
        [[0, 0, 0, 0], [0, 0, 0, 1.6], [0, 0, 0, 0]]), atol=1e-9)
    assert motions_of(clip, body_model) == []
