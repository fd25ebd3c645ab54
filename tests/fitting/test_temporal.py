"""People fitted through time: smooth, without lag, whole where little is seen."""
import math

import numpy as np
import pytest
import torch
from fitted_people import K, around_hips, jerk, seen, walking

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.evaluation.functional.pose import mpjpe
from mmhuman_dto.fitting import JointTrack, KeypointFit, TemporalFit
from mmhuman_dto.fitting.kinematics import FitState
from mmhuman_dto.fitting.solver import solve
from mmhuman_dto.geometry import axis_angle_to_matrix, geodesic_distance
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic.poses import LIMITS, random_poses

FPS = 30.


@pytest.fixture(scope='module')
def temporal(quick_fit):
    return TemporalFit(quick_fit)


def test_walking_is_smoother_and_nearer_the_truth(temporal):
    """Than frames by themselves; and of one shape."""
    fit, truth = temporal.fit, [walking(60, seed=seed) for seed in (0, 1)]
    tracks = [seen(fit, state, noise=4.) for state in truth]
    for result, track, true in zip(temporal(tracks), tracks, truth):
        single = fit(*track[:3])
        ours, theirs, right = (around_hips(fit, state) for state in (result.state, single.state, true))
        assert mpjpe(ours, right).mean() < .92 * mpjpe(theirs, right).mean()
        assert jerk(ours) < .02 * jerk(theirs)
        assert (result.state.betas == result.state.betas[0]).all() and (result.heights == result.heights[0]).all()
        assert all(torch.isfinite(field).all() for field in (*result.state, *result[1:]))


def test_who_stands_still_stands_still(temporal):
    truth = walking(1, seed=3).rows([0] * 40)
    result, = temporal([seen(temporal.fit, truth, noise=0.)])
    joints = temporal.fit.tables.joints(result.state)
    assert (joints - joints[:1]).norm(dim=-1).max() < 1e-3
    noisy, = temporal([seen(temporal.fit, truth, noise=3.)])
    joints = temporal.fit.tables.joints(noisy.state)
    assert (joints[1:] - joints[:-1]).norm(dim=-1).mean() < 4e-3


def test_single_frame_is_the_fits(temporal):
    """With as many steps from there; what is stated too."""
    fit, track = temporal.fit, seen(temporal.fit, walking(1))
    result, = temporal([track])
    terms = [fit.picture(*track[:3]), *fit.priors()]
    expected = fit.result(*solve(fit.tables, terms, fit(*track[:3]).state, temporal.steps), terms)
    for ours, theirs in zip((*result.state, *result[1:]), (*expected.state, *expected[1:])):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_order_of_people_does_not_matter(temporal):
    tracks = [seen(temporal.fit, walking(count, seed=count)) for count in (20, 33, 12)]
    there, back = temporal(tracks), temporal(tracks[::-1])[::-1]
    for one, other in zip(there, back):
        for ours, theirs in zip((*one.state, one.cost), (*other.state, other.cost)):
            torch.testing.assert_close(ours, theirs, atol=1e-7, rtol=1e-7)
    alone, = temporal(tracks[1:2])
    torch.testing.assert_close(alone.state.rotations, there[1].state.rotations, atol=1e-7, rtol=0)


def test_what_is_not_seen_for_a_while_is_bridged(temporal):
    """An arm for half a second, everything for another one: no jump, and a pose between."""
    fit, truth = temporal.fit, walking(90, seed=5)
    track = seen(fit, truth)
    whole, = temporal([track])
    track.scores[20:36, [5, 7, 9]] = 0
    track.scores[50:66] = 0
    track.keypoints[50:66] = math.nan
    result, = temporal([track])
    ours, theirs, right = (around_hips(fit, state) for state in (result.state, whole.state, truth))
    assert jerk(ours) < 1.5 * jerk(theirs)
    step = np.linalg.norm(np.diff(ours, axis=0), axis=-1).max()
    assert step < 1.3 * np.linalg.norm(np.diff(theirs, axis=0), axis=-1).max()
    assert mpjpe(ours, right)[50:66].mean() < mpjpe(theirs, right).mean() + 60
    away = (result.state.position - whole.state.position).norm(dim=-1)
    assert away[50:66].max() < .15


