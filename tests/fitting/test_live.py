"""People fitted as frames come."""
import math

import numpy as np
import pytest
import torch
from fitted_people import around_hips, jerk, seen, walking

from mmhuman_dto.evaluation.functional.pose import mpjpe
from mmhuman_dto.fitting import FitState, LiveFit, TemporalFit
from mmhuman_dto.fitting.live import MEMORY
from mmhuman_dto.geometry import geodesic_distance

FPS = 30.


@pytest.fixture(scope='module')
def temporal(quick_fit):
    return TemporalFit(quick_fit)


def watched(live, tracks):
    """What a :class:`LiveFit` tells of people in frames, {name: track}."""
    told = []
    for row in range(max(len(track.times) for track in tracks.values())):
        there = [name for name, track in tracks.items() if row < len(track.times)]
        joints = [torch.stack([getattr(tracks[name], field)[row] for name in there])
                  for field in ('keypoints', 'scores')]
        frame = live.add(row / FPS, there, *joints, tracks[there[0]].intrinsics[row])
        told += [] if frame is None else [frame]
    return told + live.finish()


def of(frames, name):
    """:class:`FitState` of one person in the frames that tell of it."""
    return FitState.cat([frame.result.state.rows([frame.track_ids.index(name)]) for frame in frames
                         if name in frame.track_ids])


def test_with_much_lag_it_is_the_fit_of_a_video(temporal):
    tracks = {'a': seen(temporal.fit, walking(14, seed=1)), 'b': seen(temporal.fit, walking(10, seed=2))}
    whole = temporal(list(tracks.values()))
    betas = {name: result.state.betas[0] for name, result in zip(tracks, whole)}
    frames = watched(LiveFit(temporal, lag=60, steps=4, betas=betas), tracks)
    assert [round(frame.time * FPS) for frame in frames] == [*range(14)]
    assert [frame.track_ids for frame in frames] == [['a', 'b']] * 14
    assert [frame.seen.tolist() for frame in frames] == [[True, True]] * 10 + [[True, False]] * 4
    for name, result in zip(tracks, whole):
        count = len(result.heights)
        ours = of(frames, name).rows(slice(count))
        away = geodesic_distance(ours.rotations, result.state.rotations)
        assert away[:count - 3].max() < math.radians(3) and away.mean() < math.radians(.5)
        assert (ours.position - result.state.position).norm(dim=-1).max() < .05


@pytest.mark.parametrize('lag', [0, 6])
def test_frames_are_told_in_time(temporal, lag):
    """Smoother than frames by themselves and no worse; each frame once, ``lag`` frames later."""
    truth = walking(30, seed=3)
    track = seen(temporal.fit, truth, noise=4.)
    live, frames = LiveFit(temporal, lag=lag), []
    for row in range(30):
        frame = live.add(row / FPS, [7], track.keypoints[row:row + 1], track.scores[row:row + 1], track.intrinsics[row])
        assert (frame is None) == (row < lag)
        frames += [] if frame is None else [frame]
    assert len(frames) == 30 - lag and frames[0].seen.tolist() == [True]
    frames += live.finish()
    assert [round(frame.time * FPS) for frame in frames] == [*range(30)]
    ours = around_hips(temporal.fit, of(frames, 7))
    single, right = (around_hips(temporal.fit, state) for state in (temporal.fit(*track[:3]).state, truth))
    assert jerk(ours) < (.3 if lag == 0 else .1) * jerk(single)
    assert mpjpe(ours, right)[10:].mean() < 1.02 * mpjpe(single, right)[10:].mean()


def test_memory_and_time_do_not_grow(temporal):
    track = seen(temporal.fit, walking(20))
    live = LiveFit(temporal, lag=2)
    for row in range(20):
        live.add(row / FPS, [0], track.keypoints[row:row + 1], track.scores[row:row + 1], track.intrinsics[row])
        person, = live.people
        assert len(person.track.times) == len(person.state.betas) == min(row + 1, MEMORY + 1)
        assert len(live.times) <= 3 and (person.before is None or len(person.before.times) <= 2)
    assert person.before.times.tolist() == pytest.approx([5 / FPS, 6 / FPS])


def test_people_who_are_not_found_are_expected_for_a_while(temporal):
    """Three frames of ten a second without: told, as not seen, without a jump; two seconds later forgotten; who comes
    back then is anew."""
    track, lost = seen(temporal.fit, walking(20, fps=10., seed=4), fps=10.), range(10, 13)
    live, frames = LiveFit(temporal), []
    for row in range(20):
        there = slice(row, row + (row not in lost))
        names = [] if row in lost else ['x']
        frames.append(live.add(row / 10, names, track.keypoints[there], track.scores[there], track.intrinsics[row]))
    assert [bool(frame.seen[0]) for frame in frames] == [row not in lost for row in range(20)]
    joints = temporal.fit.tables.joints(of(frames, 'x')).numpy()
    moved = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(1)
    assert moved[8:14].max() < 1.5 * moved[14:].max() + .1
    nobody = [live.add(2 + row / 10, [], track.keypoints[:0], track.scores[:0], track.intrinsics[0])
              for row in range(22)]
    assert [frame.track_ids for frame in nobody] == [['x']] * 20 + [[]] * 2 and nobody[-1].result is None
    again = live.add(5., ['x'], track.keypoints[:1], track.scores[:1], track.intrinsics[0])
    assert again.track_ids == ['x'] and len(live.people[0].track.times) == 1


def test_whoever_faces_the_other_way_in_the_first_frames_is_turned(temporal):
    """The first frames' joints have their sides exchanged."""
    truth = walking(30, seed=3)
    track = seen(temporal.fit, truth)
    order = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    track.keypoints[:4] = track.keypoints[:4][:, order]
    result = of(watched(LiveFit(temporal), {0: track}), 0)
    away = geodesic_distance(result.rotations[:, 0], truth.rotations[:, 0])
    assert away[-5:].max() < .5


def test_frames_out_of_order_are_refused(temporal):
    track, live = seen(temporal.fit, walking(1)), LiveFit(temporal)
    joints = track.keypoints, track.scores, track.intrinsics[0]
    live.add(1., [0], *joints)
    with pytest.raises(ValueError, match='a frame at 1.0 s after one at 1.0 s'):
        live.add(1., [0], *joints)
