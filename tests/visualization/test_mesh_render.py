import numpy as np
import torch

from mmhuman_dto.visualization.mesh_render import render_meshes, vertex_normals

RED, BLUE = (255, 0, 0), (0, 0, 255)
GRAY = np.full((200, 240, 3), 128, np.uint8)


def render(placement, faces, colors, image=GRAY, **options):
    return render_meshes(image, placement.vertices, faces, placement.intrinsics, np.array(colors), **options)


def test_box_covers_exactly_its_projection(boxes, faces, intrinsics):
    # Front face at z 2 m, 1 m wide: 100 / 2 * 1 = 50 px around (120, 100).
    picture = render(boxes([(0, 0, 2.05)], half=(.5, .5, .05)), faces, [RED])
    rows, cols = np.nonzero((picture != 128).any(-1))
    assert (cols.min(), cols.max() + 1) == (95, 145)
    assert (rows.min(), rows.max() + 1) == (75, 125)
    assert (picture[80:120, 100:140, 0] > picture[80:120, 100:140, 2] + 60).all()


def test_nearer_person_covers_farther_one_whatever_the_order(boxes, faces):
    near, far = (0, 0, 3), (0, 0, 6)
    for centers, colors in (((near, far), (RED, BLUE)), ((far, near), (BLUE, RED))):
        red, _, blue = render(boxes(centers), faces, colors, opacity=1.)[100, 120].astype(int)
        assert red > blue + 60


def test_picture_shows_through_by_the_opacity(boxes, faces):
    white, black = np.full_like(GRAY, 200), np.zeros_like(GRAY)
    placement = boxes([(0, 0, 3)])
    through = [int(render(placement, faces, [RED], image=i, opacity=.8)[100, 120, 1]) for i in (white, black)]
    assert abs(through[0] - through[1] - .2 * 200) <= 1


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