def test_bones_that_nothing_tells_of_between(temporal):
    """From a frame that tells to the next, of a gap that is not too long; feet are never told of."""
    times = torch.tensor([0, .1, .2, .3, 2.4, 4.5], dtype=torch.float64)
    scores = torch.ones(6, 17)
    scores[1, 15] = scores[:2, 9] = scores[4, 10] = scores[2] = 0  # left ankle, left wrist, right wrist, everything
    track = JointTrack(torch.zeros(6, 17, 2), scores, K.expand(6, 3, 3), times)
    between = temporal.solve._between(track, 0)
    names = JOINT_SETS['smpl24'].names

    def rows(name, held=0):
        return temporal.solve._between(track, held)[:, names.index(name)].nonzero()[:, 0].tolist()

    assert rows('left_knee') == [1, 2] and rows('right_knee') == [2] and rows('left_hip') == [2]
    assert rows('left_elbow') == [] and rows('left_elbow', held=1) == [1, 2]  # not told of before, unless held
    assert rows('right_elbow') == [2] and not between[:, names.index('left_foot')].any()


def test_tracks_across_gaps():
    """Frames between are there, with nothing seen, where a gap is short; times need not be even."""
    times = torch.tensor([0, .5, 1, 1.2, 4, 4.1, 4.2], dtype=torch.float64)
    frames = torch.tensor([0, 2, 4, 6])
    points = torch.arange(4.).view(4, 1, 1).expand(4, 17, 2)
    intrinsics = torch.arange(7.).view(7, 1, 1).expand(7, 3, 3)
    kept, track = JointTrack.across_gaps(frames, points, torch.ones(4, 17), times, intrinsics)
    assert kept.tolist() == [0, 1, 2, 4, 5, 6]
    assert track.scores[:, 0].tolist() == [1, 0, 1, 1, 0, 1]
    assert track.keypoints[:, 0, 0].tolist() == [0, 0, 1, 2, 0, 3]
    assert track.times.tolist() == [0, .5, 1, 4, 4.1, 4.2] and track.intrinsics[:, 0, 0].tolist() == [0, 1, 2, 4, 5, 6]


@pytest.mark.parametrize('steps', ['sine', 'step'])
def test_no_lag(temporal, steps):
    """The knee's angle correlates best with the truth where neither is shifted."""
    fit, truth = temporal.fit, walking(1, seed=2).rows([0] * 90)
    times = torch.arange(90).double() / FPS
    angle = .8 + .5 * (2 * math.pi * times).sin() if steps == 'sine' else .4 + .9 * ((times - 1.5) / .06).sigmoid()
    rotations = truth.rotations.clone()
    rotations[:, 4] = axis_angle_to_matrix(torch.nn.functional.pad(angle[:, None], (0, 2)))
    result, = temporal([seen(fit, truth._replace(rotations=rotations))])
    found = geodesic_distance(result.state.rotations[:, 4], torch.eye(3).double()).numpy()
    true = angle.numpy()

    def alike(shift):
        rows = np.arange(10, 80)
        return np.corrcoef(found[rows + shift], true[rows])[0, 1]

    assert max(range(-9, 10), key=alike) == 0
    assert alike(0) > .9


def test_windows_agree(temporal):
    """A track in windows is the track at once, and what a window keeps is what the next one finds."""
    track = seen(temporal.fit, walking(150, seed=6))
    whole, = TemporalFit(temporal.fit, window=200)([track])
    parts, = TemporalFit(temporal.fit, window=60, overlap=25)([track], betas=whole.state.betas[:1])
    away = geodesic_distance(parts.state.rotations, whole.state.rotations)
    assert away.max() < math.radians(1.5) and away.mean() < math.radians(.25)
    # Depths, of which joints say little, hang together for longer than an overlap.
    assert (parts.state.position - whole.state.position).norm(dim=-1).max() < .06
    again, = TemporalFit(temporal.fit, window=60, overlap=25)([track], betas=whole.state.betas[:1])
    assert torch.equal(again.state.rotations, parts.state.rotations)
    own, = TemporalFit(temporal.fit, window=60, overlap=25)([track])
    assert (own.state.betas == own.state.betas[0]).all() and abs(own.heights[0] - whole.heights[0]) < .05


