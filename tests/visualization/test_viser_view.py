"""Nodes that a viser server has of scenes, and what its panel does to them."""
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.structures import HumanDataSample, Maps
from mmhuman_dto.visualization import Scene, person_colors, show
from mmhuman_dto.visualization.viser_nodes import BACKGROUND, BEHIND, BEYOND, MOST_POINTS, depth_cloud
from mmhuman_dto.visualization.viser_view import NO_DEPTH, NOBODY, _overview

viser = pytest.importorskip('viser', reason='needs viser: pip install viser')

PHOTO = np.random.default_rng(0).integers(0, 255, (200, 240, 3), dtype=np.uint8)


@pytest.fixture
def viewer_of():
    """Servers of scenes on free ports, ended afterwards."""
    viewers = []

    def start(scenes):
        viewers.append(show(scenes, port=18080, block=False))
        return viewers[-1]

    yield start
    for viewer in viewers:
        viewer.stop()


def node(viewer, name):
    return viewer.server.scene.get_handle_by_name(name)


def with_depth(placement, depth):
    """The placement with ``depth`` (H, W) m in its sample's maps."""
    sample = HumanDataSample(metainfo=dict(img_id='a'))
    sample.pred_maps = Maps(depth=torch.as_tensor(depth))
    return placement._replace(sample=sample)


def to_world(viewer, points):
    """Points of the camera space's frame -> the world, by the frame's own numbers."""
    frame = node(viewer, '/camera_space')
    turn = viser.transforms.SO3(np.asarray(frame.wxyz)).as_matrix()
    return points @ turn.T + frame.position


def test_people_stand_where_they_are(viewer_of, boxes, faces):
    placement = boxes([(0, .5, 4), (1, .5, 8)], ids=[3, 1])
    scene = Scene('a*b.jpg', PHOTO, faces, placement)
    viewer = viewer_of(scene)
    for row, person in enumerate((3, 1)):
        mesh = node(viewer, f'/camera_space/people/{person}/seen')
        np.testing.assert_array_equal(mesh.vertices, placement.vertices[row])
        np.testing.assert_array_equal(mesh.faces, faces)
        assert tuple(mesh.color) == tuple(person_colors([person])[0])
        label = node(viewer, f'/camera_space/people/{person}/label')
        assert label.text == f'{person}: 1.70 m tall, {4 * (row + 1):.1f} m away'
        assert label.position[1] == pytest.approx(-.1) and label.position[2] > 3
    lowest = to_world(viewer, placement.vertices.reshape(-1, 3))[:, 1].min()
    matrix = scene.ground.camera_to_world
    np.testing.assert_allclose(to_world(viewer, np.eye(3)), np.eye(3) @ matrix[:3, :3].T + matrix[:3, 3], atol=1e-6)
    assert abs(lowest) < .2 and node(viewer, '/ground').plane == 'xz'
    assert NO_DEPTH in viewer.text.content and r'a\*b.jpg' in viewer.text.content
    assert viewer.picture is None and not viewer.placement.visible and viewer.shown['depth'].disabled


def test_the_photo_lies_in_the_cameras_view_or_behind_everybody(viewer_of, boxes, faces):
    placement = boxes([(0, .5, 4), (1, .5, 8)])._replace(intrinsics=np.array([[90., 0, 50], [0, 110, 130], [0, 0, 1]]))
    viewer = viewer_of(Scene('a', PHOTO, faces, placement))
    for where, depth in (('in the camera', 1.2), (BEHIND, 1.05 * 8.5)):
        viewer.photo.value = where
        photo = node(viewer, '/camera_space/camera/photo')
        half = np.array([photo.render_width, photo.render_height]) / 2
        corners = np.array([[*(photo.position[:2] + half * sign), photo.position[2]] for sign in ((-1, -1), (1, 1))])
        pixels = project(torch.tensor(corners), torch.tensor(placement.intrinsics)).numpy()
        np.testing.assert_allclose(pixels, [[0, 0], [240, 200]], atol=1e-3)
        assert photo.position[2] == pytest.approx(depth)
    lines = node(viewer, '/camera_space/camera').points.reshape(-1, 3)
    np.testing.assert_allclose(np.unique(lines[:, 2]), [0, 1.05 * 8.5], rtol=1e-6)
    viewer.photo.value = 'none'
    assert node(viewer, '/camera_space/camera/photo') is None


