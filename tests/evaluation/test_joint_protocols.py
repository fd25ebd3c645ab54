"""CMU Panoptic and MuPoTS-3D by hand."""
import numpy as np
import pytest

from mmhuman_dto.datasets.public.panoptic import panoptic_to_h36m
from mmhuman_dto.evaluation.functional.mupots import (
    _PARENTS,
    H36M_TO_MPI,
    MuPoTSPeople,
    match_mupots,
    mupots_metrics,
    mupots_record,
    rescale_bones,
)
from mmhuman_dto.evaluation.functional.panoptic import (
    lowered_threshold,
    panoptic_errors,
    panoptic_metrics,
    sequence_name,
)

RNG = np.random.default_rng(0)
POSE = RNG.normal(size=(17, 3)) * .4
ALL = np.ones((1, 17))


def test_panoptic_order():
    points = np.arange(24 * 4, dtype=float).reshape(1, 24, 4)
    joints, confidence = panoptic_to_h36m(points)
    assert joints.shape == (1, 17, 3) and confidence.shape == (1, 17)
    np.testing.assert_allclose(joints[0, 0], [56, 57 - .06, 58])  # joint 14, the pelvis
    np.testing.assert_allclose(joints[0, 7], [64, 65, 66])        # joint 16
    assert confidence[0, 16] == 6 * 4 + 3
    assert points[0, 14, 1] == 57


def test_panoptic_errors_by_hand():
    true = np.stack([POSE, 2 * POSE]) + [0, 0, 3]
    pred = np.stack([2.1 * POSE, 1.2 * POSE]) + [5, 5, 5]
    confidence = np.ones((2, 17))
    confidence[1, 5] = .5
    length = 1000 * np.linalg.norm(POSE - POSE[0], axis=-1)
    errors = panoptic_errors(pred, true, confidence)
    # The first person is nearer to the second prediction (.2 against 1.1 too large), the second to the first.
    np.testing.assert_allclose(errors, [.2 * length.mean(), .1 * (length.sum() - length[5] / 2) / 17])
    # Only one prediction: both share it.
    shared = panoptic_errors(pred[1:], true, np.ones((2, 17)))
    np.testing.assert_allclose(shared, [.2 * length.mean(), .8 * length.mean()])


def test_panoptic_pairs_by_joints_that_everyone_shows():
    true = np.stack([POSE, POSE])
    pred = np.stack([POSE, POSE])
    pred[0, 3] += 9   # prediction 0 is wrong in joint 3 alone, prediction 1 slightly wrong elsewhere
    pred[1, 8] += .1
    everything, hidden = np.ones((2, 17)), np.ones((2, 17))
    hidden[1, 3] = 0  # person 1 does not show it, so it does not decide for person 0 either
    near = 1000 * .1 * 3**.5 / 17
    np.testing.assert_allclose(panoptic_errors(pred, true, everything), [near, near])
    np.testing.assert_allclose(panoptic_errors(pred, true, hidden), [1000 * 9 * 3**.5 / 17, 0], atol=1e-9)


@pytest.mark.parametrize('pred, true', [(0, 0), (0, 2), (2, 0)])
def test_panoptic_nobody(pred, true):
    errors = panoptic_errors(np.zeros((pred, 17, 3)), np.zeros((true, 17, 3)), np.ones((true, 17)))
    assert errors.shape == (true, ) and np.isnan(errors).all()


def image(scale, scores, sequence='mafia'):
    """One person and predictions that are ``scale`` times as large."""
    pred = np.array([size * POSE for size in scale]).reshape(-1, 17, 3)
    return dict(sequence=sequence, joints_pred=pred, scores=np.array(scores, float), joints_true=POSE[None],
                confidence=ALL)


