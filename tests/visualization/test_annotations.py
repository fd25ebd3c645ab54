import numpy as np
import pytest

from mmhuman_dto.body_models import JOINT_SETS
from mmhuman_dto.visualization import draw_annotations, person_colors
from mmhuman_dto.visualization.annotations import LEFT, RIGHT, boxes_of_joints

PHOTO = np.full((120, 160, 3), 128, np.uint8)
COCO = JOINT_SETS['coco17']


def changed(picture, photo=PHOTO):
    return (picture != photo).any(-1)


def joints_at(**places):
    """(1, 17, 2) px, nan but for the named joints."""
    joints = np.full((1, 17, 2), np.nan)
    for name, place in places.items():
        joints[0, COCO.names.index(name)] = place
    return joints


def test_boxes_are_drawn_at_their_edges():
    picture = draw_annotations(PHOTO, [0], boxes=np.array([[30., 20, 90, 100]]))
    rows, columns = np.flatnonzero(changed(picture)[:, 60]), np.flatnonzero(changed(picture)[60])
    middles = [strokes[side].mean() for strokes in (rows, columns) for side in (strokes < 60, strokes > 60)]
    assert middles == pytest.approx((19.5, 99.5, 29.5, 89.5), abs=1)  # 0.5 is the centre of the first pixel
    assert not changed(picture)[25:95, 35:85].any() and not changed(picture)[:16].any()


def test_joints_lie_where_they_are_and_tell_left_from_right():
    joints = joints_at(left_wrist=(40, 30), right_wrist=(100, 30), nose=(70, 60))
    picture = draw_annotations(PHOTO, [0], joints=joints, joint_set=COCO)
    assert picture[29, 39].tolist() == list(LEFT) and picture[29, 99].tolist() == list(RIGHT)
    assert picture[59, 69].tolist() == person_colors([0])[0].tolist()
    assert changed(picture).sum() < 3 * 8**2  # dots only: no edge joins these three


def test_edges_join_seen_joints_only():
    joints = joints_at(left_shoulder=(20, 20), left_elbow=(60, 20), left_wrist=(100, 20))
    seen = np.isfinite(joints).all(-1)
    line = [changed(draw_annotations(PHOTO, [0], joints=joints, seen=use, joint_set=COCO))[19]
            for use in (seen, seen & (np.array(COCO.names) != 'left_wrist'))]
    assert line[0][20:100].all() and line[1][20:60].all() and not line[1][66:].any()
    bare = changed(draw_annotations(PHOTO, [0], joints=joints))
    assert not bare[19, 30:50].any() and bare[19, 19]


def test_labels_stand_on_their_boxes():
    boxes = np.array([[30., 40, 60, 100], [100, 40, 130, 100], [np.nan] * 4])
    plain = draw_annotations(PHOTO, [0, 1, 2], boxes)
    label = changed(draw_annotations(PHOTO, [0, 1, 2], boxes, labels=['0', '1', '2']), plain)
    rows, columns = np.nonzero(label)
    assert rows.max() <= 41 and columns.min() >= 29 and label[:, 70:99].sum() == 0 and label[:, 100:].any()


def test_nobody_and_nothing():
    assert np.array_equal(draw_annotations(PHOTO, []), PHOTO)
    assert np.array_equal(draw_annotations(PHOTO, [], np.zeros((0, 4)), np.zeros((0, 17, 2)), labels=[]), PHOTO)
    assert np.array_equal(draw_annotations(PHOTO, [0], np.full((1, 4), np.nan), joints_at()), PHOTO)
    far = draw_annotations(PHOTO, [0], np.array([[-1e9, -1e9, -1e8, -1e8]]), joints_at(nose=(1e30, 5)), labels=['0'])
    assert np.array_equal(far, PHOTO)


def test_boxes_of_joints():
    joints = np.concatenate([joints_at(nose=(10, 20), left_eye=(30, 5), right_eye=(90, 90)), joints_at()])
    seen = np.array(COCO.names) != 'right_eye'
    boxes = boxes_of_joints(joints, np.stack([seen, seen]))
    assert boxes[0].tolist() == [10, 5, 30, 20] and np.isnan(boxes[1]).all()
