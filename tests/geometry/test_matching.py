from itertools import permutations

import numpy as np
import pytest

from mmhuman_dto.geometry.matching import box_iou, joint_boxes, match_people


def person(x, y, size=100.):
    """Five joints in a square."""
    return np.array([[x, y], [x + size, y], [x, y + size], [x + size, y + size], [x + size / 2, y + size / 2]])


def test_box_iou_by_hand():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6], [np.nan] * 4, [1, 1, 1, 1]])
    np.testing.assert_allclose(box_iou(boxes[:1], boxes), [[1, 1 / 3, 0, 0, 0]])


def test_boxes_of_visible_joints():
    joints = np.stack([person(0, 0), person(10, 10)])
    visible = np.ones((2, 5), bool)
    visible[0, [1, 3]] = False
    visible[1] = False
    boxes = joint_boxes(joints, visible)
    np.testing.assert_allclose(boxes[0], [0, 0, 50, 100])
    assert np.isnan(boxes[1]).all()


@pytest.mark.parametrize('seed', range(40))
def test_as_many_pairs_as_possible_and_of_these_the_least_sum_of_errors(seed):
    rng = np.random.default_rng(seed)
    pred, true = (np.stack([person(*place) for place in rng.uniform(0, 120, (3, 2))]) for _ in range(2))
    error = np.linalg.norm(pred[:, None] - true, axis=-1).mean(-1)
    allowed = box_iou(*(joint_boxes(people, np.ones((len(people), 5), bool)) for people in (pred, true))) >= .1
    pairings = [[(p, t) for t, p in enumerate(order) if allowed[p, t]] for order in permutations(range(3))]
    best = min(pairings, key=lambda pairs: (-len(pairs), sum(error[pair] for pair in pairs)))
    assert list(zip(*match_people(pred, true, np.ones((3, 5), bool)))) == best


@pytest.mark.parametrize('order', [[0, 1, 2], [2, 0, 1]])
def test_order_does_not_matter(order):
    true = np.stack([person(0, 0), person(300, 0), person(0, 300)])
    matches = match_people(true[order] + 3, true, np.ones((3, 5), bool))
    assert [order[p] for p in matches.pred] == list(matches.true) == [0, 1, 2]


def test_far_predictions_and_hidden_people_are_no_match():
    true = np.stack([person(0, 0), person(300, 0)])
    visible = np.ones((2, 5), bool)
    visible[1] = False
    matches = match_people(np.stack([person(900, 900), person(301, 0), person(5, 0)]), true, visible)
    assert list(matches.pred) == [2] and list(matches.true) == [0]


@pytest.mark.parametrize('p, t', [(0, 0), (0, 2), (2, 0)])
def test_nobody(p, t):
    matches = match_people(np.zeros((p, 5, 2)), np.zeros((t, 5, 2)), np.ones((t, 5), bool))
    assert len(matches.pred) == len(matches.true) == 0
