"""Tracklets that belong together, and those that do not."""
from dataclasses import replace

import numpy as np
import pytest
from walking_points import Errors, plain_colours, straight, watch

from mmhuman_dto.tracking import Tracker, link, track_people
from mmhuman_dto.tracking.linking import LinkConfig, Tracklet, _best_pairs
from mmhuman_dto.tracking.offline import _Book
from mmhuman_dto.tracking.seeing import Seen


def tracklets_of(frames, tracker=None):
    """Those of frames by a tracker that loses people at once."""
    tracker, book = tracker or Tracker(max_gap=.05), _Book()
    for frame in frames:
        tracker.add(frame.time, frame.observations)
        book.write(frame.time, Seen.of(frame.observations), tracker)
    return book.tracklets()


def two_who_meet(gap, turn=False):
    """Two people who cross unseen for so many frames; with ``turn`` each goes back where it came from."""
    walkers = []
    for number, (start, z) in enumerate(((-2, 6), (2, 4))):
        there = straight((start, z), (0, z), 60)
        back = straight((0, z), (start if turn else -start, z), 60)
        pelvis = np.concatenate([there.pelvis, back.pelvis])
        walkers.append(replace(there, pelvis=pelvis, colours=plain_colours(number)))
    frames = list(watch(walkers, 120, errors=replace(Errors(missed=0, false=0), hidden=2.)))
    middle = range(60 - gap // 2, 60 + gap // 2)
    return [replace(frame, observations=frame.observations[:0], owners=frame.owners[:0]) if index in middle else frame
            for index, frame in enumerate(frames)]


def owners_of(frames, tracklets):
    """Whose each tracklet is, by where it begins."""
    owners = {}
    for tracklet in tracklets:
        frame = next(frame for frame in frames if frame.time == tracklet.begin)
        distance = np.abs(frame.observations.positions[:, 2] - tracklet.head.place_mean[0, 2])
        owners[tracklet.number] = int(frame.owners[distance.argmin()])
    return owners


@pytest.mark.parametrize('gap', [10, 40])
def test_two_who_cross_unseen(gap):
    frames = two_who_meet(gap)
    tracklets = tracklets_of(frames)
    assert len(tracklets) == 4
    first, owners = link(tracklets), owners_of(frames, tracklets)
    assert len(set(first.values())) == 2
    assert all(owners[number] == owners[one] for number, one in first.items())


def test_clothes_tell_who_turned_back():
    """Ways alone would have them cross."""
    frames = two_who_meet(30, turn=True)
    frames = [replace(frame, observations=replace(frame.observations, positions=None, heights=None))
              for frame in frames]
    tracklets = tracklets_of(frames, Tracker(max_gap=.05))
    first = link(tracklets, config=LinkConfig(box=.1))
    sides = {one.number: bool(one.tail.box_mean[0, 0] > 960) for one in tracklets}
    assert len(set(first.values())) == 2
    assert all(sides[number] == sides[one] for number, one in first.items())


def test_no_links_over_long_gaps_or_cuts():
    frames = two_who_meet(30)
    tracklets = tracklets_of(frames)
    assert len(set(link(tracklets, max_gap=.9).values())) == 4
    assert len(set(link([replace(one, shot=one.number) for one in tracklets]).values())) == 4
    assert len(set(link(tracklets, config=LinkConfig(limit=-50.)).values())) == 4
    assert link([]) == {}


def test_best_pairs_by_hand():
    """0 -> 3 at 1 and 1 -> 2 at 2 is less than 0 -> 2 at 0 alone; 4 -> 5 is a group of its own, 4 -> 6 too dear."""
    before, after, costs = np.array([0, 0, 1, 4, 4]), np.array([2, 3, 2, 5, 6]), np.array([0., 1, 2, 3, 9])
    assert set(_best_pairs(before, after, costs, 5., 7)) == {(0, 3), (1, 2), (4, 5)}


def test_without_links_each_tracklet_is_somebody():
    frames = two_who_meet(30)
    taken = [(frame.time, frame.observations) for frame in frames]
    apart = track_people(taken, tracker=Tracker(max_gap=.05), config=None)
    assert set(np.concatenate(apart)) == {0, 1, 2, 3}
    assert set(np.concatenate(track_people(taken, tracker=Tracker(max_gap=.05)))) == {0, 1}
    assert set(np.concatenate(track_people(taken, tracker=Tracker(max_gap=.05), max_gap=.9))) == {0, 1, 2, 3}


def test_a_long_gap_begins_another_tracklet():
    """Although the tracker goes on after it, it is told again by both sides."""
    frames = two_who_meet(30)
    assert [len(tracklets_of(frames, Tracker()))] == [4]
    assert [len(tracklets_of(two_who_meet(10), Tracker()))] == [2]


def test_a_tracklet_says_when_and_how_surely_it_was_seen():
    frames = list(watch([straight((-1, 6), (1, 6), 20, first=5)], 40, errors=Errors.none()))
    one, = tracklets_of(frames)
    assert isinstance(one, Tracklet)
    assert (one.number, one.shot, one.hits, one.begin, one.end) == (0, 0, 20, 5 / 30, 24 / 30)
    assert one.score == pytest.approx(np.mean([frame.observations.scores for frame in frames[5:25]]))
    np.testing.assert_allclose(one.head.place.places[0], frames[5].observations.positions[0], atol=.1)
    assert one.head.place_mean[0, 3] == pytest.approx(-2 / 19 * 30, rel=.35)  # backwards
    assert one.tail.place_mean[0, 3] == pytest.approx(2 / 19 * 30, rel=.35)
