import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.relative_human import (
    age_groups,
    layer_accuracy,
    relative_human_metrics,
    relative_human_record,
    right_keypoints,
)

# A person of 14 joints in a box of 60 x 80 px, so that joints count within .143 * 100 = 14.3 px.
SHAPE = np.stack([np.linspace(0, 60, 14), np.linspace(0, 80, 14)], -1)


def people(*corners):
    return np.array([SHAPE + corner for corner in corners]).reshape(-1, 14, 2)


def record(pred, z, true, layers, ages, visible=None, parity=False):
    visible = np.ones((len(true), 14), bool) if visible is None else visible
    return relative_human_record(pred, np.asarray(z, float), true, visible, np.asarray(layers, int),
                                 np.asarray(ages, int), parity)


PLACES = [(0, 0), (200, 0), (400, 0), (600, 0)]


@pytest.mark.parametrize('parity', [False, True])
def test_depth_relations_by_age(parity):
    # Four adults, teens, ...: person 0 adult layer 0, 1 kid layer 0, 2 adult layer 1, 3 baby unknown layer.
    z = [2., 2.1, 2.25, 9.]
    found = record(people(*PLACES), z, people(*PLACES), [0, 0, 1, -1], [0, 2, 0, 3], parity=parity)
    # 0-1 level and .1 apart: right. 0-2: .25 apart: right. 1-2: .15 apart: wrong. Nobody missed.
    metrics = relative_human_metrics([found], parity)
    assert metrics['pcdr'] == pytest.approx(200 / 3, abs=.005)
    assert metrics['pcdr_adult'] == pytest.approx(200 / 3, abs=.005)
    assert metrics['pcdr_kid'] == 50
    assert np.isnan(metrics['pcdr_teen']) and np.isnan(metrics['pcdr_baby'])
    assert metrics['precision'] == metrics['recall'] == metrics['f1'] == metrics['mpckh'] == 100


def test_missed_people_count_as_three_tenths_of_a_pair():
    # Persons 0 and 1 are found and right; 2 (teen) and 3 (unknown layer, kid) are missed.
    args = people(*PLACES[:2]), [2., 3.], people(*PLACES), [0, 1, 1, -1], [0, 0, 1, 2]
    metrics = relative_human_metrics([record(*args)])
    assert metrics['pcdr'] == pytest.approx(100 / 1.3)
    assert metrics['pcdr_adult'] == 100 and metrics['pcdr_teen'] == 0 and np.isnan(metrics['pcdr_kid'])
    assert (metrics['precision'], metrics['recall']) == (100, 50) and metrics['f1'] == pytest.approx(200 / 3)
    # The public evaluator also counts the person of unknown layer, and takes predictions for people:
    # tp = 2 predictions - 2 missed = 0.
    metrics = relative_human_metrics([record(*args, parity=True)], parity=True)
    assert metrics['pcdr'] == round(100 / 1.6, 2) and metrics['pcdr_kid'] == 0
    assert metrics['precision'] != 100 and metrics['recall'] == metrics['f1'] == 0


def test_public_precision_recall():
    # 5 predictions, 3 match; 4 people, 1 missed: tp = 5 - 1 = 4, fp = 2.
    pred = people(*PLACES[:3], (0, 900), (300, 900))
    data = record(pred, np.ones(5), people(*PLACES), [0] * 4, [0] * 4, parity=True)
    metrics = relative_human_metrics([data], parity=True)
    assert metrics['precision'] == pytest.approx(67) and metrics['recall'] == pytest.approx(80)
    assert metrics['f1'] == pytest.approx(73)
    data = record(pred, np.ones(5), people(*PLACES), [0] * 4, [0] * 4)
    metrics = relative_human_metrics([data])
    assert (metrics['precision'], metrics['recall']) == (60, 75)
    assert metrics['f1'] == pytest.approx(100 * 6 / 9)


def test_keypoints_by_hand():
    pred, visible = people((0, 0)), np.ones((1, 14), bool)
    pred[0, 2] += [14.2, 0]
    pred[0, 3] += [0, 14.4]
    pred[0, 4] += [100, 100]
    visible[0, 4] = False
    assert right_keypoints(pred, people((0, 0)), visible) == pytest.approx([12 / 13])
    # The box, and with it the radius, is that of the visible joints: without the last joint it is smaller.
    visible[0, -1] = False
    assert right_keypoints(pred, people((0, 0)), visible) == pytest.approx([10 / 12])
    assert right_keypoints(people(), people(), np.zeros((0, 14), bool)).shape == (0, )