def test_lowered_threshold_stays_in_parity_only():
    unit = 1000 * np.linalg.norm(POSE - POSE[0], axis=-1).mean()
    records = [image([1.2], [.1], 'pizza'), image([1.1, 1.5], [.2, .9])]
    # The second image: with .3 only the second prediction counts; with .075, left over from the first, the better one.
    correct, public = panoptic_metrics(records), panoptic_metrics(records, parity=True)
    assert correct['pizza'] == pytest.approx(.2 * unit) and public['pizza'] == round(.2 * unit, 1)
    assert correct['mafia'] == pytest.approx(.5 * unit) and public['mafia'] == round(.1 * unit, 1)
    assert correct['mean'] == pytest.approx(.35 * unit) and np.isnan(correct['haggling'])
    # In the other order the public figure changes, ours does not.
    assert panoptic_metrics(records[::-1], parity=True)['mafia'] == round(.5 * unit, 1)
    assert panoptic_metrics(records[::-1]) == pytest.approx(correct, nan_ok=True)


def test_threshold_is_halved_until_somebody_is_found():
    assert lowered_threshold(np.array([.9, .1])) == .3
    assert lowered_threshold(np.array([.3])) == .15
    assert lowered_threshold(np.array([.05])) == pytest.approx(.3 / 8)
    assert lowered_threshold(np.zeros(0)) == lowered_threshold(np.zeros(3)) == .3


@pytest.mark.parametrize('parity', [False, True])
def test_panoptic_without_predictions(parity):
    metrics = panoptic_metrics([image([], []), image([1.], [.5])], parity=parity)
    assert metrics['missed'] == 1 and metrics['mean'] == metrics['mafia'] == 0
    assert np.isnan(panoptic_metrics([], parity=parity)['mean'])


def test_sequence_name():
    assert sequence_name('160906_pizza1/hdImgs/00_16/x.jpg') == 'pizza' and sequence_name('other/x.jpg') is None


# MuPoTS: joints 0-13 in MPI order are scored; all of Human3.6M's but 0 (pelvis), 7 (spine) and 9 (head).

def person(offset=0., pose=POSE):
    """A person whose pixels are its x, y in mm, moved by ``offset`` px."""
    return pose, 1000 * pose[:, :2] + offset


def crowd(*people):
    joints, pixels = zip(*people) if people else (np.zeros((0, 17, 3)), np.zeros((0, 17, 2)))
    return MuPoTSPeople(np.array(joints), np.array(pixels))


SEEN = np.ones((1, 17), bool)


def test_bones_are_rescaled_from_the_hip():
    joints, target = RNG.normal(size=(2, 3, 17, 3))
    scaled = rescale_bones(joints, target)
    np.testing.assert_allclose(scaled[:, 14], joints[:, 14])
    for joint, parent in enumerate(_PARENTS):
        bone = scaled[:, joint] - scaled[:, parent]
        np.testing.assert_allclose(np.linalg.norm(bone, axis=-1),
                                   np.linalg.norm(target[:, joint] - target[:, parent], axis=-1))
        if joint != parent:
            before = joints[:, joint] - joints[:, parent]
            np.testing.assert_allclose(np.cross(bone, before), 0, atol=1e-12)
            assert ((bone * before).sum(-1) > 0).all()
    np.testing.assert_allclose(rescale_bones(3 * target, target) - 3 * target[:, 14:15], target - target[:, 14:15])
    assert np.isfinite(rescale_bones(np.zeros((1, 17, 3)), target[:1])).all()


def test_size_and_place_do_not_matter():
    record = mupots_record(crowd((1.7 * POSE + 3, person()[1])), crowd(person()), SEEN)
    assert record['pck'].tolist() == [100] and record['found'].tolist() == [True]


def wrong_wrist(x, y=0.):
    """Somebody, predicted and true, whose right wrist (joint 16, a leaf) lies .4 m from its elbow, along x in truth."""
    pose, wrong = POSE.copy(), POSE.copy()
    pose[16] = pose[15] + [.4, 0, 0]
    wrong[16] = pose[15] + .4 * np.array([x, y, 0]) / np.hypot(x, y)
    return crowd((wrong, person(pose=pose)[1])), crowd(person(pose=pose))


