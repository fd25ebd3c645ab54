"""Who is who through a video: numbers counted by hand."""
import numpy as np
import pytest

from mmhuman_dto.evaluation.functional.identities import IdentityFrame, identity_metrics, place_similarity
from mmhuman_dto.registry import METRICS
from mmhuman_dto.structures import HumanDataSample, People


def frames_of(*rows):
    """Frames (true ids, predicted ids, alike): ``alike`` are the pairs (true, pred) of similarity .8, others' is 0."""
    for true, pred, alike in rows:
        similarity = np.zeros((len(true), len(pred)))
        for one, other in alike:
            similarity[true.index(one), pred.index(other)] = .8
        yield IdentityFrame(np.array(true, int), np.array(pred, int), similarity)


def test_all_right():
    figures = identity_metrics([list(frames_of(*[([1, 2], [7, 5], [(1, 5), (2, 7)])] * 4))])
    assert figures == dict(idf1=100, idp=100, idr=100, mota=100, hota=pytest.approx(100 * 16 / 19), switches=0,
                           fragmentations=0, misses=0, false_positives=0, people=8)


def test_a_swap_by_hand():
    """Two people over five frames whose ids are swapped after the third: 6 of 10 right, two switches."""
    right, swapped = ([1, 2], [5, 7], [(1, 5), (2, 7)]), ([1, 2], [5, 7], [(1, 7), (2, 5)])
    figures = identity_metrics([list(frames_of(right, right, right, swapped, swapped))])
    assert (figures['idf1'], figures['switches'], figures['mota']) == (60, 2, pytest.approx(80))
    # All found: the association is the mean of A = 3 / 7 for six and 2 / 8 for four pairs, up to similarity .8.
    association = (6 * 3 / 7 + 4 * 2 / 8) / 10
    assert figures['hota'] == pytest.approx(100 * np.sqrt(association) * 16 / 19)


def test_misses_false_ones_and_gaps_by_hand():
    """One person, five frames: found, missed beside a false one, found, found as another, found."""
    figures = identity_metrics([list(frames_of(
        ([1], [5], [(1, 5)]), ([1], [6], []), ([1], [5], [(1, 5)]), ([1], [9], [(1, 9)]), ([1], [5], [(1, 5)])))])
    # 5 is the person in 3 of 5 annotated and 5 predicted frames.
    assert (figures['idp'], figures['idr'], figures['idf1']) == (60, 60, 60)
    assert (figures['misses'], figures['false_positives'], figures['switches']) == (1, 1, 2)
    assert (figures['fragmentations'], figures['mota']) == (1, pytest.approx(100 * (5 - 1 - 1 - 2) / 5))


def test_who_was_followed_before_stays_though_another_is_nearer():
    frames = list(frames_of(([1], [5], [(1, 5)]), ([1], [5, 6], [(1, 5), (1, 6)])))
    frames[1].similarity[:] = [[.6, .9]]
    assert identity_metrics([frames])['switches'] == 0
    frames[1].similarity[:] = [[.4, .9]]
    assert identity_metrics([frames])['switches'] == 1


def test_videos_have_their_own_ids():
    one = list(frames_of(([1], [5], [(1, 5)])))
    other = list(frames_of(([1], [6], [(1, 6)])))
    assert identity_metrics([one, other])['idf1'] == 100
    assert identity_metrics([one + other])['idf1'] == 50


def test_nobody():
    assert np.isnan(identity_metrics([])['idf1'])
    figures = identity_metrics([list(frames_of(([1], [], []), ([1], [], [])))])
    assert (figures['idf1'], figures['mota'], figures['misses'], figures['hota']) == (0, 0, 2, 0)


def test_places_by_distance():
    true, pred = np.array([[0., 0, 5]]), np.array([[0., 0, 5], [1, 0, 5], [0, 3, 5]])
    np.testing.assert_allclose(place_similarity(true, pred), [[1, .5, 0]])


@pytest.mark.parametrize('by', ['boxes', 'places'])
def test_metric_over_samples(by):
    """Two videos of three frames; in the second one the ids change, somebody is nobody's, and somebody is not sure."""
    metric = METRICS.build(dict(type='IdentityMetric', by=by, threshold=.3))
    boxes, places = np.array([[0., 0, 50, 100], [100, 0, 150, 100]]), np.array([[0., 0, 5], [2, 0, 5]])
    for video, ids in (('a', [(4, 3)] * 3), ('b', [(4, 3), (3, 4), (-1, 4)])):
        for frame, (first, second) in enumerate(ids):
            sample = HumanDataSample(metainfo=dict(img_id=f'{video}/{frame:06d}'))
            sample.gt_instances = People(track_ids=np.array([1, 2]), bboxes=boxes, transl=places)
            sample.pred_instances = People(
                track_ids=np.array([second, first, 8]), bboxes=boxes[[1, 0, 0]] + 2, transl=places[[1, 0, 0]] + .05,
                scores=np.array([.9, .8, .2]))
            metric.process(None, [sample.to_dict()])
    figures = metric.evaluate(6)
    assert figures['identity/switches'] == 2
    assert (figures['identity/misses'], figures['identity/false_positives'], figures['identity/people']) == (1, 0, 12)
    # Video a: 6 of 6; video b: 1 is best 4 (1 frame) and 2 is 4 (2 frames): 2 -> 4, 1 -> 3: 3 of 6, of 5 predicted.
    assert figures['identity/idf1'] == pytest.approx(100 * 2 * (6 + 3) / (12 + 11))


def test_metric_names_what_it_compares_by():
    with pytest.raises(ValueError, match="by='masks': people are compared by 'boxes' or by 'places'"):
        METRICS.build(dict(type='IdentityMetric', by='masks'))