def test_one_visible_joint_has_no_scale():
    visible = np.zeros((1, 14), bool)
    visible[0, 0] = True
    assert np.isnan(right_keypoints(people((0, 0)), people((0, 0)), visible)).all()
    good = record(people((0, 0)), [1.], people((0, 0)), [0], [0])
    hard = dict(good, keypoints=np.array([np.nan]))
    assert relative_human_metrics([good, hard])['mpckh'] == 100
    assert relative_human_metrics([good, hard], parity=True)['mpckh'] == 0  # the mean of 1 and -1


def test_people_without_a_visible_joint():
    visible = np.ones((2, 14), bool)
    visible[1] = False
    args = dict(true=people(*PLACES[:2]), layers=[0, 1], ages=[0, 0], visible=visible)
    for parity, found_nobody in ((False, 1), (True, 2)):
        assert record(people((0, 0)), [1.], **args, parity=parity)['num_true'] == 1
        assert record(people(), [], **args, parity=parity)['num_true'] == found_nobody


@pytest.mark.parametrize('parity', [False, True])
def test_nobody(parity):
    empty = record(people(), [], people(), [], [], parity=parity)
    ghosts = record(people((0, 0), (99, 0)), [1., 2.], people(), [], [], parity=parity)
    lost = record(people(), [], people((0, 0)), [0], [1], parity=parity)
    assert all(np.isnan(value) for value in relative_human_metrics([], parity).values())
    assert all(np.isnan(value) for value in relative_human_metrics([empty], parity).values())
    metrics = relative_human_metrics([empty, ghosts, lost], parity)
    assert metrics['pcdr'] == metrics['pcdr_teen'] == 0 and np.isnan(metrics['mpckh'])
    if not parity:
        assert metrics['precision'] == metrics['recall'] == 0


def random_image(seed):
    rng = np.random.default_rng(seed)
    true = people(*rng.uniform(0, 400, (6, 2)))
    pred = true[rng.permutation(6)[:5]] + rng.normal(size=(5, 14, 2)) * 8
    layers, ages = rng.integers(-1, 4, (2, 6))
    return [pred, rng.uniform(1, 4, 5)], [true, layers, ages, rng.random((6, 14)) < .8]


@pytest.mark.parametrize('parity', [False, True])
def test_order_of_people_and_images_does_not_matter(parity):
    def figures(shuffle):
        rng, records = np.random.default_rng(9), []
        for seed in range(6):
            pred, true = random_image(seed)
            if shuffle:
                pred, true = ([x[order] for x in side] for side in (pred, true)
                              for order in [rng.permutation(len(side[0]))])
            (joints, z), (true_joints, layers, ages, visible) = pred, true
            records.append(record(joints, z, true_joints, layers, ages, visible, parity))
        return relative_human_metrics(records[::-1] if shuffle else records, parity)

    assert figures(True) == pytest.approx(figures(False), nan_ok=True)


def test_accuracy_by_layer():
    found = record(people(*PLACES[:3]), [1., 2., 3.], people(*PLACES[:3]), [0, 1, 1], [0] * 3)
    # 0-1 and 0-2: the first nearer, right; 1-2: same layer but 1 m apart.
    assert layer_accuracy([found]) == pytest.approx(dict(equal=0, close=np.nan, far=100), nan_ok=True)


def test_age_groups():
    assert age_groups([40, 15, 14.9, 8, 7.9, 3, 2.9, 0, np.nan]).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, -1]


def test_hidden_joints_sit_in_the_corner_in_parity():
    visible = np.ones((1, 14), bool)
    visible[0, 5] = False

    def found(place, parity):
        person = people((place, place))
        return len(record(person, [1.], person, [0], [0], visible, parity)['keypoints'])

    # The person's box of 61 x 81 px has an IoU of .05 with one that reaches to (-2, -2) where (place + 63) (place + 83)
    # is 61 * 81 / .05, at 241.5 px.
    assert found(241, parity=True) == 1 and found(242.5, parity=True) == 0
    assert found(242.5, parity=False) == found(2000, parity=False) == 1
