import numpy as np
import pytest
import torch
from pictures import changed, extent

from mmhuman_dto.visualization.mesh_render import (
    BOUNCE,
    FAINT,
    LIGHTS,
    OUTLINE_LIGHT,
    SKY,
    _creases,
    _facing,
    _shade,
    render_meshes,
    vertex_normals,
)

RED, BLUE, DIM = (255, 0, 0), (0, 0, 255), (120, 60, 60)
GRAY = np.full((200, 240, 3), 128, np.uint8)


def render(placement, faces, colors, image=GRAY, **options):
    return render_meshes(image, placement.vertices, faces, placement.intrinsics, np.array(colors), **options)


def test_box_covers_exactly_its_projection(boxes, faces, intrinsics):
    # Front face at z 2 m, 1 m wide: 100 / 2 * 1 = 50 px around (120, 100).
    picture = render(boxes([(0, 0, 2.05)], half=(.5, .5, .05)), faces, [RED])
    assert extent(changed(picture, GRAY)) == (95, 75, 145, 125)
    assert (picture[80:120, 100:140, 0] > picture[80:120, 100:140, 2] + 60).all()


def test_nearer_person_covers_farther_one_whatever_the_order(boxes, faces):
    near, far = (0, 0, 3), (0, 0, 6)
    for centers, colors in (((near, far), (RED, BLUE)), ((far, near), (BLUE, RED))):
        red, _, blue = render(boxes(centers), faces, colors, opacity=1.)[100, 120].astype(int)
        assert red > blue + 60


def test_picture_shows_through_by_the_opacity(boxes, faces):
    white, black = np.full_like(GRAY, 200), np.zeros_like(GRAY)
    placement = boxes([(0, 0, 3)])
    for options, share in (({}, .12), (dict(opacity=.8), .2)):
        through = [int(render(placement, faces, [RED], image=i, **options)[100, 120, 1]) for i in (white, black)]
        assert abs(through[0] - through[1] - share * 200) <= 1


def test_parts_without_support_are_fainter(boxes, faces):
    black, placement = np.zeros_like(GRAY), boxes([(0, 0, 3), (0, 0, 30)])
    full = render(placement, faces, [RED, BLUE], image=black, opacity=.8).astype(float)
    half = np.ones((2, 8))
    half[0, :4] = 0  # CORNERS: those on the left
    faint = render(placement, faces, [RED, BLUE], image=black, opacity=.8, support=half).astype(float)
    # The box's front is 40 px wide, and blends from left to right; who is behind it stays hidden.
    left, middle, right = (faint[100, x, 0] / full[100, x, 0] for x in (101, 119, 138))
    assert (left, middle, right) == pytest.approx((FAINT, (1 + FAINT) / 2, 1), abs=.04) and faint[100, 101, 2] < 15
    assert np.array_equal(render(placement, faces, [RED, BLUE], image=black, opacity=.8, support=np.ones((2, 8))), full)


def test_edges_are_antialiased(boxes, faces):
    # The right edge lies at x = 120.25 + 25 = 145.25 px: with four sub-pixels across, a quarter of pixel 145.
    placement = boxes([(.0025 * 2, 0, 2.05)], half=(.5, .5, .05))
    black = np.zeros_like(GRAY)
    picture = render(placement, faces, [RED], image=black, opacity=1., supersample=4).astype(float)
    quarter, full = picture[100, 145, 0], picture[100, 143, 0]
    assert 0 < quarter < .5 * full


def test_nobody_leaves_the_picture_as_it_is(boxes, faces):
    picture = render(boxes([]), faces, np.zeros((0, 3)))
    assert np.array_equal(picture, GRAY) and picture is not GRAY


def test_person_behind_the_camera_is_not_drawn(boxes, faces):
    assert np.array_equal(render(boxes([(0, 0, -3)]), faces, [RED]), GRAY)


def test_vertex_normals_point_out_of_a_box(boxes, faces):
    vertices = torch.as_tensor(np.array(boxes([(0, 0, 0)]).vertices))
    normals = vertex_normals(vertices, torch.as_tensor(faces))
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(1, 8))
    assert ((normals * vertices).sum(-1) != 0).all()
    torch.testing.assert_close((normals * vertices).sum(-1).sign().unique(), (normals * vertices).sum(-1).sign()[0, :1])


def test_creases_are_where_nearer_surface_is_close_by():
    columns = np.arange(60, dtype=np.float32)
    slope = np.tile(5 + .01 * columns, (40, 1))
    assert _creases(slope, [3])[10:-10, 10:-10].max() < 1e-5
    valley = np.tile(5 - .01 * np.abs(columns - 30), (40, 1)).astype(np.float32)
    shade = _creases(valley, [3])
    assert shade[20, 30] > .2 and shade[20, 30] == shade[20].max() and shade[20, 45] < 1e-5
    in_front = np.full((40, 60), 5, np.float32)
    in_front[:, :30] = 3  # another person, two metres nearer
    assert _creases(in_front, [3]).max() == 0


def brightness(*normal):
    """Of gray skin that faces a way, seen straight on at the camera's height, 0..255."""
    normal = np.float32(normal)[None] / np.linalg.norm(normal)
    ray = np.float32([[0, 0, 1]])
    return _shade(np.full((1, 3), .2, np.float32), _facing(normal, ray), ray, np.ones(1, np.float32))[0, 0]


def test_light_comes_from_the_upper_left_and_a_little_from_the_right():
    toward_sun, down = brightness(-.45, -.66, -.6), brightness(0, .9, -.4)
    assert toward_sun > brightness(0, -.66, -.6) > brightness(.45, -.66, -.6) > down
    assert toward_sun > 1.5 * down and brightness(.8, 0, -.6) > 1.05 * brightness(.3, .8, -.5)
    assert brightness(-.45, -.66, -.6) == brightness(.45, .66, .6)  # both sides of a surface are lit alike


def test_matt_skin_in_numbers():
    """What faces down, away from sun and lamp, has the ground's light and half of what the sky has more."""
    away = np.float32([[0, 0, -1]])
    linear, dark = np.full((1, 3), .2, np.float32), np.full(1, .5, np.float32)
    light = BOUNCE + .5 * (SKY - BOUNCE) + sum(
        strength * max(-direction[2] + .25, 0) / 1.25 for direction, strength in LIGHTS)
    for amount in (dark, 2 * dark):
        shown = _shade(linear, away, np.float32([[0, 0, 1]]), amount)[0, 0]
        matt = 255 * (.2 * light * amount[0])**(1 / 2.2)
        assert matt < shown < matt + 12  # and a faint sheen


def test_outlines_are_darker(boxes, faces):
    """Around a person, and between two of them."""
    picture = render(boxes([(-.5, 0, 2.5), (.5, 0, 2.5)], half=(.5, .5, .01)), faces, [DIM, DIM], opacity=1.)[100, :, 0]
    inside, border = picture[100].astype(float), picture[119:121].astype(float)
    # Of each pixel's two sub-pixels one is dimmed; light is stored by its 2.2th root.
    np.testing.assert_allclose(border, inside * (1 + OUTLINE_LIGHT**(1 / 2.2)) / 2, atol=2)


def test_whole_pictures_and_parts_agree(boxes, faces):
    # Somebody in a corner, alone and with another one who widens the part of the picture that is drawn.
    near = boxes([(-1.2, -.9, 4), (1.1, .8, 5)], half=(.1, .1, .1))
    alone = near._replace(vertices=near.vertices[:1])
    both, one = render(near, faces, [RED, BLUE]), render(alone, faces, [RED])
    assert np.array_equal(both[:100, :120], one[:100, :120]) and (one != 128).any()
