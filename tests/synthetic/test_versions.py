"""Version 1 of crowds keeps its pictures; version 2 has the variety that it states."""
import hashlib

import cv2
import numpy as np
import pytest
import torch

from mmhuman_dto.datasets.synthetic_crowd import _fingerprint
from mmhuman_dto.geometry import rasterize
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene
from mmhuman_dto.synthetic.crowd_config import PHOTO_FORMATS, PLACE_SHARES

OLD = CrowdConfig(size=(120, 180), people=(2, 5))
#: Mean colours, 2 x 3 parts of the picture, RGB, of scene 3 of seed 11.
COLOURS = [[[115.95, 112.53, 109.97], [113.48, 118.17, 124.31], [130.35, 126.33, 129.04]],
           [[111.29, 111.82, 114.87], [118.51, 119.02, 122.18], [111.14, 99.36, 105.92]]]


def test_old_seeds_keep_their_pictures(body_model):
    scene = sample_scene(3, body_model, OLD, seed=11)
    picture = Renderer(body_model)(scene)
    assert hashlib.sha256(picture.id_map.tobytes()).hexdigest()[:16] == '42352797972c4a8e'
    colours = cv2.resize(picture.image.astype(np.float32), (3, 2), interpolation=cv2.INTER_AREA)
    assert np.abs(colours - COLOURS).max() < .05


def test_old_caches_keep_their_names(body_model):
    assert _fingerprint(body_model, OLD, 11) == '0deac7716533'
    assert _fingerprint(body_model, CrowdConfig(size=(120, 180), people=(2, 5), version=2), 11) != '0deac7716533'
    changed = CrowdConfig(size=(120, 180), people=(2, 5), version=2, defects=.5)
    assert repr(changed) != repr(CrowdConfig(size=(120, 180), people=(2, 5), version=2))


def test_what_a_version_does_not_know_is_refused():
    with pytest.raises(ValueError, match='version=3, expected 1 or 2'):
        CrowdConfig(version=3)
    with pytest.raises(ValueError, match='cut_share, defects need version=2'):
        CrowdConfig(defects=0., cut_share=.1)


def test_pictures_have_all_formats(varied):
    shares = {}
    for scene in varied:
        assert max(scene.size) == 96
        shares[scene.size] = shares.get(scene.size, 0) + 1 / len(varied)
    wanted = {(round(96 / a), 96) if a >= 1 else (96, round(96 * a)): share for a, share in PHOTO_FORMATS}
    assert set(shares) == set(wanted)
    assert max(abs(shares[size] - wanted[size]) for size in wanted) < .12  # 3 standard deviations


def test_cameras_look_up_and_down_and_are_held_aslant(varied):
    up = np.array([scene.up for scene in varied])
    pitch, roll = np.degrees(np.arcsin(up[:, 2])), np.degrees(np.arctan2(up[:, 0], -up[:, 1]))
    assert (pitch < -30).mean() > .08 and (pitch > 5).mean() > .08 and pitch.std() > 12
    assert (np.abs(roll) > 10).mean() > .05 and np.abs(np.median(roll)) < 3 and np.abs(roll).max() <= 41


def test_frames_cut_people_on_every_side(varied):
    cut, inside = np.zeros(4), []
    for scene in varied:
        meshes, size = scene.project(scene.vertices), np.array(scene.size[::-1])
        cut += np.concatenate([(meshes.min(1) < 0).sum(0), (meshes.max(1) > size).sum(0)])
        joints = scene.project(scene.joints[:, :24])
        inside.extend(((joints > 0) & (joints < size)).all(-1).mean(1))
    inside = np.array(inside)
    assert (cut / len(inside) > .02).all()
    assert .15 < (inside < 1).mean() < .5 and (inside < .6).mean() > .03 and inside.min() >= .2


