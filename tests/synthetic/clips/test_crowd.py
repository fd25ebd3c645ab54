from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from mmhuman_dto.geometry import project
from mmhuman_dto.structures import Clip
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip
from mmhuman_dto.synthetic.lighting import Light, Mood
from mmhuman_dto.synthetic.people import body_heights
from mmhuman_dto.synthetic.render import View
from mmhuman_dto.synthetic.samples import truth_sample


def world_to_camera(crowd, t, points):
    pose = crowd.clip.camera_poses[t].numpy()
    return points @ pose[:3, :3].T + pose[:3, 3]


@pytest.fixture(params=['crowd', 'moving'])
def any_crowd(request):
    return request.getfixturevalue(request.param)


def test_truth_of_a_frame_is_the_world_seen_by_its_camera(any_crowd, body_model):
    for t in (0, len(any_crowd) - 1):
        scene, ids = any_crowd.frames[t], any_crowd.track_ids(t)
        assert len(scene) == len(ids) > 0
        for i, row in enumerate(ids):
            actor = any_crowd.actors[row]
            values = actor.pose[t], actor.betas, actor.root[t] - actor.rest_root
            out = body_model(*(torch.as_tensor(value).float() for value in values))
            assert np.abs(world_to_camera(any_crowd, t, out.vertices.numpy()) - scene.vertices[i]).max() < 2e-5
            # The world's y goes down, its ground is 0.
            assert abs(out.vertices[:, 1].max()) < 2e-3 and out.vertices[:, 1].min() < -.7 * actor.height


def test_feet_are_on_the_ground_of_every_frame(any_crowd):
    for t in range(0, len(any_crowd), 10):
        scene = any_crowd.frames[t]
        assert np.abs(scene.ground.above(scene.vertices.astype(float)).min(1)).max(initial=0) < 2e-3


def test_the_clip_says_what_the_frames_say(any_crowd, body_model):
    clip = any_crowd.clip
    assert isinstance(clip, Clip) and len(clip) == len(any_crowd) and clip.body_model == 'OpenBody'
    assert np.isclose(clip.fps, 30)
    for t, sample in list(enumerate(clip.samples()))[::9]:
        truth, scene = truth_sample(any_crowd.frames[t], ''), any_crowd.frames[t]
        assert sample.pred_instances.track_ids.tolist() == any_crowd.track_ids(t).tolist()
        for name in ('transl', 'betas', 'heights', 'ages', 'male_probs', 'body_pose'):
            assert torch.allclose(getattr(sample.pred_instances, name), getattr(truth.pred_instances, name), atol=1e-5)
        people = sample.pred_instances
        joints = body_model.skeleton(people.pose, people.betas, people.transl)
        assert np.abs(joints.numpy() - scene.joints[:, :24]).max(initial=0) < 1e-4
        pixels = project(joints.double(), sample.pred_camera.intrinsics.double()).numpy()
        assert np.abs(pixels - scene.project(scene.joints[:, :24])).max(initial=0) < .05


def test_heights_and_shapes_stay(any_crowd, body_model):
    for track in any_crowd.clip.tracks:
        assert torch.unique(track.people.betas, dim=0).shape[0] == 1
        height = any_crowd.actors[track.track_id].height
        assert np.abs(body_heights(track.people.betas[:1], body_model) - height).max() < 2e-5


def test_contacts_are_feet_that_stay(crowd, body_model):
    stood = []
    for track in crowd.clip.tracks:
        contact = crowd.contacts[track.track_id]
        assert contact.shape == (len(track), 2)
        people = track.people
        balls = body_model.skeleton(people.pose, people.betas, people.transl)[:, [10, 11]].double().numpy()
        poses = crowd.clip.camera_poses[track.frames].numpy()
        world = np.einsum('tji,tkj->tki', poses[:, :3, :3], balls - poses[:, None, :3, 3])
        moved, next_to = np.linalg.norm(np.diff(world, axis=0), axis=-1), np.diff(track.frames.numpy()) == 1
        stay = contact[1:] & contact[:-1] & next_to[:, None]
        assert moved[stay].max() < 1e-5
        # Who neither stands nor is about to lift or to put down a foot moves it.
        free = ~contact[1:] & ~contact[:-1] & next_to[:, None]
        if free.any():
            assert np.median(moved[free]) > .005
        stood.append(contact.mean())
    assert .4 < np.mean(stood) <= 1


def test_nobody_jumps(crowd, moving, body_model):
    for actor in crowd.actors + moving.actors:
        values = actor.pose, actor.betas, actor.root - actor.rest_root
        joints = body_model.skeleton(*(torch.as_tensor(value).float() for value in values)).double().numpy()
        acceleration = np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1) * 30**2
        # Feet and knees of walking people have up to 60 m/s^2, a leg that is somewhere else in the next frame hundreds.
        assert acceleration.max() < 75 and acceleration[:, 0].max() < 10