def test_the_depth_map_becomes_points(viewer_of, boxes, faces):
    depth = np.linspace(2, 20, PHOTO.shape[1])[None].repeat(PHOTO.shape[0], 0).astype(np.float32)
    depth[:10], depth[10:20] = np.inf, 0
    placement = with_depth(boxes([(0, .5, 4)]), depth)
    scene = Scene('a', PHOTO, faces, boxes([(0, .5, 6)]), placement)
    viewer = viewer_of(scene)
    cloud = node(viewer, '/camera_space/depth')
    pixels = project(torch.tensor(cloud.points), torch.tensor(placement.intrinsics).float()).numpy() - .5
    columns, rows = np.round(pixels).astype(int).T
    np.testing.assert_allclose(pixels, np.round(pixels), atol=1e-3)
    np.testing.assert_allclose(cloud.points[:, 2], depth[rows, columns], rtol=1e-5)
    np.testing.assert_array_equal(cloud.colors, PHOTO[rows, columns])
    assert len(rows) == (depth[20:] <= BACKGROUND).sum() and rows.min() == 20
    assert NO_DEPTH not in viewer.text.content
    viewer.shown['depth'].value = False
    assert node(viewer, '/camera_space/depth') is None
    far = with_depth(boxes([(0, .5, 8)]), depth)
    assert depth_cloud(Scene('a', PHOTO, faces, far)).points[:, 2].max() == pytest.approx(BEYOND * 8, abs=.1)


def test_large_depth_maps_are_thinned_and_small_ones_fit(boxes, faces):
    photo = np.zeros((1500, 2000, 3), np.uint8)
    placement = boxes([(0, .5, 4)])
    large = depth_cloud(Scene('a', photo, faces, with_depth(placement, np.full((1500, 2000), 3.))))
    assert .7 * MOST_POINTS < len(large.points) <= MOST_POINTS
    small = depth_cloud(Scene('a', photo, faces, with_depth(placement, np.full((15, 20), 3.))))
    first = project(torch.tensor(small.points[:1]), torch.tensor(placement.intrinsics).float())
    np.testing.assert_allclose(first.numpy(), [[50, 50]], atol=1e-3)
    assert large.spacing == pytest.approx(6 * 3 / 100) and small.spacing == pytest.approx(100 * 3 / 100)


def test_before_and_after(viewer_of, boxes, faces):
    before, after = boxes([(0, .5, 4), (1, .5, 9)], ids=[0, 1]), boxes([(0, .5, 5)], ids=[0])
    viewer = viewer_of(Scene('a', PHOTO, faces, before, after))
    assert viewer.placement.visible
    np.testing.assert_array_equal(node(viewer, '/camera_space/people/0/seen').vertices, after.vertices[0])
    assert node(viewer, '/camera_space/people/1') is None
    viewer.placement.value = 'before'
    np.testing.assert_array_equal(node(viewer, '/camera_space/people/0/seen').vertices, before.vertices[0])
    np.testing.assert_array_equal(node(viewer, '/camera_space/people/1/seen').vertices, before.vertices[1])
    assert '| 1 | 1.70 m | 9.0 m |' in viewer.text.content
    viewer.shown['labels'].value = False
    assert node(viewer, '/camera_space/people/0/label') is None