def test_few_people_are_more_frequent_than_many(varied):
    number = np.array([len(scene) for scene in varied])
    assert number.min() == 1 and number.max() >= 25 and 3 <= np.median(number) <= 9


def test_nobody_is_behind_the_lens_or_off_the_ground(varied):
    for scene in varied:
        assert scene.vertices[..., 2].min() > .1
        assert np.abs(scene.ground.above(scene.vertices.astype(float)).min(1)).max() < 1e-3


def test_joints_lie_on_those_whom_the_maps_show(varied, varied_pictures):
    agree, front = 0, 0
    for scene, picture in zip(varied, varied_pictures):
        pixels, (height, width) = scene.project(scene.joints[:, :24]), scene.size
        assert picture.image.shape == (height, width, 3) and picture.depth.shape == (height, width)
        assert picture.id_map.max() <= len(scene)
        for i in np.flatnonzero(np.ptp(pixels[..., 1], axis=1) > 30):
            joints = pixels[i]
            column, row = np.floor(joints).astype(int).T
            seen = (column >= 0) & (row >= 0) & (column < width) & (row < height)
            depth = picture.depth[row[seen], column[seen]]
            # Where nothing is nearer than a joint, its own body is in front of it.
            free = depth > scene.joints[i, :24, 2][seen] - .25
            front += free.sum()
            agree += (picture.id_map[row[seen], column[seen]][free] == i + 1).sum()
    assert front > 700 and agree / front > .97


def test_places_are_drawn_as_often_as_stated(varied):
    kinds = [scene.place.kind for scene in varied]
    for kind, share in PLACE_SHARES:
        assert abs(kinds.count(kind) / len(kinds) - share) < .13  # 3 standard deviations


def test_maps_show_clothes_just_before_the_bodies(body_model, varied, varied_pictures):
    before, behind = [], []
    for scene, picture in zip(varied[:12], varied_pictures):
        vertices, intrinsics = torch.as_tensor(scene.vertices), torch.as_tensor(scene.intrinsics)
        bare = rasterize(vertices, body_model.faces, intrinsics, scene.size)
        same = (picture.id_map == bare.id_map.numpy()) & (picture.id_map > 0)
        gap = (bare.z_map.numpy() - picture.depth)[same]
        before.append(np.median(gap))
        behind.append((gap < -.01).mean())
        # Hats, skirts and rucksacks reach beyond bodies, but not far.
        assert (bare.id_map.numpy() > 0)[picture.id_map > 0].mean() > .6
    assert .001 < np.mean(before) < .04 and np.mean(behind) < .03


def test_the_ground_is_level_whatever_the_camera_does(varied, varied_pictures):
    for scene, picture in zip(varied, varied_pictures):
        rows, columns = np.nonzero(picture.depth[-3:])
        rows += scene.size[0] - 3
        rays = np.stack([columns + .5, rows + .5, np.ones(len(rows))], 1) @ np.linalg.inv(scene.intrinsics).T
        assert (scene.ground.above(rays * picture.depth[rows, columns][:, None]) > -1e-2).all()


def test_defects_are_of_the_picture_alone(body_model, varied_config, varied_pictures):
    clean = CrowdConfig(**{**varied_config.stated(), 'defects': 0.})
    differences = []
    for index in range(8):
        scene = sample_scene(index, body_model, clean, seed=5)
        picture, other = Renderer(body_model)(scene), varied_pictures[index]
        assert np.array_equal(picture.id_map, other.id_map) and np.array_equal(picture.depth, other.depth)
        differences.append(np.abs(picture.image.astype(int) - other.image).mean())
    assert np.median(differences) > 3 and max(differences) < 90


def test_the_same_seed_gives_the_same_varied_picture(body_model, varied_config, varied_pictures):
    again = Renderer(body_model)(sample_scene(4, body_model, varied_config, seed=5))
    assert np.array_equal(again.image, varied_pictures[4].image)
    assert np.array_equal(again.depth, varied_pictures[4].depth)
