"""Sitting, gestures, and plans in which nobody is in anybody's way."""
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from mmhuman_dto.synthetic import poses
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip
from mmhuman_dto.synthetic.clips.gestures import Gesture, arms_of


@pytest.fixture(scope='module')
def sitters(body_model):
    """Clips in which people sit down and stand up."""
    config = ClipConfig(size=(90, 160), seconds=10., fps=10., people=(4, 4), gestures=0., cameras=(('still', 1.), ),
                        activities=(('walk', .4), ('sit', .6)))
    return [sample_clip(index, body_model, config, seed=2) for index in range(2)]


def bodies(crowd, t, body_model):
    """Vertices (M, V, 3) of everybody, world."""
    values = (np.stack([value(actor) for actor in crowd.actors]) for value in (
        lambda a: a.pose[t], lambda a: a.betas, lambda a: a.root[t] - a.rest_root))
    return body_model(*(torch.as_tensor(value).float() for value in values)).vertices.numpy()


def test_who_sits_touches_the_seat_and_keeps_the_feet_where_they_are(sitters, body_model):
    count = 0
    for crowd in sitters:
        for actor in crowd.actors:
            rows = np.flatnonzero(np.array(actor.activity) == 'sitting')
            if not len(rows) or len(actor.seats) != 1:
                continue
            seat, count = actor.seats[0], count + 1
            edges = seat[[1, 4, 2]] - seat[0]
            sizes = np.linalg.norm(edges, axis=1)
            values = actor.pose[rows], actor.betas, actor.root[rows] - actor.rest_root
            out = body_model(*(torch.as_tensor(value).float() for value in values))
            local = (out.vertices.numpy() - seat[0]) @ (edges / sizes[:, None]).T
            over = ((local[..., [0, 2]] > 0) & (local[..., [0, 2]] < sizes[[0, 2]])).all(-1)
            gap = np.where(over, local[..., 1] - sizes[1], np.inf).min(1)
            assert gap.min() > -.004 and gap[len(gap) // 2] < .004
            balls = out.joints.numpy()[:, [10, 11]]
            assert actor.contact[rows].all() and np.ptp(balls, axis=0).max() < 1e-5
            # The hips are about as high as the knees.
            hips, knees = -out.joints.numpy()[:, [1, 2], 1].mean(1), -out.joints.numpy()[:, [4, 5], 1].mean(1)
            assert np.abs(hips / knees - 1).max() < .12
    assert count >= 3


def test_people_and_seats_are_not_in_each_others_way(sitters, body_model):
    for crowd in sitters:
        edges = crowd.seats[:, [1, 4, 2]] - crowd.seats[:, :1]
        sizes = np.linalg.norm(edges, axis=2)
        for t in range(0, len(crowd), 5):
            meshes = bodies(crowd, t, body_model)
            for seat, edge, size in zip(crowd.seats, edges, sizes):
                local = (meshes - seat[0]) @ (edge / size[:, None]).T
                inside = ((local > 0) & (local < size)).all(-1)
                assert (np.minimum(local, size - local).min(-1) * inside).max() < .01
            trees = [cKDTree(mesh) for mesh in meshes]
            for i, tree in enumerate(trees):
                for mesh in meshes[:i]:
                    assert tree.query(mesh, distance_upper_bound=.05)[0].min() > .02


def test_sitting_down_takes_its_time_and_is_named(sitters):
    for crowd in sitters:
        for actor in crowd.actors:
            down, speed = -actor.root[:, 1], np.abs(np.diff(actor.root[:, 1])) * 10
            assert speed.max() < 1.2
            seated = np.array([name == 'sitting' for name in actor.activity])
            standing = np.array([name in ('walking', 'standing') for name in actor.activity])
            if seated.any() and standing.any():
                assert down[seated].max() < .8 * down[standing].min()


def test_gestures_come_and_go_smoothly_and_are_those_of_the_poses():
    times = np.arange(0, 6, .05)
    held, much = arms_of([Gesture('arms crossed', 1., 5., False)], times)
    assert np.array_equal(much == 0, (times <= 1.) | (times >= 5. - 1e-9)) and much.max() == 1
    assert np.abs(np.diff(much)).max() < .12
    assert np.array_equal(held[60], poses.pose_angles(poses.POSES['arms crossed']))
    mirrored, _ = arms_of([Gesture('pointing', 1., 5., True)], times)
    assert np.array_equal(mirrored[60], poses.mirror_angles(poses.pose_angles(poses.POSES['pointing'])))


def test_who_carries_something_does_so_all_the_time(body_model):
    config = ClipConfig(size=(90, 160), seconds=2., people=(2, 2), carrying=1.)
    for actor in sample_clip(0, body_model, config).actors:
        elbows = np.degrees(np.linalg.norm(actor.pose[:, [18, 19]], axis=-1))
        assert elbows.min() > 70


def test_some_come_and_some_go(body_model):
    config = ClipConfig(size=(90, 160), seconds=24., fps=4., people=(4, 4), enter_leave=2., cameras=(('still', 1.), ))
    crowd = sample_clip(1, body_model, config)
    seen = crowd.visible > 0
    assert (seen[:5].sum(0) == 0).any() and (seen[-5:].sum(0) == 0).any()
    assert seen.any(0).all()
    lengths = {track.track_id: len(track) for track in crowd.clip.tracks}
    assert min(lengths.values()) < len(crowd) and len(lengths) == 4


def test_people_cross_the_line_of_sight_to_others(body_model):
    config = ClipConfig(size=(90, 160), people=(7, 8), fps=10., cameras=(('still', 1.), ), enter_leave=0.)
    crowd = sample_clip(0, body_model, config)
    assert (crowd.visible.min(0) < .6).sum() >= 2
