import numpy as np
import pytest
import torch
from pictures import colored, extent, person_at

from mmhuman_dto.structures import People
from mmhuman_dto.visualization import Ground, person_colors
from mmhuman_dto.visualization.colors import plate_color
from mmhuman_dto.visualization.plot import AXIS, BACKGROUND, CAMERA, FIELD_OF_VIEW
from mmhuman_dto.visualization.sideview import GROUND, _edges_of_view, _fit, _from_the_side, draw_sideview

LEVEL = Ground(np.array([0, -1., 0]), 1.5)
PHOTO = (200, 240)


def draw(placements, faces, ground=LEVEL, titles=('', '')):
    """Panels 600 px wide, and their frame."""
    panels = list(zip(titles, placements))
    frame, (height, width) = _fit([_from_the_side(p.level(ground)) for p in placements], ground, 600, 7.)
    picture = draw_sideview(panels, faces, PHOTO, ground, 600)
    assert picture.shape == (height * len(panels), width, 3)
    return np.split(picture, len(panels)), frame


@pytest.fixture
def standing(boxes):
    """Boxes 1.8 m tall on the ground, 1.5 m below the camera, at (x, z), .6 m deep, of unknown height."""
    def build(*places, ids=None):
        people = boxes([(x, .6, z) for x, z in places], half=(.2, .9, .3), ids=ids)
        return people._replace(heights=np.full(len(places), np.nan))

    return build


def test_people_stand_at_their_metres_each_in_its_colour(standing, faces):
    (panel, ), frame = draw([standing((.5, 4), (-1, 6), ids=[4, 1])], faces)
    for near, far, person in ((3.7, 4.3, 4), (5.7, 6.3, 1)):
        (left, bottom), (right, top) = frame.to_pixels([near, far], [0, 1.8])
        seen = colored(panel)
        seen[:, :int(left) - 9] = seen[:, int(right) + 9:] = False
        np.testing.assert_allclose(extent(seen), (left, top, right, bottom), atol=1.5)
        assert person_at(panel, frame.to_pixels(near + .3, .9)) == person


def test_all_is_shown_on_one_scale_and_no_higher_than_it_needs(standing):
    for places, filled in (([(0, 4), (0, 40)], 'width'), ([(0, 4)], 'height')):
        vertices = _from_the_side(standing(*places).level(LEVEL))
        frame, (height, width) = _fit([vertices], LEVEL, 600, 7.)
        far = max(z for _, z in places) + .3
        (left, bottom), (right, top) = frame.to_pixels([-.5, far + .5], [-.5, 2.5])
        assert bottom == pytest.approx(frame.corner[1] + frame.size[1]) and width == 600 and height <= 360
        assert frame.corner[1] <= top < frame.corner[1] + 1.1
        if filled == 'width':
            assert (right - left) == pytest.approx(frame.size[0])


def test_heights_are_written_above_the_heads_on_plates_of_the_persons_colour(standing, faces, texts):
    people = standing((-.5, 4), (.5, 6), (0, 8), ids=[4, 1, 2])
    vertices = people.vertices.copy()
    vertices[:, 1, 1] -= .05  # the crown: at the far side of the box
    _, frame = draw([people._replace(vertices=vertices, heights=np.array([1.834, 1.426, np.nan]))], faces)
    heights = [text for text in texts if text.plate]
    # Those on the right of the scene, nearer to who looks at it, choose their places first.
    assert [text.lines for text in heights] == [('1.43', ), ('1.83', )]
    for text, z, person in zip(heights, (6.3, 4.3), (1, 4)):
        crown = frame.to_pixels(z, 1.85)
        assert text.middle[0] == pytest.approx(crown[0]) and text.plate == plate_color(person_colors([person])[0])
        assert text.box[3] == pytest.approx(crown[1] - .3 * 7.)


def test_heights_say_how_sure_they_are_and_who_was_left_out_is_grey(standing, faces, texts):
    people = standing((-.5, 4), (.5, 6), ids=[4, 1])._replace(heights=np.array([1.834, 1.426]), people=People(
        heights_std=torch.tensor([.2, .03]), drop_reasons=torch.tensor([0, 2])))
    (panel, ), frame = draw([people], faces)
    assert [text.lines for text in texts if text.plate] == [('1.43 ± .03', ), ('1.83 ± .20', )]
    assert texts[-1].lines == ('from the side (height in m; grey: not placed)', )
    spread = [np.ptp(panel[tuple(frame.to_pixels(z, .9).astype(int)[::-1])].astype(int)) for z in (4, 6)]
    assert spread[0] > 60 and spread[1] < 20


def test_titles(standing, faces, texts):
    people = standing((0, 4))
    draw([people, people._replace(heights=np.ones(1))], faces, titles=('before', ''))
    assert [text.lines[0] for text in texts if 'side' in text.lines[0]] == [
        'before, from the side', 'from the side (height in m)']


def test_who_is_on_the_right_covers_who_is_on_the_left(standing, faces):
    for places, front in (([(1, 4), (-1, 4)], 0), ([(-1, 4), (1, 4)], 1)):
        (panel, ), frame = draw([standing(*places)], faces)
        assert person_at(panel, frame.to_pixels(4.1, 1)) == front


def test_before_and_after_share_the_scale(standing, faces):
    panels, frame = draw([standing((0, 9)), standing((0, 4))], faces)
    assert (panels[1][:2] == AXIS).all()
    for panel, z in zip(panels, (9, 4)):
        left, right = frame.to_pixels([z - .3, z + .3], [0, 0])[:, 0]
        np.testing.assert_allclose(extent(colored(panel))[::2], (left, right), atol=1.5)


def test_camera_ground_and_field_of_view(standing, faces):
    """200 px at a focal length of 100 px: as far up and down as away."""
    (panel, ), frame = draw([standing((0, 4))], faces)
    (unknown, ), _ = draw([standing((0, 4))._replace(intrinsics=None)], faces)

    def colors(picture, *points):
        return [tuple(picture[y, x]) for x, y in (np.floor(frame.to_pixels(*point)).astype(int) for point in points)]

    assert colors(panel, (.8, 2.2), (.8, .8)) == [FIELD_OF_VIEW] * 2
    assert colors(panel, (.8, 2.4), (.8, .6)) == colors(unknown, (.8, 2.2), (.8, .8)) == [BACKGROUND] * 2
    assert colors(panel, (-.04, 1.5)) == [CAMERA]
    below = tuple((.45 * np.array(BACKGROUND) + .55 * np.array(GROUND)).astype(np.uint8))
    assert colors(panel, (-.25, -.2)) == [below] and colors(panel, (-.25, .2)) == [BACKGROUND]
    assert np.abs(panel[int(frame.to_pixels(0, 0)[1]) + np.array([-1, 0]), frame.corner[0] + 10].astype(int)
                  - np.array(AXIS) // 2).sum(-1).min() < 150


def test_edges_of_view_of_a_camera_that_looks_down(standing, faces):
    pitch = np.radians(20)
    tilted = Ground(np.array([0, -np.cos(pitch), -np.sin(pitch)]), 1.5)
    away, up = _edges_of_view(np.array([[100., 0, 120], [0, 100, 100], [0, 0, 1]]), 200, tilted).T
    np.testing.assert_allclose(np.degrees(np.arctan2(up, away)), [45 - 20, -45 - 20])
    seen = standing((0, 4))
    seen_tilted = seen._replace(vertices=seen.vertices @ tilted.rotation.astype(np.float32))
    ((level, ), _), ((down, ), _) = draw([seen], faces), draw([seen_tilted], faces, tilted)
    assert (colored(level) != colored(down)).mean() < 2e-3
