"""Places of clips: fixed to the world, in nobody's way, the same look in every frame."""
from dataclasses import replace

import numpy as np
import pytest

from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip
from mmhuman_dto.synthetic.photograph import photograph


@pytest.fixture(scope='module', params=['room', 'street', 'park'])
def placed(request, body_model):
    camera = 'still' if request.param == 'room' else 'walking'
    config = ClipConfig(size=(90, 160), people=(3, 5), seconds=4., fps=10., version=2, places=((request.param, 1.), ),
                        cameras=((camera, 1.), ))
    return sample_clip(0, body_model, config, seed=4)


def test_nothing_stands_in_the_way(placed):
    assert len(placed.buildings) > 3 and placed.place.kind in ('room', 'street', 'park')
    ways = np.concatenate([actor.root for actor in placed.actors] + [placed.camera.positions * [1, -1, -1]])
    for box in placed.buildings:
        edges = box[[1, 4, 2]] - box[0]
        sizes = np.linalg.norm(edges, axis=1)
        local = (ways - box[0]) @ (edges / sizes[:, None]).T
        # How far outside the upright walls of the box, seen from above.
        beside = np.maximum(np.maximum(-local, local - sizes)[:, [0, 2]], 0)
        if box[:, 1].max() > -1.5:  # what begins below a head
            assert np.linalg.norm(beside, axis=1).min() > .2


def test_places_stand_on_the_ground_of_the_world(placed):
    lowest, looks = placed.buildings[..., 1].max(1), np.array(placed.place.looks)
    standing = np.isin(looks, ['facade', 'wall', 'car', 'bark', 'cupboard'])
    assert standing.any() and (lowest[standing] > -.5).all() and (lowest < 2.5).all()
    assert (placed.buildings[standing, :, 1].min(1) < -.3).all()  # and reach up, against y


def test_buildings_of_a_frame_are_those_of_the_world(placed):
    for t in (0, 30):
        turn = placed.clip.camera_poses[t].numpy()
        want = placed.buildings @ turn[:3, :3].T + turn[:3, 3]
        assert np.allclose(placed.frames[t].buildings, want) and placed.frames[t].place is placed.place


def test_rooms_are_for_still_cameras(body_model):
    config = ClipConfig(size=(90, 160), people=(2, 2), seconds=.2, version=2, places=(('room', 1.), ),
                        cameras=(('panning', 1.), ))
    assert sample_clip(0, body_model, config).place.kind == 'open'


def test_defects_stay_and_noise_is_new(placed):
    grey, plain, noisy = np.full((90, 160, 3), .5, np.float32), np.ones((90, 160), np.float32), 0
    inner = slice(30, 60), slice(50, 110)  # no dark corners
    for index in range(12):
        frames = [replace(placed.frames[t], seed=(0, index, t)) for t in (0, 1)]
        first, second = (photograph(grey, plain, frame)[inner] for frame in frames)
        assert np.abs(first.mean((0, 1)) - second.mean((0, 1))).max() < .01  # exposure and colour cast
        first, second = (picture - picture.mean((0, 1)) for picture in (first, second))
        assert np.isclose(first.std(), second.std(), rtol=.25, atol=.002)
        if first.std() > .01:
            noisy += 1
            assert np.abs((first * second).mean()) < .3 * first.var()
    assert noisy >= 4
    still = [replace(frame, config=replace(frame.config, defects=0.)) for frame in frames]
    assert np.array_equal(*(photograph(grey, plain, frame) for frame in still))


def test_people_wear_the_same_in_every_frame(placed, renderer):
    colours = {}
    for t in (0, 5):
        picture = placed.picture(t, renderer)
        for i, row in enumerate(placed.track_ids(t)):
            mine = picture.id_map == i + 1
            if mine.sum() > 60:
                colours.setdefault(row, []).append(picture.image[mine].mean(0))
    pairs = [value for value in colours.values() if len(value) == 2]
    assert pairs and all(np.abs(a - b).max() < 25 for a, b in pairs)


def test_unknown_versions_are_refused():
    with pytest.raises(ValueError, match='version=3'):
        ClipConfig(version=3)
