import numpy as np
import pytest
import torch

from mmhuman_dto.synthetic import visible_share
from mmhuman_dto.synthetic.layout import BOX_CORNERS, BOX_FACES, box_mesh
from mmhuman_dto.synthetic.places import Place


def inside(points, box):
    """Which points (P, 3) are in a box (8, 3)."""
    edges = box[[1, 4, 2]] - box[0]
    share = (points - box[0]) @ (edges / (edges**2).sum(-1, keepdims=True)).T
    return ((share > 0) & (share < 1)).all(-1)


def of_kind(varied, kind):
    scenes = [scene for scene in varied if scene.place.kind == kind]
    assert len(scenes) >= 8
    return scenes[:12]


@pytest.mark.parametrize('kind', ['room', 'street', 'park', 'open'])
def test_nobody_is_in_a_wall_or_a_table(varied, kind):
    for scene in of_kind(varied, kind):
        points = scene.vertices[:, ::7].reshape(-1, 3).astype(float)
        for box in scene.buildings:
            assert not inside(points, box).any()
            assert not inside(np.zeros((1, 3)), box).any()  # nor the camera


def test_rooms_hold_everybody_and_have_no_sky(varied, varied_pictures):
    seen = 0
    for scene, picture in zip(varied, varied_pictures):
        if scene.place.kind == 'room':
            seen += 1
            assert (picture.depth > 0).all()
            back = scene.buildings[0][4] @ scene.up  # the top of the back wall is above all heads
            assert (scene.vertices.astype(float) @ scene.up).max() < back
            assert scene.place.looks[:4] == ['wall', 'wall', 'wall', 'ceiling']
    assert seen >= 5


def test_furniture_stands_on_level_ground(varied):
    for scene in of_kind(varied, 'room'):
        above = scene.ground.above(scene.buildings)
        assert np.abs(above[:3].min(1)).max() < 1e-6  # walls
        assert above.min() > -.2 and np.degrees(np.arccos(np.clip(scene.ground.normal @ scene.up, -1, 1))) < 1e-4


def test_streets_have_houses_on_both_sides(varied):
    for scene in of_kind(varied, 'street'):
        houses = scene.buildings[[look == 'facade' for look in scene.place.looks]].mean(1) @ scene.rotation
        across = np.array([np.cos(scene.place.heading), 0, np.sin(scene.place.heading)])
        sides, people = houses @ across, (scene.joints[:, 0] @ scene.rotation) @ across
        assert (sides < people.min()).any() and (sides > people.max()).any()
        assert not ((sides > people.min()) & (sides < people.max())).any()


def test_boxes_stand_where_they_are_put():
    place = Place('open')
    place.add('wood', [1., 2, -5], [.5, .25, 1.], np.pi / 2)  # a quarter turn takes x to -z
    assert np.allclose(place.boxes[0].min(0), [0, 1.75, -5.5]) and np.allclose(place.boxes[0].max(0), [2, 2.25, -4.5])
    assert place.looks == ['wood']


def test_many_boxes_are_one_mesh():
    boxes = np.stack([BOX_CORNERS, BOX_CORNERS + 5])
    vertices, faces = box_mesh(boxes)
    assert np.array_equal(vertices[faces[12:]].numpy(), boxes[1][BOX_FACES])
    assert len(box_mesh(np.zeros((0, 8, 3)))[1]) == 0


def test_what_a_box_hides_is_not_visible(body_model, scenes):
    scene = scenes[0]
    before = visible_share(scene, body_model.faces)
    centre = scene.vertices[0].mean(0)
    wall = (BOX_CORNERS - [0, .5, 0]) * [3, 5, .05] + centre * .5
    hidden = visible_share(scene.keep([0]), body_model.faces, boxes=wall[None])
    assert before[0] > .1 and hidden[0] == 0
    assert torch.equal(torch.as_tensor(before), torch.as_tensor(visible_share(scene, body_model.faces, boxes=())))


def test_nobody_is_hidden_by_furniture(body_model, varied):
    for scene in varied:
        boxes = np.concatenate([scene.seats, scene.buildings])
        share = visible_share(scene, body_model.faces, max(scene.size) / 240, boxes)
        assert share.min() >= scene.config.min_visible - 1e-9
