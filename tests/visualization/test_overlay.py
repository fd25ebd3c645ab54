import numpy as np

from mmhuman_dto.visualization import draw_overlay, person_colors

PHOTO = np.full((200, 240, 3), 128, np.uint8)


def changed(picture, photo=PHOTO):
    return (picture != photo).any(-1)


def test_people_are_drawn_and_labelled_above_the_head(boxes, faces):
    placement = boxes([(0, .2, 4)], half=(.2, .8, .2))
    bare, labelled = (draw_overlay(PHOTO, placement, faces, labels=labels) for labels in (False, True))
    head = np.nonzero(changed(bare))[0].min()
    label = changed(labelled, bare)
    assert label.sum() > 300 and np.nonzero(label)[0].max() < head


def test_small_pictures_get_no_labels(boxes, faces):
    placement = boxes([(0, 0, 4)])
    tiny = placement._replace(intrinsics=placement.intrinsics * [[.1], [.1], [1]])
    photo = PHOTO[:20, :24]
    picture = draw_overlay(photo, tiny, faces)
    assert np.array_equal(picture, draw_overlay(photo, tiny, faces, labels=False))
    assert changed(picture, photo).any()


def test_nobody_and_people_outside_the_picture(boxes, faces):
    for placement in (boxes([]), boxes([(0, 0, -4), (50, 0, 4)])):
        assert np.array_equal(draw_overlay(PHOTO, placement, faces), PHOTO)


def test_fifty_people(boxes, faces):
    crowd = boxes(np.random.default_rng(0).uniform((-4, -1, 4), (4, 1, 20), (50, 3)), half=(.2, .8, .2))
    assert changed(draw_overlay(PHOTO, crowd, faces)).mean() > .1


def test_a_person_keeps_its_colour_when_others_are_dropped(boxes, faces):
    everyone = draw_overlay(PHOTO, boxes([(-1, 0, 4), (1, 0, 4)]), faces, labels=False)
    second = draw_overlay(PHOTO, boxes([(1, 0, 4)], ids=[1]), faces, labels=False)
    assert np.array_equal(everyone[:, 120:], second[:, 120:])


def test_colors_of_neighbours_differ():
    colors = person_colors(np.arange(20)).astype(int)
    assert colors.dtype == int and colors.shape == (20, 3)
    distance = np.abs(colors[:, None] - colors).sum(-1) + 1000 * np.eye(20, dtype=int)
    assert distance.min() > 30
    assert (np.abs(np.diff(colors, axis=0)).sum(-1) > 100).all()