def test_pck_by_hand():
    # Off by twice the bone, more than 150 mm; .1 m is near enough.
    assert mupots_record(*wrong_wrist(-1), SEEN)['pck'] == pytest.approx([100 * 13 / 14])
    assert mupots_record(*wrong_wrist(1, .25), SEEN)['pck'] == [100]


def test_visibility_is_reordered_but_in_parity():
    pred, true = wrong_wrist(-1)
    hidden = SEEN.copy()
    hidden[0, 16] = False   # the wrong joint is not to be seen
    assert mupots_record(pred, true, hidden)['pck'] == [100]
    # The public evaluator takes flag 16 for the 17th joint in MPI order, which is not scored.
    assert mupots_record(pred, true, hidden, parity=True)['pck'] == pytest.approx([100 * 13 / 14])
    hidden = SEEN.copy()
    hidden[0, H36M_TO_MPI.index(16)] = False
    assert mupots_record(pred, true, hidden, parity=True)['pck'] == [100]
    assert mupots_record(pred, true, hidden)['pck'] == pytest.approx([100 * 12 / 13])


def test_each_person_in_turn_takes_the_best_free_prediction():
    true = np.stack([person(0)[1], person(20)[1]])
    far = person(45)[1]
    part = person(0)[1].copy()
    part[5:] += 500
    # 45 px off is too far for person 0, near for person 1; half of `part` is near to both.
    assert match_mupots(np.stack([far, part]), true).tolist() == [1, 0]
    assert match_mupots(np.stack([part]), true).tolist() == [0, -1]
    assert match_mupots(np.stack([person(900)[1]]), true).tolist() == [-1, -1]
    # One axis beyond 40 px is enough to be far.
    assert match_mupots(np.stack([person([0, 41])[1]]), true[:1]).tolist() == [-1]
    # Among equals the first.
    assert match_mupots(np.stack([person(5)[1], person(0)[1]]), true[:1]).tolist() == [0]


def test_missed_people_count_in_all_only():
    lost = mupots_record(crowd(), crowd(person(), person(300)), np.repeat(SEEN, 2, 0))
    found = mupots_record(crowd(person()), crowd(person()), SEEN)
    metrics = mupots_metrics([lost, found])
    assert metrics == dict(pck_all=pytest.approx(100 / 3), pck_matched=100, mismatch=2)
    assert mupots_metrics([lost, found], parity=True) == dict(pck_all=33.3, pck_matched=100, mismatch=2)


def test_people_who_show_nothing_are_left_out_but_in_parity():
    found, unseen = (mupots_record(crowd(person()), crowd(person()), seen) for seen in (SEEN, ~SEEN))
    assert mupots_metrics([found, unseen])['pck_all'] == 100
    assert np.isnan(mupots_metrics([found, unseen], parity=True)['pck_all'])


@pytest.mark.parametrize('parity', [False, True])
def test_mupots_nobody(parity):
    empty = mupots_record(crowd(), crowd(), np.zeros((0, 17), bool), parity)
    ghosts = mupots_record(crowd(person()), crowd(), np.zeros((0, 17), bool), parity)
    assert np.isnan(mupots_metrics([], parity)['pck_all'])
    assert mupots_metrics([empty, ghosts], parity)['mismatch'] == 0


def test_order_of_predictions_and_images_does_not_matter_to_mupots():
    people = [person(offset, POSE + RNG.normal(size=(17, 3)) * .05) for offset in (0, 150, 300)]
    true = crowd(*people)
    pred = crowd(*((pose + RNG.normal(size=(17, 3)) * .1, pixels + RNG.normal(size=(17, 2)) * 20)
                   for pose, pixels in people))
    seen = RNG.random((3, 17)) < .8
    plain = mupots_record(pred, true, seen)
    swapped = mupots_record(MuPoTSPeople(pred.joints[::-1], pred.pixels[::-1]), true, seen)
    np.testing.assert_array_equal(plain['pck'], swapped['pck'])
    assert 0 < plain['pck'].mean() < 100
