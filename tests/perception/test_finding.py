"""Who is found twice, and whose mesh is whose: the rules by which DTO-Humans was made."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmhuman_dto.perception.finding import box_nms, id_map, keypoint_nms, match_keypoints

SEEN = np.ones((1, 17), dtype=bool)


def standing(x=0., y=0., height=160.):
    """17 COCO joints (17, 2), px, of somebody whose joints' box is .5 x 1 ``height``."""
    rng = np.random.default_rng(3)
    joints = rng.uniform(0, 1, (17, 2))
    joints = (joints - joints.min(0)) / np.ptp(joints, axis=0)
    return joints * [height / 2, height] + [x, y]


def test_of_overlapping_boxes_the_best_stays():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 7], [20, 0, 30, 10.]])
    # IoU of the second with the first is .8, with the third 7/8; the third's with the first is exactly .7.
    assert box_nms(boxes, [.9, .8, .7, .95]).tolist() == [3, 0, 2]
    assert box_nms(boxes, [.7, .9, .8, .95]).tolist() == [3, 1]
    assert box_nms(boxes[:0], []).tolist() == []


@given(st.integers(0, 12), st.integers(0, 2**16))
def test_what_box_nms_leaves_does_not_overlap_and_covers_the_rest(count, seed):
    from mmhuman_dto.geometry.matching import box_iou
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 20, (count, 2))
    boxes, scores = np.concatenate([low, low + rng.uniform(5, 20, (count, 2))], 1), rng.random(count)
    kept = box_nms(boxes, scores)
    iou = box_iou(boxes, boxes)
    assert (iou[np.ix_(kept, kept)] <= .7).sum() == len(kept) * (len(kept) - 1)
    for lost in set(range(count)) - set(kept.tolist()):
        assert any(iou[lost, k] > .7 and scores[k] >= scores[lost] for k in kept)


@pytest.mark.parametrize('shift, kept', [(7.4, [1]), (7.6, [1, 0])])
def test_poses_closer_than_three_fortieths_of_the_box_are_one_person(shift, kept):
    poses = np.stack([standing(), standing(x=shift)])
    boxes = np.array([[0, 0, 40, 100], [0, 0, 40, 100.]])
    assert keypoint_nms(poses, np.repeat(SEEN, 2, 0), [.6, .8], boxes).tolist() == kept


def test_only_joints_seen_in_both_poses_count():
    first, second = standing(), standing()
    second[5:] += 500
    visible = np.ones((2, 17), dtype=bool)
    boxes = np.array([[0, 0, 40, 100], [0, 0, 40, 100.]])
    assert keypoint_nms(np.stack([first, second]), visible, [.9, .8], boxes).tolist() == [0, 1]
    visible[1, 5:] = False
    assert keypoint_nms(np.stack([first, second]), visible, [.9, .8], boxes).tolist() == [0]
    visible[0, :5] = False  # nothing in common
    assert keypoint_nms(np.stack([first, second]), visible, [.9, .8], boxes).tolist() == [0, 1]
    assert keypoint_nms(np.zeros((0, 17, 2)), np.zeros((0, 17), bool), [], np.zeros((0, 4))).tolist() == []


def test_meshes_go_to_the_poses_they_fit():
    poses = np.stack([standing(0), standing(300), standing(600)])
    meshes = np.stack([standing(602), standing(900), standing(-3)])
    match = match_keypoints(meshes, poses, np.repeat(SEEN, 3, 0))
    assert match.true.tolist() == [0, 2] and match.pred.tolist() == [2, 0]


@pytest.mark.parametrize('wrong, matched', [(8, True), (9, False)])
def test_more_than_half_of_the_visible_joints_have_to_agree(wrong, matched):
    mesh = standing()
    mesh[:wrong] += 1000
    assert len(match_keypoints(mesh[None], standing()[None], SEEN).true) == matched


def test_agreement_is_within_six_tenths_of_a_head():
    diagonal = np.hypot(80, 160)
    for distance, matched in ((.142 * diagonal, True), (.144 * diagonal, False)):
        assert len(match_keypoints(standing(x=distance)[None], standing()[None], SEEN).true) == matched


def test_two_meshes_of_one_person_and_nobody():
    match = match_keypoints(np.stack([standing(5), standing(1)]), standing()[None], SEEN)
    assert match.pred.tolist() == [1]
    for meshes, poses in ((0, 2), (2, 0), (0, 0)):
        match = match_keypoints(np.zeros((meshes, 17, 2)), np.zeros((poses, 17, 2)), np.zeros((poses, 17), bool))
        assert len(match.pred) == len(match.true) == 0


def test_where_masks_overlap_the_better_one_is_in_front():
    masks = np.zeros((2, 2, 3), dtype=bool)
    masks[0, :, :2] = masks[1, :, 1:] = True
    assert id_map(masks, [.6, .9]).tolist() == [[1, 2, 2]] * 2
    assert id_map(masks, [.9, .6]).tolist() == [[1, 1, 2]] * 2
    assert id_map(masks[:0], []).tolist() == [[0, 0, 0]] * 2
