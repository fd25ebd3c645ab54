import numpy as np
import pytest
from pictures import colored, extent

from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig, sample_scene
from mmhuman_dto.visualization import draw_birdseye
from mmhuman_dto.visualization.birdseye import fit_frame
from mmhuman_dto.visualization.ground import Ground, HeldGround, estimate_ground


@pytest.fixture(scope='module')
def scenes():
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    config = CrowdConfig(size=(240, 360), people=(5, 12))
    return [sample_scene(index, body_model, config, seed=7) for index in range(12)]


def degrees(a, b):
    return np.degrees(np.arccos(np.clip(a @ b, -1, 1)))


def test_ground_of_crowds_that_stand_sit_and_kneel(scenes):
    grounds = [estimate_ground(scene.vertices) for scene in scenes]
    tilts = [degrees(ground.up, scene.ground.normal) for ground, scene in zip(grounds, scenes)]
    heights = [abs(ground.height - scene.ground.height) for ground, scene in zip(grounds, scenes)]
    assert np.median(tilts) < 1.5 and max(tilts) < 10  # the ground of the scenes slopes by up to 6 degrees
    assert np.median(heights) < .1 and max(heights) < .4


def test_one_who_jumps_or_floats_does_not_move_the_ground(scenes):
    scene = max(scenes, key=len)
    vertices = scene.vertices.copy()
    before = estimate_ground(vertices)
    vertices[0] += 2 * scene.up
    after = estimate_ground(vertices)
    assert degrees(before.up, after.up) < 1.5 and abs(before.height - after.height) < .1


@pytest.mark.parametrize('lift', [.2, .5])
def test_feet_that_nobody_saw_hardly_move_the_ground(scenes, lift):
    scene = max(scenes, key=len)
    half, support = len(scene) // 2 + 1, np.ones(scene.vertices.shape[:2])
    vertices = scene.vertices + np.where(np.arange(len(scene)) < half, lift, 0)[:, None, None] * scene.up
    support[:half] = 0  # most people, cut by the picture's edge, were given legs that end above the ground
    right, told, misled, unseen = (estimate_ground(*given).height for given in (
        (scene.vertices, ), (vertices, support), (vertices, ), (vertices, 0 * support)))
    assert abs(told - right) < .1 * lift and abs(misled - right) > .3 * lift
    assert abs(unseen - misled) < .25 * lift  # where no foot was seen they are all there is


def test_nobody_gives_a_level_camera():
    ground = estimate_ground(np.zeros((0, 7, 3), np.float32))
    np.testing.assert_allclose(ground.up, [0, -1, 0])
    assert ground.height == pytest.approx(1.6)


def test_level_frame_is_turned_and_shifted_only():
    up = np.array([.2, -.9, -.4])
    ground = Ground(up / np.linalg.norm(up), 1.3)
    np.testing.assert_allclose(ground.rotation @ ground.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(ground.rotation) == pytest.approx(1)
    np.testing.assert_allclose(ground.level(np.zeros(3)), [0, -1.3, 0])  # the camera
    np.testing.assert_allclose(ground.level(-1.3 * ground.up), [0, 0, 0], atol=1e-12)  # under it
    assert ground.level(np.array([0, 0, 1.]))[0] == pytest.approx(0)  # the optical axis points straight away
    straight_down = Ground(np.array([0, 0, -1.]), 2.)
    np.testing.assert_allclose(straight_down.level(np.array([0, -1., 2.])), [0, 0, 1], atol=1e-12)


def test_view_from_above_looks_straight_down(boxes, faces):
    ground = Ground(np.array([0, -np.cos(.6), -np.sin(.6)]), 3.)
    standing = boxes([(0, 2.1, 6)], half=(.3, .9, .3))  # in the level frame, seen from the camera
    tilted = standing._replace(vertices=standing.vertices @ ground.rotation.astype(np.float32))
    panel = draw_birdseye([('', tilted._replace(heights=np.array([np.nan])))], faces, (200, 240),
                          panel_size=(400, 360), ground=ground)
    frame = fit_frame([tilted.level(ground)], (400, 360))
    (left, bottom), (right, top) = frame.to_pixels([-.3, .3], [5.7, 6.3])
    np.testing.assert_allclose(extent(colored(panel)), (left, top, right, bottom), atol=1.5)


def test_a_held_ground_takes_from_all_frames_and_does_not_jump(scenes):
    scene, rng = max(scenes, key=len), np.random.default_rng(0)
    held, alone, shown = HeldGround(), [], []
    for frame in range(300):  # each frame's people are placed wrongly in another way
        vertices = scene.vertices * rng.normal(1, .06, (len(scene), 1, 1))
        alone.append(estimate_ground(vertices).height)
        shown.append(held.add(vertices if frame % 7 != 3 else vertices[:0], None, frame / 30))
    heights, right = np.array([ground.height for ground in shown]), estimate_ground(scene.vertices)
    assert np.abs(np.diff(heights)).max() < .2 * np.abs(np.diff(alone)).max()
    assert max(degrees(a.up, b.up) for a, b in zip(shown, shown[1:])) < .3
    assert abs(heights[-1] - right.height) < .05 and degrees(shown[-1].up, right.up) < 1
    assert held.add(scene.vertices * 2, None, 1000.).height == pytest.approx(heights[-1], abs=.05)  # known long since


def test_a_held_ground_of_nobody_is_that_of_a_level_camera(scenes):
    held = HeldGround()
    assert held.add(np.zeros((0, 5, 3)), None, 0.).height == pytest.approx(1.6)
    scene = scenes[0]
    assert held.add(scene.vertices, None, 1.).height == pytest.approx(estimate_ground(scene.vertices).height)