def test_the_slider_goes_through_the_pictures(viewer_of, boxes, faces):
    scenes = [Scene(f'{i}.jpg', PHOTO, faces, boxes([(0, .5, 4 + i)] if i < 2 else [])) for i in range(3)]
    asked = []

    class Frames:
        """Scenes that are made when they are asked for."""

        def __len__(self):
            return len(scenes)

        def __getitem__(self, index):
            asked.append(index)
            return scenes[index]

    viewer = viewer_of(Frames())
    assert (viewer.picture.min, viewer.picture.max, asked) == (1, 3, [0])
    viewer.picture.value = 2
    assert node(viewer, '/camera_space/people/0/seen').vertices[:, 2].mean() == pytest.approx(5)
    assert viewer.text.content.startswith('**1.jpg**')
    viewer.step()
    assert node(viewer, '/camera_space/people/0') is None and NOBODY in viewer.text.content
    assert node(viewer, '/camera_space/camera/photo') is not None
    viewer.step()
    assert viewer.picture.value == 1 and asked == [0, 1, 2, 0]
    viewer.play.value = True
    played = threading.Event()
    viewer.picture.on_update(lambda _: played.set())
    assert played.wait(5)
    viewer.rate.value = 1
    time.sleep(.2)  # whatever was due
    seen = []
    viewer.picture.on_update(lambda _: seen.append(1))
    time.sleep(.7)
    assert len(seen) <= 1
    viewer.play.value = False


def test_faint_are_the_parts_that_no_seen_joint_tells(viewer_of, boxes, faces):
    placement = boxes([(0, .5, 4)])
    support = (placement.vertices[..., 1] < .5).astype(np.float32)
    viewer = viewer_of(Scene('a', PHOTO, faces, placement._replace(support=support)))
    seen, unseen = (node(viewer, f'/camera_space/people/0/{part}') for part in ('seen', 'unseen'))
    assert seen.opacity is None and unseen.opacity < 1
    told = support[0][faces].mean(1) >= .5
    np.testing.assert_array_equal(seen.faces, faces[told])
    np.testing.assert_array_equal(unseen.faces, faces[~told])


def test_looking_from_the_camera(viewer_of, boxes, faces):
    scene = Scene('a', PHOTO, faces, boxes([(0, .5, 4)]))
    viewer = viewer_of(scene)
    camera = SimpleNamespace(aspect=2.)
    viewer._look_from_camera(SimpleNamespace(client=SimpleNamespace(camera=camera)))
    world = scene.ground.camera_to_world
    np.testing.assert_allclose(camera.position, world[:3, 3])
    np.testing.assert_allclose(camera.look_at - camera.position, 3 * world[:3, 2])
    np.testing.assert_allclose(camera.up_direction, -world[:3, 1])
    assert np.tan(camera.fov / 2) == pytest.approx(1.)  # 100 px of 100 px focal length, above and below
    assert viewer.photo.value == BEHIND


def test_unknown_cameras_and_the_overview(viewer_of, boxes, faces):
    scene = Scene('a', PHOTO, faces, boxes([(0, .5, 4)])._replace(intrinsics=None))
    viewer = viewer_of(scene)
    assert node(viewer, '/camera_space/camera') is None and node(viewer, '/camera_space/people/0/seen') is not None
    position, look_at = _overview(scene)
    assert position[1] > 1 and position[2] > look_at[2] and look_at[2] < 0


SERVE = """
import numpy as np
from mmhuman_dto.visualization import Placement, Scene, show
nobody = Placement(np.zeros((0, 8, 3), np.float32), np.zeros(0), np.zeros(0, int), np.eye(3))
show([Scene('a', np.zeros((9, 9, 3), np.uint8), np.zeros((0, 3), int), nobody)] * 2, port=18090)
print('ended')
"""


def test_blocking_names_the_address_and_ends_with_ctrl_c():
    serving = subprocess.Popen([sys.executable, '-c', SERVE], stdout=subprocess.PIPE, text=True)
    line = serving.stdout.readline()
    address, = re.findall(r'^(http://127\.0\.0\.1:\d+) shows 2 pictures; .*Ctrl-C', line)
    with urllib.request.urlopen(address) as answer:
        assert answer.status == 200
    serving.send_signal(signal.SIGINT)
    assert serving.stdout.read() == 'ended\n' and serving.wait(30) == 0


def test_no_scenes():
    with pytest.raises(ValueError, match='no scenes to show'):
        show([], block=False)
