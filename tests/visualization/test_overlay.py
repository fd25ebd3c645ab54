import numpy as np
import pytest
import torch
from pictures import changed, extent, person_at

from mmhuman_dto.structures import People
from mmhuman_dto.visualization import draw_overlay, person_colors
from mmhuman_dto.visualization.colors import plate_color
from mmhuman_dto.visualization.text import text_height, text_size

PHOTO = np.full((200, 240, 3), 128, np.uint8)


def test_people_are_drawn_where_they_are_nearer_ones_in_front(boxes, faces):
    for z, front in (((4, 6), 3), ((6, 4), 1)):
        picture = draw_overlay(PHOTO, boxes([(0, 0, z[0]), (0, 0, z[1])], ids=[3, 1]), faces, labels=False)
        half = 100 / 3.5 / 2  # the front of the nearer one
        np.testing.assert_allclose(extent(changed(picture, PHOTO)), (120 - half, 100 - half, 120 + half, 100 + half),
                                   atol=1)
        assert person_at(picture, (121, 101)) == front


def test_height_and_distance_stand_above_each_head_on_a_plate_of_its_colour(boxes, faces, texts):
    people = boxes([(-1.8, .2, 5), (1.3, .2, 4)], half=(.2, .8, .2), ids=[2, 5])
    vertices = people.vertices.copy()
    vertices[:, [0, 1, 4, 5], 0] += .3  # they lean: the label is over the head, not over the middle
    people = people._replace(vertices=vertices, heights=np.array([1.834, np.nan]))
    draw_overlay(PHOTO, people, faces, title='before')
    # The nearer one chooses first; the title comes last and keeps its corner.
    assert [text.lines for text in texts] == [('4.0 m away', ), ('1.83 m tall', '5.0 m away'), ('before', )]
    cap = text_height((200, 240))
    for text, x, z, person in zip(texts, (1.6, -1.5), (4, 5), (5, 2)):
        # The head's upper edge is seen at its front, its sides at the front, too.
        assert text.middle[0] == pytest.approx(120 + 100 * x / (z - .2), abs=3)
        assert text.box[3] == pytest.approx(100 - 100 * .6 / (z - .2) - cap * .5)
        assert text.plate == plate_color(person_colors([person])[0])
    assert texts[-1].box[:2] == (0, 0) and texts[-1].plate is None
    assert np.ptp(texts[-1].box[1::2]) == text_size(['before'], 1.3 * cap)[1]


def test_labels_say_how_sure_they_are_and_why_somebody_was_left_out(boxes, faces, texts):
    people = boxes([(-1.8, .2, 5), (1.3, .2, 4)], half=(.2, .8, .2), ids=[2, 5])._replace(people=People(
        heights_std=torch.tensor([.06, np.nan]), depths_std=torch.tensor([.3, np.nan]),
        drop_reasons=torch.tensor([0, 4])))
    draw_overlay(PHOTO, people, faces, title='after')
    assert [text.lines for text in texts] == [
        ('not placed:', 'too few pixels with depth'), ('1.70 ± .06 m tall', '5.00 ± .30 m away'),
        ('after (grey: not placed)', )]
    draw_overlay(PHOTO, people, faces, labels=False)
    assert texts[-1].lines == ('grey: not placed', )
    assert np.ptp(texts[0].plate) < 20 and texts[1].plate == plate_color(person_colors([2])[0])
    picture, alike = (draw_overlay(PHOTO, p, faces, labels=False) for p in (people, people._replace(people=None)))
    inside = 105, 153
    assert np.ptp(picture[inside]) < 20 and np.ptp(alike[inside]) > 60
    assert np.array_equal(picture[20:, :110], alike[20:, :110])  # whoever was placed keeps its colour


def test_titles_are_no_wider_than_the_picture(boxes, faces, texts):
    draw_overlay(PHOTO, boxes([]), faces, title='a title that is too long for so small a picture')
    assert 225 < texts[-1].box[2] <= 240


def test_labels_keep_clear_of_the_title_and_of_heads(boxes, faces, texts):
    behind = boxes([(0, -.9, 4), (0, .55, 4.5), (-.9, -.85, 4)], half=(.2, .5, .1))
    draw_overlay(PHOTO, behind, faces, title='a rather long title')
    first, second, third, title = (text.box for text in texts)
    for box in (first, second, third):
        assert box[0] >= title[2] or box[1] >= title[3]
    texts.clear()
    draw_overlay(PHOTO, boxes([(-2.5, -1.8, 4)], half=(.2, .5, .1)), faces, title='a rather long title')
    assert texts[0].box[1] >= texts[1].box[3]
    head = (120 - 20 / 3.9, 100 - 140 / 3.9, 120 + 20 / 3.9, 100 - 140 / 3.9 + .15 * 100 / 3.9)
    assert second[0] >= head[2] or second[2] <= head[0] or second[1] >= head[3] or second[3] <= head[1]


def test_labels_of_many_are_smaller(boxes, faces, texts):
    for count in (12, 13):
        draw_overlay(PHOTO, boxes([(0, 0, 4)] * count), faces)
    few, many = (next(t for t in texts[start:]).box for start in (0, -1))
    cap = text_height((200, 240))
    assert [box[3] - box[1] for box in (few, many)] == [
        text_size(['a', 'b'], height)[1] for height in (cap, .75 * cap)]


@pytest.mark.parametrize('side, labelled', [(159, 0), (160, 1)])
def test_small_pictures_get_no_labels(boxes, faces, texts, side, labelled):
    assert changed(draw_overlay(PHOTO[:side], boxes([(0, 0, 4)]), faces), PHOTO[:side]).any()
    assert len(texts) == labelled


def test_nobody_and_people_outside_the_picture(boxes, faces, texts):
    for placement in (boxes([]), boxes([(0, 0, -4), (50, 0, 4)])):
        assert np.array_equal(draw_overlay(PHOTO, placement, faces), PHOTO) and not texts


def test_a_person_keeps_its_colour_when_others_are_dropped(boxes, faces):
    everyone = draw_overlay(PHOTO, boxes([(-1, 0, 4), (1, 0, 4)]), faces, labels=False)
    second = draw_overlay(PHOTO, boxes([(1, 0, 4)], ids=[1]), faces, labels=False)
    assert np.array_equal(everyone[:, 120:], second[:, 120:])


def test_colors_of_neighbours_differ():
    colors = person_colors(np.arange(20)).astype(int)
    distance = np.abs(colors[:, None] - colors).sum(-1) + 1000 * np.eye(20, dtype=int)
    assert distance.min() > 30
    assert (np.abs(np.diff(colors, axis=0)).sum(-1) > 100).all()
    assert plate_color(colors[0]) == tuple(int(255 - .45 * (255 - channel)) for channel in colors[0])