def test_a_still_camera_does_not_move(crowd, moving):
    assert np.ptp(crowd.world_to_camera, axis=0).max() == 0
    step = np.linalg.norm(np.diff(moving.camera.positions, axis=0), axis=1) * 30
    assert .05 < step.mean() < 2 and np.allclose(moving.camera.positions[0, [0, 2]], 0, atol=.02)
    for rotation in moving.world_to_camera[:, :3, :3]:
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9) and np.linalg.det(rotation) > 0
        assert rotation[1, 1] > .8 and rotation[2, 2] > .7  # upright, and ahead


def test_nobody_goes_through_anybody(body_model):
    crowd = sample_clip(0, body_model, ClipConfig(size=(90, 160), people=(5, 6), seconds=4.), seed=5)
    for t in range(0, len(crowd), 15):
        scene = crowd.everybody[t]
        trees = [cKDTree(mesh) for mesh in scene.vertices]
        for i in range(len(scene)):
            for j in range(i):
                assert trees[i].query(scene.vertices[j], distance_upper_bound=.5)[0].min() > .02


def test_the_same_seed_is_the_same_clip(crowd, body_model):
    again = sample_clip(1, body_model, crowd.config, seed=3)
    other = sample_clip(2, body_model, crowd.config, seed=3)
    for a, b in zip(again.actors, crowd.actors):
        assert np.array_equal(a.pose, b.pose) and np.array_equal(a.root, b.root) and a.activity == b.activity
    assert np.array_equal(again.frames[7].vertices, crowd.frames[7].vertices)
    assert not np.array_equal(other.camera.intrinsics, crowd.camera.intrinsics)


def test_people_keep_their_colours_when_others_leave(moving, renderer):
    scene = moving.everybody[3]
    whole = renderer(scene)
    for i in range(len(scene)):
        alone = renderer(scene.keep([i]))
        mine = (whole.id_map == i + 1) & (alone.id_map == 1)
        if mine.sum() > 30:
            gap = np.abs(whole.image[mine].astype(float).mean(0) - alone.image[mine].astype(float).mean(0))
            assert gap.max() < 12


def test_the_ground_and_the_sun_stay_while_the_camera_moves(moving, renderer):
    places, suns = [], []
    for t in (0, 20):
        scene = moving.everybody[t]
        view = View(scene, renderer.people[1](scene, scene.lasting('look')), scene.size)
        rng, touching = scene.lasting('look'), scene.vertices.reshape(-1, 3)
        light = Light(scene, view.meshes[:len(scene)], touching, 1000, rng, Mood())
        corner = world_to_camera(moving, t, np.array([[.7, 0, 3.]]))
        places.append(np.ravel(light.plane(corner)))
        suns.append(moving.world_to_camera[t, :3, :3].T @ light.sun)
    assert np.allclose(*places, atol=1e-6) and np.allclose(*suns, atol=1e-6)


def test_pictures_name_the_people_of_the_frames(crowd, renderer):
    for t in (0, 60):
        picture, scene = crowd.picture(t, renderer, image=False), crowd.frames[t]
        assert picture.image is None and picture.id_map.max() <= len(scene)
        roots = scene.project(scene.joints[:, :24])
        for i in range(len(scene)):
            rows, columns = np.nonzero(picture.id_map == i + 1)
            if len(rows):
                assert roots[i, :, 0].min() - 3 < columns.mean() < roots[i, :, 0].max() + 3
                assert abs(np.median(picture.depth[rows, columns]) - scene.joints[i, 0, 2]) < .4


def test_bad_configurations_are_refused():
    with pytest.raises(ValueError, match="cameras=.*expected pairs of one of"):
        ClipConfig(cameras=(('flying', 1.), ))
    with pytest.raises(ValueError, match='no frame'):
        ClipConfig(seconds=0.)


def test_visible_is_what_is_in_the_picture_and_not_hidden(body_model):
    config = ClipConfig(size=(180, 320), people=(5, 5), seconds=6., fps=5., cameras=(('still', 1.), ), enter_leave=1.,
                        activities=(('walk', 1.), ))
    crowd = sample_clip(3, body_model, config)
    seen = {True: 0, False: 0}
    for t in range(len(crowd)):
        scene = crowd.everybody[t]
        for i, row in enumerate(scene.cast.rows):
            pixels = scene.project(scene.vertices[i])
            inside = ((pixels >= 0) & (pixels <= scene.size[::-1])).all(-1).mean()
            assert scene.cast.visible[i] == crowd.visible[t, row] <= inside + 1e-9
            if inside > 0 and seen[inside < .9] < 4:
                alone = replace(crowd, actors=[crowd.actors[row]]).everybody[t]
                assert np.isclose(alone.cast.visible[0], inside)
                seen[inside < .9] += 1
    assert min(seen.values()) == 4 and (crowd.visible == 0).any()
    assert crowd.clip_of(np.ones_like(crowd.visible, bool)).tracks[0].frames.tolist() == list(range(30))
