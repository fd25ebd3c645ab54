import numpy as np
import pytest
from pictures import changed, extent, marks, person_at

from mmhuman_dto.visualization import person_colors
from mmhuman_dto.visualization.plot import (
    CAMERA,
    FIELD_OF_VIEW,
    PlotFrame,
    draw_camera,
    draw_grid,
    fit_plot,
    render_plot,
)
from mmhuman_dto.visualization.text import text_size

PAPER = (250, 250, 250)
#: 40 px a metre from (-2.5, -.5) to (3.5, 7) m; the origin at (150, 300) px.
FRAME = PlotFrame(-2.5, -.5, 40., (50, 20), (240, 300))
PLOT = FRAME._replace(corner=(0, 0))


def paper(height=360, width=300):
    return np.full((height, width, 3), PAPER, np.uint8)


def test_metres_to_pixels():
    np.testing.assert_array_equal(FRAME.to_pixels([0, 1, -2.5], [0, 2, 7]), [[150, 300], [190, 220], [50, 20]])
    assert (FRAME.right, FRAME.top) == (3.5, 7)


@pytest.mark.parametrize('high', [(4, 2), (-1, 8)])
def test_all_is_shown_as_large_as_it_fits_below_its_title_and_beside_its_labels(high):
    low, cap = np.array([-2., -1.5]), 10.
    frame = fit_plot(low, np.array(high), (400, 700), cap)
    (x, y), (width, height) = frame.corner, frame.size
    widest = max(text_size([label], cap)[0] for label in ('-2 m', f'{high[1]} m'))
    assert (x, y, width, height) == (widest, 26, 700 - widest - 10, 400 - 26 - 26)
    (left, bottom), (right, top) = frame.to_pixels(*np.stack([low, high], 1))
    assert bottom == pytest.approx(y + height) and (left + right) / 2 == pytest.approx(x + width / 2)
    assert max((right - left) / width, (bottom - top) / height) == pytest.approx(1)
    assert right - left == pytest.approx((high[0] + 2) * frame.scale)


@pytest.mark.parametrize('scale, label_step, line_step', [(40., 1, 1), (12., 5, 1), (3., 10, 10)])
def test_grid_lines_lie_on_whole_metres_and_say_which(texts, scale, label_step, line_step):
    frame, panel = FRAME._replace(scale=scale), paper()
    draw_grid(panel, frame, 8.)
    ends = (frame.left, frame.right), (frame.bottom, frame.top)
    across, up = (np.arange(np.ceil(low / line_step), high / line_step) * line_step for low, high in ends)
    columns, rows = frame.to_pixels(across, 0 * across)[:, 0], frame.to_pixels(0 * up, up)[:, 1]
    np.testing.assert_allclose(marks(panel[22, 50:290], PAPER), columns - 50, atol=.3)
    np.testing.assert_allclose(marks(panel[20:320, 52], PAPER), rows[::-1] - 20, atol=.3)
    # The line of 0 m is the darkest.
    assert abs(panel[22, 50:290].sum(-1).argmin() + 50.5 - frame.to_pixels(0, 0)[0]) <= 1
    assert abs(panel[20:320, 52].sum(-1).argmin() + 20.5 - frame.to_pixels(0, 0)[1]) <= 1
    said = [[(f'{value + 0:g} m', place) for value, place in zip(values, places) if value % label_step == 0]
            for values, places in ((across, columns), (up, rows))]
    below = [(text.lines[0], pytest.approx(text.middle[0])) for text in texts if text.middle[1] == 320 + 1.2 * 8]
    beside = [(text.lines[0], pytest.approx(text.middle[1])) for text in texts if text.box[2] == 50]
    assert said == [below, beside] and len(texts) == len(below) + len(beside)


def test_camera_looks_the_way_it_does():
    plot = paper(300, 240)
    draw_camera(plot, PLOT, (0, 0), [[-1, 1], [.5, 1]])  # from 45 degrees to the left to 27 to the right, ahead

    def at(*point):
        x, y = np.floor(PLOT.to_pixels(*point)).astype(int)
        return tuple(plot[y, x])

    assert [at(*p) for p in ((-1.9, 2), (.9, 2), (0, 6))] == [FIELD_OF_VIEW] * 3
    assert [at(*p) for p in ((-2.1, 2), (1.1, 2), (0, -.2))] == [PAPER] * 3
    rows, columns = np.nonzero((plot == CAMERA).all(-1))
    # It lies behind its place, opposite to where it looks, 1.1 times 6 px long.
    ahead = np.array([-1, 1]) / 2**.5 + np.array([.5, 1]) / 1.25**.5
    behind = np.array([columns.mean(), rows.mean()]) + .5 - PLOT.to_pixels(0, 0)
    np.testing.assert_allclose(behind, -ahead * [1, -1] / np.linalg.norm(ahead) * 6.6 * 2 / 3, atol=.7)


def test_people_are_drawn_at_their_metres_nearer_ones_in_front():
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 2, 0]], np.float32)
    people = np.stack([square, square + np.float32([-.5, 1, -3])])
    plot = paper(300, 240)
    for order in ([0, 1], [1, 0]):
        ids = np.array([0, 1])[order]
        picture = render_plot(plot, people[order], np.array([[0, 1, 2], [0, 2, 3]]), PLOT,
                              person_colors(ids))
        np.testing.assert_allclose(extent(changed(picture, plot)), (80, 160, 140, 280), atol=1)
        assert [person_at(picture, PLOT.to_pixels(*p)) for p in ((.2, 1.5), (.2, 2.5))] == [0, 1]
