import numpy as np

from mmhuman_dto.visualization.birdseye import draw_birdseye, fit_frame
from mmhuman_dto.visualization.plot import AXIS, GRID

SIZE = (400, 360)
PHOTO = (200, 240)


def colored(panel):
    """Pixels with a person's colour; grid, text and field of view are all but grey."""
    return np.ptp(panel.astype(int), axis=-1) > 40


def test_frame_has_one_scale_and_places_known_metres(boxes):
    frame = fit_frame([boxes([(2, 0, 5), (-3, 0, 8)])], SIZE)
    origin, right, ahead = frame.to_pixels([0., 1., 0.], [0., 0., 1.])
    np.testing.assert_allclose(right - origin, [frame.scale, 0])
    np.testing.assert_allclose(ahead - origin, [0, -frame.scale])
    # Everyone and the camera lie in the plot.
    for x, z in ((2.5, 5.5), (-3.5, 8.5), (0, 0)):
        u, v = frame.to_pixels(x, z)
        assert frame.corner[0] < u < frame.corner[0] + frame.size[0]
        assert frame.corner[1] < v < frame.corner[1] + frame.size[1]


def test_person_is_drawn_at_its_metres(boxes, faces):
    # The walls of the box are from 1.6 to 2.4 m to the right and 4.7 to 5.3 m away.
    placement = boxes([(2, .5, 5)], half=(.4, .9, .3))
    frame = fit_frame([placement], SIZE)
    panel = draw_birdseye([('one', placement._replace(heights=np.array([1.7])))], faces, PHOTO, panel_size=SIZE)
    rows, cols = np.nonzero(colored(panel))
    (left, bottom), (right, top) = frame.to_pixels([1.6, 2.4], [4.7, 5.3])
    np.testing.assert_allclose([cols.min(), cols.max() + 1, rows.min(), rows.max() + 1], [left, right, top, bottom],
                               atol=1.5)


def test_before_and_after_share_the_scale(boxes, faces):
    before, after = boxes([(0, 0, 12)]), boxes([(0, 0, 6)])
    picture = draw_birdseye([('before', before), ('after', after)], faces, PHOTO, panel_size=SIZE)
    assert picture.shape == (400, 720, 3)
    spans = [np.ptp(np.nonzero(colored(half))[1]) for half in np.split(picture, 2, axis=1)]
    middles = [np.nonzero(colored(half))[0].mean() for half in np.split(picture, 2, axis=1)]
    scale = fit_frame([before, after], SIZE).scale
    assert abs(spans[0] - spans[1]) <= 1
    assert abs(middles[1] - middles[0] - 6 * scale) < 2


def test_grid_lines_lie_on_whole_metres(boxes, faces):
    placement = boxes([(0, 0, 6)])
    frame = fit_frame([placement], SIZE)
    panel = draw_birdseye([('one', placement)], faces, PHOTO, panel_size=SIZE).astype(int)
    for x in (-1, 2):
        u, v = frame.to_pixels(x, .3)
        column = panel[int(v), int(u) - 3:int(u) + 4].sum(-1)
        assert abs(3 + u % 1 - .5 - (column.argmin())) <= 1
        assert column.min() < sum(GRID) + 60 < column.max() + 60
    u, v = frame.to_pixels(.4, 0)
    assert panel[int(v) - 1:int(v) + 2, int(u)].sum(-1).min() < sum(AXIS) + 60


def test_truth_is_an_outline_joined_to_its_person(boxes, faces):
    placement, truth = boxes([(0, 0, 8)]), boxes([(0, 0, 4)], half=(.8, .8, .8))
    frame = fit_frame([placement, truth], SIZE)
    plain = draw_birdseye([('a', placement)], faces, PHOTO, panel_size=SIZE)
    panel = draw_birdseye([('a', placement)], faces, PHOTO, truth, panel_size=SIZE).astype(int)
    corner = frame.to_pixels(-.8, 4)
    edge = panel[int(corner[1]), int(corner[0]) - 3:int(corner[0]) + 4]
    assert np.ptp(edge, axis=-1).max() > 25
    inside = panel[tuple(frame.to_pixels(-.3, 4).astype(int)[::-1])]
    assert inside.min() > 200
    joint = frame.to_pixels(0, 6).astype(int)
    assert np.ptp(panel[joint[1], joint[0] - 2:joint[0] + 3], axis=-1).max() > 25
    assert not np.array_equal(plain, panel)


def test_nobody_and_fifty_people(boxes, faces):
    assert not colored(draw_birdseye([('none', boxes([]))], faces, PHOTO, panel_size=SIZE)).any()
    crowd = boxes(np.random.default_rng(0).uniform((-8, 0, 3), (8, 1, 25), (50, 3)), half=(.3, .8, .3))
    assert colored(draw_birdseye([('crowd', crowd)], faces, PHOTO, crowd, SIZE)).sum() > 50 * 10