@pytest.mark.parametrize('blank', [slice(120, 280), slice(0, 200)])
def test_windows_in_which_nothing_is_seen_go_on_from_what_is(temporal, blank):
    """A gap of two seconds at 60 frames/s is longer than what the last window keeps."""
    track = seen(temporal.fit, walking(1, seed=3).rows([0] * 280), noise=0.)
    times = torch.arange(280).double() / 60
    track = track._replace(times=times, scores=track.scores.clone())
    track.scores[blank] = 0
    betas = temporal.shapes([track])
    result, = temporal([track], betas=betas)
    joints = temporal.fit.tables.joints(result.state)
    assert len(joints) == 280 and torch.isfinite(joints).all()
    assert (joints[1:] - joints[:-1]).norm(dim=-1).max() < .05


def test_refit_at_known_depths(temporal):
    """Depths are met, and heights where they are told; people stay smooth and as good in the picture."""
    fit, truth = temporal.fit, [walking(50, seed=seed) for seed in (0, 1)]
    tracks = [seen(fit, state) for state in truth]
    first = temporal(tracks)
    depths = [state.position[:, 2] for state in truth]
    heights = fit.heights(torch.stack([state.betas[0] for state in truth]))
    free = temporal.refit([result.state for result in first], tracks, depths)
    held = temporal.refit([result.state for result in first], tracks, depths, [torch.full((50, ), .01)] * 2, heights)
    for i, true in enumerate(truth):
        torch.testing.assert_close(held[i].heights, heights[i].expand(50), atol=1e-4, rtol=0)
        for result in (free[i], held[i]):
            assert (result.state.position - true.position).norm(dim=-1).mean() < .04
            assert (result.state.betas == result.state.betas[0]).all()
            assert jerk(around_hips(fit, result.state)) < 1.2 * jerk(around_hips(fit, first[i].state))
            pixels = seen(fit, result.state, noise=0.).keypoints - seen(fit, true, noise=0.).keypoints
            assert pixels.norm(dim=-1).median() < 6
        assert (free[i].heights[0] - heights[i]).abs() < (first[i].heights[0] - heights[i]).abs() + .01


def test_children_and_bodies_without_children(temporal, smpl_dir):
    """A child stays one; SMPL's bodies are fitted too, from known poses."""
    track = seen(temporal.fit, walking(12))
    adult, child = temporal([track, track], children=[False, True])
    assert child.heights[0] < .85 * adult.heights[0] and child.state.betas[0, 10] > .4
    smpl = BODY_MODELS.build(dict(type='SMPL', model_path=str(smpl_dir)))
    fit = KeypointFit(smpl, torch.from_numpy(random_poses(500)), torch.from_numpy(np.radians(np.array(LIMITS))),
                      num_starts=1, steps=6)
    truth = FitState(walking(12).rotations, torch.zeros(12, fit.tables.num_betas).double(), walking(12).pelvis)
    result, = TemporalFit(fit)([seen(fit, truth)])
    assert result.pose.shape == (12, 24, 3)
    pixels = seen(fit, result.state, noise=0.).keypoints - seen(fit, truth, noise=0.).keypoints
    assert pixels.norm(dim=-1).median() < 8


def test_bad_tracks_are_refused(temporal):
    track = seen(temporal.fit, walking(4))
    with pytest.raises(ValueError, match='track 1: no frame in which 5 joints are seen'):
        temporal([track, track._replace(scores=track.scores * 0)])
    with pytest.raises(ValueError, match='times of a track rise'):
        temporal([track._replace(times=track.times.flip(0))])
    assert temporal([]) == []
