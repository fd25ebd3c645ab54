import numpy as np
import pytest
import torch
from pictures import colored, extent, marks, person_at

from mmhuman_dto.structures import People
from mmhuman_dto.visualization import Ground, person_colors
from mmhuman_dto.visualization.birdseye import draw_birdseye, fit_frame
from mmhuman_dto.visualization.mesh_render import FAINT
from mmhuman_dto.visualization.plot import AXIS, BACKGROUND, FIELD_OF_VIEW

SIZE = (400, 360)
PHOTO = (200, 240)


def draw(placement, faces, truth=None, **options):
    """One panel, and its frame."""
    panel = draw_birdseye([('one', placement)], faces, PHOTO, truth, SIZE, **options)
    return panel, fit_frame([placement] + ([truth] if truth else []), SIZE)


def color_at(panel, frame, *point):
    x, y = np.floor(frame.to_pixels(*point)).astype(int)
    return tuple(panel[y, x])


def test_everyone_and_the_camera_are_shown_on_one_scale(boxes):
    for aside, far in ((3, 8), (9, 5)):
        frame = fit_frame([boxes([(2, 0, 5), (-aside, 0, far)])], SIZE)
        corners = frame.to_pixels([-aside - .5 - .6, 2.5 + .6], [-.6, far + .5 + .6])
        shares = np.abs(np.diff(corners, axis=0)[0]) / frame.size
        assert shares.max() == pytest.approx(1) and shares.argmax() == (far > aside)
        assert (np.mean(corners, 0) - frame.corner)[0] == pytest.approx(frame.size[0] / 2)
    assert fit_frame([], SIZE).top > 3 and fit_frame([], SIZE).bottom == -.6


def test_people_are_drawn_at_their_metres_each_in_its_colour(boxes, faces):
    placement = boxes([(2, .5, 5), (-1, .5, 7)], half=(.4, .9, .3), ids=[4, 1])._replace(heights=np.full(2, np.nan))
    panel, frame = draw(placement, faces)
    for left, right, near, far, person in ((1.6, 2.4, 4.7, 5.3, 4), (-1.4, -.6, 6.7, 7.3, 1)):
        (x0, y1), (x1, y0) = frame.to_pixels([left, right], [near, far])
        seen = colored(panel)
        seen[:, :int(x0) - 9] = seen[:, int(x1) + 9:] = False
        np.testing.assert_allclose(extent(seen), (x0, y0, x1, y1), atol=1.5)
        assert person_at(panel, frame.to_pixels(left + .15, near + .15)) == person
        center = frame.to_pixels((left + right) / 2, (near + far) / 2)
        assert color_at(panel, frame, (left + right) / 2, (near + far) / 2) == (255, 255, 255)  # a white dot
        ring = panel[int(center[1]), int(center[0]):int(center[0]) + 5].astype(int).sum(-1)
        assert ring.min() < person_colors([person])[0].sum() and ring.argmin() in (2, 3)  # in a dark ring


def test_heights_are_written_beside_their_people(boxes, faces, texts):
    placement = boxes([(2, .5, 5), (-1, .5, 7), (0, .5, 3)], half=(.3, .9, .3))
    placement = placement._replace(heights=np.array([1.834, 1.426, np.nan]))
    _, frame = draw(placement, faces)
    heights = [text for text in texts if text.lines[0][-1] not in 'm)']
    assert [text.lines for text in heights] == [('1.83', ), ('1.43', )] and heights[0].plate is None
    for text, place in zip(heights, ((2, 5), (-1, 7))):
        x, y = frame.to_pixels(*place) - (0, .28 * frame.scale)
        assert text.middle[0] == pytest.approx(x, abs=.6) and text.box[3] == pytest.approx(y, abs=1.1)
    title = texts[-1]
    assert title.lines == ('one  (height in m)', ) and 0 < title.box[1] < title.box[3] < frame.corner[1] + 1


def test_heights_say_how_sure_they_are_and_parts_nothing_tells_are_fainter(boxes, faces, texts):
    plain = boxes([(2, .5, 5), (-1, .5, 7)], half=(.3, .9, .3))
    unsure = plain._replace(people=People(heights_std=torch.tensor([.06, .2])), support=np.float32([[1] * 8, [0] * 8]))
    (full, frame), (faint, _) = draw(plain, faces), draw(unsure, faces)
    assert [text.lines[0] for text in texts if '±' in text.lines[0]] == ['1.70 ± .06', '1.70 ± .20']
    for (x, y), share in (((1.8, 4.8), 1), ((-1.2, 6.8), FAINT)):
        colors = [np.subtract(color_at(panel, frame, x, y), FIELD_OF_VIEW, dtype=float) for panel in (full, faint)]
        np.testing.assert_allclose(colors[1], share * colors[0], atol=1.5)


