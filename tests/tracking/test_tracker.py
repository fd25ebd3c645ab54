"""Who is who among people whose ways are known."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from walking_points import Errors, crowd, plain_colours, straight, watch

from mmhuman_dto.evaluation.functional.identities import IdentityFrame, identity_metrics
from mmhuman_dto.fileio import load_npz
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import People
from mmhuman_dto.tracking import CostConfig, Observations, Tracker, track_people
from mmhuman_dto.tracking.appearance import COLOURS

#: Nothing but boxes is known.
BOXES_ONLY = dict(positions=None, heights=None, joints=None, joint_scores=None, colours=None)


def ids_of(frames, tracker=None):
    tracker = tracker or Tracker()
    return [tracker.add(frame.time, frame.observations) for frame in frames]


def by_person(frames, ids):
    """{true person: the ids it had, in order, without repeats}."""
    had = {}
    for frame, row in zip(frames, ids):
        for owner, number in zip(frame.owners.tolist(), row.tolist()):
            if number >= 0 and had.setdefault(owner, [number])[-1] != number:
                had[owner].append(number)
    return had


def scores_of(frames, ids):
    return identity_metrics([[IdentityFrame(
        frame.ids, row[row >= 0], box_iou(frame.boxes, frame.observations.boxes[row >= 0]))
        for frame, row in zip(frames, ids)]])


@pytest.fixture(scope='module')
def clip():
    return list(watch(crowd(3, seconds=6.), 180, seed=3))


@pytest.mark.parametrize('known', ['all', 'boxes'])
def test_people_who_cross_keep_their_ids(known):
    """The same height and clothes, at other distances: only their ways tell them apart."""
    walkers = [straight((-2, 6), (2, 6), 120, colours=plain_colours(1)),
               straight((2, 5), (-2, 5), 120, colours=plain_colours(1), phase=2.)]
    frames = list(watch(walkers, 120, errors=Errors(missed=0, false=0)))
    assert min(len(frame.owners) for frame in frames) == 1  # one hides the other on the way
    if known == 'boxes':
        frames = [replace(frame, observations=replace(frame.observations, **BOXES_ONLY)) for frame in frames]
    assert sorted(map(tuple, by_person(frames, ids_of(frames)).values())) == [(0, ), (1, )]


@pytest.mark.parametrize(('gap', 'same'), [(1.9, True), (2.5, False)])
def test_out_of_sight_for_up_to_two_seconds(gap, same):
    frames = list(watch([straight((-2, 6), (2, 6), 150)], 150, errors=Errors.none()))
    hidden = range(30, 30 + round(gap * 30) - 1)
    frames = [replace(frame, observations=frame.observations[:0], owners=frame.owners[:0]) if index in hidden else frame
              for index, frame in enumerate(frames)]
    assert by_person(frames, ids_of(frames)) == {0: [0] if same else [0, 1]}
    offline = track_people([(frame.time, frame.observations) for frame in frames])
    assert by_person(frames, offline) == {0: [0] if same else [0, 1]}


def test_who_comes_into_view_is_new_and_who_left_is_gone():
    walkers = [straight((-1, 6), (-1, 5), 30), straight((1, 6), (1, 5), 60, first=50)]
    frames = list(watch(walkers, 110, errors=Errors.none()))
    ids = ids_of(frames)
    assert by_person(frames, ids) == {0: [0], 1: [1]}
    # The first frames of somebody are nobody's yet, and are known afterwards.
    assert [row.tolist() for row in ids[:4]] == [[-1], [-1], [0], [0]]
    offline = track_people([(frame.time, frame.observations) for frame in frames])
    assert all(row.tolist() == frame.owners.tolist() for frame, row in zip(frames, offline))


def test_the_same_after_a_resume(clip, tmp_path):
    whole = ids_of(clip)
    tracker = Tracker()
    first = ids_of(clip[:77], tracker)
    np.savez(tmp_path / 'state.npz', **tracker.state())
    with load_npz(tmp_path / 'state.npz') as state:
        rest = ids_of(clip[77:], Tracker.from_state(state))
    assert max(row.max(initial=-1) for row in whole) >= 4
    for one, other in zip(whole, first + rest, strict=True):
        np.testing.assert_array_equal(one, other)


def test_batches_are_frames_one_by_one(clip):
    """Whatever was taken before and after, a state stands between two frames as well as none."""
    whole, tracker, pieces = ids_of(clip), Tracker(), []
    for first in range(0, len(clip), 13):
        pieces += ids_of(clip[first:first + 13], tracker)
        tracker = Tracker.from_state(tracker.state())
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_order_of_people_does_not_matter(clip):
    rng = np.random.default_rng(1)
    orders = [rng.permutation(len(frame.observations)) for frame in clip]
    mixed = [replace(frame, observations=frame.observations[order]) for frame, order in zip(clip, orders)]
    for take in (ids_of, lambda frames: track_people([(frame.time, frame.observations) for frame in frames])):
        for one, other, order in zip(take(clip), take(mixed), orders):
            np.testing.assert_array_equal(one[order], other)


def test_the_picture_may_have_any_size(clip):
    small = [replace(frame, observations=replace(frame.observations, boxes=frame.observations.boxes / 3,
                                                 joints=frame.observations.joints / 3)) for frame in clip]
    for one, other in zip(ids_of(clip), ids_of(small)):
        np.testing.assert_array_equal(one, other)


def test_ids_in_a_crowd():
    """Seeds that nothing was tuned on."""
    frames = [list(watch(crowd(seed), 360, seed=seed)) for seed in (20, 21)]
    online = [scores_of(clip, ids_of(clip)) for clip in frames]
    offline = [scores_of(clip, track_people([(f.time, f.observations) for f in clip]))
               for clip in frames]
    assert np.mean([one['idf1'] for one in online]) > 89
    assert np.mean([one['idf1'] for one in offline]) > np.mean([one['idf1'] for one in online])
    assert np.mean([one['mota'] for one in offline]) > 88


def test_a_new_shot_has_new_people():
    frames = list(watch([straight((-1, 6), (1, 6), 60)], 60, errors=Errors.none()))
    tracker = Tracker()
    before = ids_of(frames[:30], tracker)
    tracker.cut()
    after = ids_of(frames[30:], tracker)
    assert (before[-1].tolist(), after[-1].tolist()) == ([0], [1])
    offline = track_people([(frame.time, frame.observations) for frame in frames], cuts=[30])
    assert [row.tolist() for row in offline] == [[0]] * 30 + [[1]] * 30


def test_who_flickers_is_nobody():
    """Somebody seen for four frames, not clearly; with clear ones it is a person."""
    frames = list(watch([straight((-1, 6), (1, 6), 60), straight((1, 4), (1, 4), 4, first=20)], 60,
                        errors=Errors.none()))
    for score, people in ((.45, {0: [0]}), (.9, {0: [0], 1: [1]})):
        taken = [(frame.time, replace(frame.observations, scores=np.where(frame.owners == 1, score, .9)))
                 for frame in frames]
        assert by_person(frames, track_people(taken)) == people


def test_low_scores_carry_on_but_begin_nobody():
    frames = list(watch([straight((-1, 6), (1, 6), 60), straight((1, 4), (1, 4), 60)], 60, errors=Errors.none()))
    faint = [replace(frame, observations=replace(frame.observations, scores=np.where(
        frame.owners == 1, .3, .9 if index < 20 else .25))) for index, frame in enumerate(frames)]
    assert by_person(faint, ids_of(faint)) == {0: [0]}
    assert all(0 in row for row in ids_of(faint)[3:])
    assert all((row[frame.owners == 1] == -1).all() for frame, row in zip(faint, ids_of(faint)))


def test_camera_that_turns_away_and_comes_back():
    """Without its poses somebody who stands moves 2.7 m; with them, not at all."""
    frames = list(watch([straight((0, 6), (0, 6), 90)], 90, errors=Errors.none()))
    tracker = Tracker(config=CostConfig(box=0, joints=0, gate_iou=2.))
    for index, frame in enumerate(frames):
        angle = np.deg2rad(25) * np.sin(np.pi * index / 45)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        pose = np.block([[turn, np.array([[.3 * angle], [0], [0]])], [np.zeros((1, 3)), np.ones((1, 1))]])
        seen = replace(frame.observations, positions=frame.observations.positions @ turn.T + [.3 * angle, 0, 0])
        ids = tracker.add(frame.time, seen, pose)
    assert ids.tolist() == [0]
    np.testing.assert_allclose(tracker.tracks.place.places[0], frames[0].observations.positions[0], atol=.01)
    np.testing.assert_allclose(tracker.tracks.place_mean[0, 3:], 0, atol=.01)


def test_tensors_and_what_is_not_known():
    boxes = torch.tensor([[0., 0, 50, 100], [100, 0, 150, 100]])
    tracker = Tracker(min_hits=1)
    assert tracker.add(0., Observations(boxes)).tolist() == [0, 1]
    assert tracker.add(.1, Observations(boxes[[1]], positions=torch.full((1, 3), torch.nan))).tolist() == [1]
    assert tracker.add(.2, Observations(boxes[:0])).tolist() == []
    assert tracker.add(.3, Observations(boxes + 2, positions=torch.tensor([[0., 0, 5], [1, 0, 5]]))).tolist() == [0, 1]


def test_observations_of_people():
    """Places and poses are the skeleton's, heights the body's where nobody says them, joints those of the picture."""
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    people = People(bboxes=torch.tensor([[0., 0, 50, 100]]), scores=torch.tensor([.7]),
                    keypoints_2d=torch.ones(1, 17, 2), keypoints_2d_valid=torch.full((1, 17), .5),
                    global_orient=torch.zeros(1, 3),
                    body_pose=torch.zeros(1, 23, 3), betas=torch.zeros(1, body_model.num_betas),
                    transl=torch.tensor([[1., 0, 5]]), depths_std=torch.tensor([.9]))
    seen = Observations.of_people(people, body_model, np.full((1, COLOURS), .05))
    joints = body_model.skeleton(people.pose, people.betas, people.transl)[0]
    np.testing.assert_allclose(seen.positions[0], joints[0])
    np.testing.assert_allclose(seen.pose[0], joints - joints[0], atol=1e-6)
    assert seen.heights[0] == pytest.approx(float(body_model.height(people.betas)))
    assert (seen.scores[0], seen.joint_scores[0, 3], seen.joints[0, 3, 1], seen.colours[0, 0]) == pytest.approx(
        (.7, .5, 1, .05))
    assert np.isnan(seen.depth_stds).all()
    people.heights = torch.tensor([1.5])
    assert Observations.of_people(people, body_model).heights.tolist() == [1.5]
    assert np.isnan(Observations.of_people(people[:0]).positions).shape == (0, 3)


def test_what_cannot_be():
    with pytest.raises(ValueError, match=r'positions of 2 people have the shape \(2, 2\), expected \(2, 3\)'):
        Observations(np.zeros((2, 4)), np.zeros((2, 2)))
    tracker = Tracker()
    tracker.add(1., Observations(np.zeros((0, 4))))
    with pytest.raises(ValueError, match='1 s comes after one at 1 s; times have to rise'):
        tracker.add(1., Observations(np.zeros((0, 4))))
