import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.visualization.text import draw_text, place_labels, text_size

POINT = st.tuples(st.floats(-20, 220), st.floats(-20, 170))


@given(st.lists(st.tuples(POINT, st.integers(5, 60), st.integers(5, 30)), max_size=15))
def test_labels_neither_overlap_nor_leave_the_picture(labels):
    anchors, sizes = [point for point, _, _ in labels], [(w, h) for _, w, h in labels]
    corners = place_labels(np.array(anchors).reshape(-1, 2), sizes, (200, 150), 4)
    assert len(corners) == len(labels)
    boxes = [(*c, c[0] + w, c[1] + h) for c, (w, h) in zip(corners, sizes) if c is not None]
    for i, (x0, y0, x1, y1) in enumerate(boxes):
        assert x0 >= 0 and y0 >= 0 and x1 <= 200 and y1 <= 150
        assert all(x1 <= u0 or u1 <= x0 or y1 <= v0 or v1 <= y0 for u0, v0, u1, v1 in boxes[:i])


def test_label_prefers_a_place_that_covers_no_head():
    corner, = place_labels([(100, 75)], [(40, 10)], (200, 150), 4, avoid=[(80, 50, 120, 72)])
    assert corner == (80, 79)


def test_label_never_covers_a_taken_place():
    taken = [(60, 0, 140, 69), (60, 81, 140, 150)]
    for size, corner in (((40, 10), (104, 70)), ((120, 10), None)):
        assert place_labels([(100, 75)], [size], (200, 150), 4, taken=taken) == [corner]


def test_label_without_a_free_place_is_left_out():
    assert place_labels([(5, 5)], [(40, 10)], (30, 30), 4) == [None]


def test_text_stays_within_its_stated_size():
    for cap in (7., 12.5, 20.):
        for lines in (['1.74 m tall', '12.3 m away'], ['g']):
            width, height = text_size(lines, cap)
            image = np.full((height + 40, width + 40, 3), 255, np.uint8)
            draw_text(image, lines, (20, 20), cap)
            rows, cols = np.nonzero((image < 255).any(-1))
            assert rows.min() >= 20 and rows.max() < 20 + height
            assert cols.min() >= 20 and cols.max() < 20 + width
            assert np.ptp(rows) > cap * .6
