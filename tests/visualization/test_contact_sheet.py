import numpy as np

from mmhuman_dto.visualization import Scene, draw_contact_sheet, draw_overlay
from mmhuman_dto.visualization.contact_sheet import shrink

PHOTO = np.full((200, 240, 3), 128, np.uint8)


def test_one_row_a_scene_with_both_overlays(boxes, faces):
    before, after = boxes([(0, 0, 6)]), boxes([(0, 0, 3)])
    scenes = [Scene('first.jpg', PHOTO, faces, before, after, after),
              Scene('empty', PHOTO, faces, boxes([]), boxes([]))]
    one, two = draw_contact_sheet(scenes[:1], row_height=200), draw_contact_sheet(scenes, row_height=200)
    assert two.shape == (2 * one.shape[0], one.shape[1], 3)
    np.testing.assert_array_equal(two[:one.shape[0]], one)
    top = one.shape[0] - 200 - 4
    np.testing.assert_array_equal(one[top:top + 200, :240], draw_overlay(PHOTO, before, faces))
    np.testing.assert_array_equal(one[top:top + 200, 267 - 1 + 4:][:, :240], draw_overlay(PHOTO, after, faces))


def test_no_scenes_and_a_tiny_picture(boxes, faces):
    assert (draw_contact_sheet([]) == 255).all()
    tiny = Scene('t', PHOTO[:8, :9], faces, boxes([(0, 0, 3)]), boxes([(0, 0, 3)]))
    assert draw_contact_sheet([tiny]).dtype == np.uint8


def test_shrinking_moves_intrinsics_along(boxes):
    image, placement = shrink(PHOTO, boxes([(0, 0, 3)]), (100, 500))
    assert image.shape == (100, 120, 3)
    np.testing.assert_allclose(placement.intrinsics, [[50, 0, 60], [0, 50, 50], [0, 0, 1]])
    image, placement = shrink(PHOTO, boxes([(0, 0, 3)]), (1000, 1000))
    assert image.shape == PHOTO.shape