@pytest.mark.parametrize('known, truth, legend', [
    (False, False, ''), (True, True, '  (height in m; outline: truth)'), (False, True, '  (outline: truth)')])
def test_the_title_says_what_is_to_be_seen(boxes, faces, texts, known, truth, legend):
    placement = boxes([(0, 0, 6)])._replace(heights=np.array([1.7 if known else np.nan]))
    truth = boxes([(0, 0, 5)]) if truth else None
    draw(placement, faces, truth)
    assert texts[-1].lines == (f'one{legend}', )
    draw_birdseye([('', placement)], faces, PHOTO, truth, SIZE)
    assert texts[-1].lines == (f'from above{legend}', )


def test_who_is_above_covers_who_is_below(boxes, faces):
    for centers, top in (([(0, 0, 5), (0, -2, 5)], 1), ([(0, -2, 5), (0, 0, 5)], 0)):
        panel, frame = draw(boxes(centers), faces)
        assert person_at(panel, frame.to_pixels(.3, 5.3)) == top


def test_before_and_after_share_the_scale(boxes, faces):
    before, after = boxes([(0, 0, 12)]), boxes([(0, 0, 6)])
    picture = draw_birdseye([('before', before), ('after', after)], faces, PHOTO, panel_size=SIZE)
    frame = fit_frame([before, after], SIZE)
    assert picture.shape == (400, 720, 3) and (picture[:, 360:362] == AXIS).all()
    for panel, z in zip(np.split(picture, 2, axis=1), (12, 6)):
        (left, bottom), (right, top) = frame.to_pixels([-.5, .5], [z - .5, z + .5])
        np.testing.assert_allclose(extent(colored(panel)), (left, top, right, bottom), atol=1.5)


def test_grid_lines_lie_on_whole_metres_and_say_which(boxes, faces, texts):
    panel, frame = draw(boxes([(0, 0, 6)]), faces)
    x, y = frame.corner
    row = frame.to_pixels(0, -.3)[1]  # behind the camera
    lines = marks(panel[int(row), x + 1:x + frame.size[0] - 1], BACKGROUND)
    whole = np.arange(np.ceil(frame.left), frame.right)
    np.testing.assert_allclose(np.add(lines, x + 1), frame.to_pixels(whole, 0 * whole)[:, 0], atol=.5)
    said = {text.lines[0]: text.middle for text in texts if text.box[2] == x}
    assert {'0 m', '5 m'} <= set(said)
    for words, middle in said.items():
        assert middle[1] == pytest.approx(frame.to_pixels(0, float(words[:-2]))[1])


@pytest.mark.parametrize('tilt', [0, .6])
def test_field_of_view_is_the_photos(boxes, faces, tilt):
    """The edges of 240 px at a focal length of 100 px are 1.2 m aside at 1 m, on the ground 1.2 / cos(tilt)."""
    ground = Ground(np.array([0, -np.cos(tilt), -np.sin(tilt)]), 3.) if tilt else None
    placement = boxes([(0, 0, 7)])
    panel, _ = draw(placement, faces, ground=ground)
    frame = fit_frame([placement.level(ground) if ground else placement], SIZE)
    edge = 1.2 / np.cos(tilt)
    for side in (-1, 1):
        assert color_at(panel, frame, side * (1.6 * edge - .15), 1.6) == FIELD_OF_VIEW
        assert color_at(panel, frame, side * (1.6 * edge + .15), 1.6) == BACKGROUND
    unknown, _ = draw(placement._replace(intrinsics=None), faces)
    assert color_at(unknown, fit_frame([placement], SIZE), .5, 1.6) == BACKGROUND


def test_truth_is_an_outline_joined_to_its_person(boxes, faces):
    placement, truth = boxes([(0, 0, 8)], ids=[2]), boxes([(0, 0, 4), (2, 0, 8)], half=(.8, .8, .8), ids=[2, 5])
    panel, frame = draw(placement, faces, truth)
    plain, _ = draw(placement, faces, boxes([(0, 0, 4), (2, 0, 8)], half=(.8, .8, .8), ids=[7, 5]))
    dark = person_colors([2])[0] * .55
    for point in ((-.8, 4), (.8, 4), (.4, 3.2), (.4, 4.8)):
        x, y = np.floor(frame.to_pixels(*point)).astype(int)
        assert np.abs(panel[y - 2:y + 3, x - 2:x + 3] - dark).max(-1).min() < 30
    assert panel[tuple(frame.to_pixels(-.3, 4).astype(int)[::-1])].min() > 200  # nothing inside
    for z, joined in ((5.5, True), (7, True), (3.5, False)):
        x, y = np.floor(frame.to_pixels(0, z)).astype(int)
        assert (np.abs(panel[y, x - 2:x + 3] - dark).max(-1).min() < 50) == joined
        assert np.abs(plain[y, x - 2:x + 3] - dark).max(-1).min() > 50  # nobody else's truth is joined
