import numpy as np
import pytest

from mmhuman_dto.synthetic.clips import ClipConfig
from mmhuman_dto.synthetic.clips.cameras import sample_camera, shaken

TIMES = np.arange(600) / 30


def camera(kind, seed=0, jitter=0.):
    config = ClipConfig(seconds=20., cameras=((kind, 1.), ), jitter=jitter)
    return sample_camera(4, config, np.random.default_rng(seed)), config


def yaws(path):
    ahead = path.rotations[:, 2]
    return np.degrees(np.arctan2(ahead[:, 0], -ahead[:, 2]))


def test_a_panning_camera_turns_where_it_is():
    path, _ = camera('panning')
    assert np.ptp(path.positions, axis=0).max() == 0
    turned = yaws(path)
    assert abs(turned[0]) < 1e-6 and 24 < np.ptp(turned) < 61
    assert np.abs(np.diff(turned)).max() * 30 < 30  # degrees a second
    assert np.ptp(path.rotations[:, 2, 1]) < 1e-6  # neither up nor down


def test_a_walking_camera_goes_about_people_and_keeps_looking_at_them():
    path, _ = camera('walking', 3)
    level = path.positions[:, [0, 2]]
    assert np.linalg.norm(np.ptp(level, axis=0)) > .5
    speed = np.linalg.norm(np.diff(level, axis=0), axis=1) * 30
    assert speed.max() < 2.5 and 0 < np.ptp(path.positions[:, 1]) < .15
    middle = np.array([0, -(path.near + path.far) / 2]) - level
    towards = np.degrees(np.arctan2(middle[:, 0], -middle[:, 1]))
    assert np.abs(yaws(path) - towards).max() < 15


def test_hands_shake_as_much_as_stated():
    both = [camera('panning', jitter=jitter)[0] for jitter in (0., .5)]
    roll = [np.degrees(np.arctan2(path.rotations[:, 0, 1], -path.rotations[:, 1, 1])) for path in both]
    assert np.isclose((roll[1] - roll[0]).std(), .5, rtol=.35)
    waves = np.array([shaken(2., TIMES, np.random.default_rng(seed)) for seed in range(40)])
    assert np.isclose(waves.std(), 2., rtol=.1)


@pytest.mark.parametrize('kind', ['still', 'walking'])
def test_spots_are_where_the_camera_sees_them(kind):
    path, config = camera(kind, 1)
    for frame in (0, 400):
        for depth, column in ((3., .5), (5., .2)):
            x, z = path.spot(frame, depth, column)
            point = path.rotations[frame] @ (np.array([x, path.positions[frame, 1], z]) - path.positions[frame])
            pixel = path.intrinsics @ point / point[2]
            # As high as the camera and so far away, level, in its column but for the camera's pitch and roll.
            assert np.isclose(np.hypot(*np.array([x, z]) - path.positions[frame, [0, 2]]),
                              depth * np.hypot(1, (column - .5) * config.size[1] / path.intrinsics[0, 0]))
            assert abs(pixel[0] / config.size[1] - column) < .03


def test_more_people_have_more_room():
    config = ClipConfig(cameras=(('still', 1.), ))
    few, many = (sample_camera(number, config, np.random.default_rng(0)) for number in (1, 40))
    assert few.near == many.near and many.far > few.far
    area = (many.far**2 - many.near**2) / 2 * config.size[1] / many.intrinsics[0, 0]
    assert np.isclose(area, 40 * 4.5)
