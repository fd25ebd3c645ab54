import numpy as np
import pytest
from pictures import changed

from mmhuman_dto.body_models import JOINT_SETS
from mmhuman_dto.visualization import draw_annotations, person_colors
from mmhuman_dto.visualization.annotations import LEFT, RIGHT
from mmhuman_dto.visualization.colors import plate_color

PHOTO = np.full((120, 160, 3), 128, np.uint8)
COCO = JOINT_SETS['coco17']


def joints_at(**places):
    """(1, 17, 2) px, nan but for the named joints."""
    joints = np.full((1, 17, 2), np.nan)
    for name, place in places.items():
        joints[0, COCO.names.index(name)] = place
    return joints


def test_boxes_are_drawn_at_their_edges_in_their_persons_colour_with_a_dark_rim():
    for size, widths in ((400, (1, 2)), (1000, (3, 4))):  # strokes grow with the picture
        picture = draw_annotations(np.full((size, size + 40, 3), 128, np.uint8), [3], np.array([[30., 20, 90, 100]]))
        color = person_colors([3])[0]
        for strip, edges in ((picture[:, 60], (20, 100)), (picture[60], (30, 90))):
            stroke = (np.ptp(strip, axis=-1) > .5 * np.ptp(color))
            dark = strip.sum(-1) < .5 * color.sum()
            for edge in edges:
                near = slice(edge - 8, edge + 8)
                assert np.flatnonzero(stroke[near]).mean() - 7.5 == pytest.approx(0, abs=.75)
                assert stroke[near].sum() in widths and dark[edge - 8:edge].any() and dark[edge:edge + 8].any()
            assert stroke.sum() <= 2 * widths[1]


def test_joints_lie_where_they_are_and_tell_left_from_right():
    joints = joints_at(left_wrist=(40, 30), right_wrist=(100, 30), nose=(70, 60))
    picture = draw_annotations(PHOTO, [4], joints=joints, joint_set=COCO)
    assert picture[29, 39].tolist() == list(LEFT) and picture[29, 99].tolist() == list(RIGHT)
    assert picture[59, 69].tolist() == person_colors([4])[0].tolist()
    assert changed(picture, PHOTO).sum() < 3 * 8**2  # dots only: no edge joins these three


def test_edges_join_seen_joints_only():
    joints = joints_at(left_shoulder=(20, 20), left_elbow=(60, 20), left_wrist=(100, 20))
    seen = np.isfinite(joints).all(-1)
    line = [changed(draw_annotations(PHOTO, [0], joints=joints, seen=use, joint_set=COCO), PHOTO)[19]
            for use in (seen, seen & (np.array(COCO.names) != 'left_wrist'))]
    assert line[0][20:100].all() and line[1][20:60].all() and not line[1][66:].any()
    bare = changed(draw_annotations(PHOTO, [0], joints=joints), PHOTO)
    assert not bare[19, 30:50].any() and bare[19, 19]


def test_labels_stand_on_their_boxes_on_plates_of_the_persons_colour(texts):
    boxes = np.array([[30., 40, 60, 100], [100, 2, 130, 100], [np.nan] * 4, [30, 40, 60, 110]])
    draw_annotations(PHOTO, [2, 1, 0, 5], boxes, labels=['0', 'one', '2', 'same place'])
    assert [text.lines for text in texts] == [('0', ), ('one', ), ('same place', )]
    first, second, third = (text.box for text in texts)
    assert first[0] == pytest.approx(30) and first[3] == pytest.approx(40)
    assert second[0] == pytest.approx(100) and second[1] == 0  # no room above the box
    assert third[0] >= first[2] or third[2] <= first[0] or third[1] >= first[3] or third[3] <= first[1]
    assert [text.plate for text in texts] == [plate_color(color) for color in person_colors([2, 1, 5])]


def test_labels_without_boxes_stand_on_the_joints_seen(texts):
    joints = joints_at(nose=(60, 40), left_eye=(50, 50), right_wrist=(20, 30))
    draw_annotations(PHOTO, [0], joints=joints, seen=np.array(COCO.names) != 'right_wrist', labels=['somebody'])
    assert texts[0].box[0] == pytest.approx(50) and texts[0].box[3] == pytest.approx(40)


def test_nobody_and_nothing():
    assert np.array_equal(draw_annotations(PHOTO, []), PHOTO)
    assert np.array_equal(draw_annotations(PHOTO, [], np.zeros((0, 4)), np.zeros((0, 17, 2)), labels=[]), PHOTO)
    assert np.array_equal(draw_annotations(PHOTO, [0], np.full((1, 4), np.nan), joints_at()), PHOTO)
    far = draw_annotations(PHOTO, [0], np.array([[-1e9, -1e9, -1e8, -1e8]]), joints_at(nose=(1e30, 5)), labels=['0'])
    assert np.array_equal(far, PHOTO)
