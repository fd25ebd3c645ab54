import numpy as np
import pytest

from mmhuman_dto.visualization import Scene, draw_birdseye, draw_contact_sheet, draw_overlay
from mmhuman_dto.visualization.contact_sheet import shrink

PHOTO = np.full((200, 240, 3), 128, np.uint8)


def test_a_row_holds_both_overlays_and_the_view_from_above_under_their_titles(boxes, faces, texts):
    before, after = boxes([(0, 0, 6)]), boxes([(0, 0, 3)])
    overlays = [draw_overlay(PHOTO, placement, faces) for placement in (before, after)]
    above = draw_birdseye([('before', before), ('after', after)], faces, (200, 240), after, (200, 200))
    scenes = [Scene('first.jpg', PHOTO, faces, before, after, after),
              Scene('empty', PHOTO, faces, boxes([]), boxes([]))]
    sheet = draw_contact_sheet(scenes, row_height=200)
    gap, width = 4, 266
    row = sheet[:len(sheet) // 2]
    top = len(row) - 200 - gap
    lefts = (0, width + gap, 2 * (width + gap))
    for left, picture in zip(lefts, (*overlays, above)):
        np.testing.assert_array_equal(row[top:top + 200, left:left + picture.shape[1]], picture)
    assert sheet.shape == (2 * (top + 204), lefts[2] + 400, 3) and (row[:, 240:270][top:] == 255).all()
    titles = texts[-3:]
    assert [text.lines[0] for text in titles] == ['empty: before', 'after', 'from above']
    for text, left in zip(titles, lefts):
        assert text.box[0] == left and len(row) < text.box[1] < text.box[3] <= len(row) + top


def test_no_scenes_and_a_tiny_picture(boxes, faces):
    assert (draw_contact_sheet([]) == 255).all()
    tiny = Scene('t', PHOTO[:8, :9], faces, boxes([(0, 0, 3)]), boxes([(0, 0, 3)]))
    assert draw_contact_sheet([tiny]).dtype == np.uint8


@pytest.mark.parametrize('size, factor', [((100, 500), .5), ((500, 60), .25), ((1000, 1000), 1)])
def test_shrinking_moves_intrinsics_along(boxes, size, factor):
    image, placement = shrink(PHOTO, boxes([(0, 0, 3)]), size)
    assert image.shape == (200 * factor, 240 * factor, 3)
    np.testing.assert_allclose(placement.intrinsics[:2], np.array([[100, 0, 120], [0, 100, 100]]) * factor)
    assert placement.intrinsics[2].tolist() == [0, 0, 1]
