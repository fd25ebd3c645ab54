"""Clips of people against the same clips moved, shaken and renumbered by known amounts."""
import copy

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from scipy.spatial.transform import Rotation

import mmhuman_dto.evaluation.metrics  # noqa: F401
from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.evaluation.functional.clips import match_tracks
from mmhuman_dto.registry import BODY_MODELS, METRICS
from mmhuman_dto.structures import Clip, People, PersonTrack

BODY = dict(type='OpenBody')
FRAMES = 40


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(BODY)


def rotating(axis, angles):
    return torch.as_tensor(Rotation.from_rotvec(np.outer(angles, axis)).as_matrix())


def track(number, frames, place, speed, seed):
    """Somebody who walks straight on from a place, m, at a speed, m/s, upright, swinging its legs."""
    time = frames.double() / 30
    pose = torch.zeros(len(frames), 24, 3)
    pose[:, 0, 0] = np.pi
    pose[:, 1, 0] = .4 * torch.sin(4 * time)
    betas = .5 * torch.randn(1, 11, generator=torch.Generator().manual_seed(seed)).expand(len(frames), 11)
    transl = torch.tensor(place) + torch.tensor(speed) * time[:, None]
    return PersonTrack(number, frames, People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas.clone(),
                                              transl=transl.float()))


def clip(**more):
    """Two people, the second of whom comes in the tenth frame."""
    tracks = [track(1, torch.arange(FRAMES), [-1., 0, 4], [0., 0, 1], 0),
              track(4, torch.arange(10, FRAMES), [1., 0, 4.3], [0., 0, 0], 1)]
    return Clip('walk', torch.arange(FRAMES) / 30, (480, 640), torch.eye(3).expand(FRAMES, 3, 3), tracks,
                body_model='OpenBody', **more)


def changed(change, of=None):
    """A copy of the clip with ``change(people)`` made to each track's people."""
    new = copy.deepcopy(of or clip())
    for one in new.tracks:
        change(one.people)
    return new


def evaluate(name, *pairs, **kwargs):
    evaluator = Evaluator(METRICS.build(dict(type=name, body_model=BODY, **kwargs)))
    evaluator.process([dict(pred_clip=pred, gt_clip=true) for pred, true in pairs])
    assert len(evaluator.metrics[0].results) == len(pairs)
    return {key.split('/')[1]: value for key, value in evaluator.evaluate(len(pairs)).items()}


def test_the_truth_is_perfect():
    found = evaluate('ClipPlacementMetric', (clip(), clip()))
    assert found.pop('frames_found') == found.pop('pcdr') == 100
    assert all(value == pytest.approx(0, abs=1e-6) for value in found.values())
    found = evaluate('WorldMotionMetric', (clip(), clip()))
    assert found.pop('frames_found') == 100 and found.pop('jitter') > .1
    assert found.pop('foot_sliding') < 10 and found.keys() == {
        'w_mpjpe', 'wa_mpjpe', 'rte', 'erve', 'acceleration_error', 'world_acceleration_error',
        'root_acceleration_error'}
    assert all(value == pytest.approx(0, abs=1e-3) for value in found.values())


def test_places_and_heights_by_hand(body_model):
    """Everybody is .3 m too far, .5 m in one frame, and as tall as is said, which is not true in a third of it."""
    def change(people):
        people.transl[:, 2] += .3
        people.transl[5, 2] += .2
        people.heights = body_model.height(people.betas) + .1
        people.heights[:len(people) // 3] += 1

    found = evaluate('ClipPlacementMetric', (changed(change), clip()))
    assert found['place_error'] == pytest.approx(.3 + .2 * 2 / 70, rel=1e-5)
    assert found['popping'] == pytest.approx(.2, rel=1e-5)
    assert found['height_error'] == pytest.approx(.1, rel=1e-4)
    assert found['height_error_frames'] == pytest.approx(.1 + (13 + 10) / 70, rel=1e-4)
    z = np.concatenate([4 + np.arange(FRAMES) / 30, np.full(30, 4.3)])
    errors = np.full(70, .3)
    errors[[5, FRAMES + 5]] = .5
    # The pelvis is a little before or behind transl.
    assert found['relative_depth_error'] == pytest.approx(100 * (errors / z).mean(), rel=.03)


def test_pairs_of_frames_are_counted():
    """The first one passes the second between 4.1 and 4.5 m, in which they are level; then everybody is level."""
    def change(people):
        people.transl[:, 2] = 4.3

    found = evaluate('ClipPlacementMetric', (changed(change), clip()), distance=3.)
    level = np.abs(np.arange(10, FRAMES) / 30 - .3) < .2
    assert found['pcdr'] == pytest.approx(100 * level.mean(), abs=4)


def test_people_are_matched_by_place_or_number():
    other = clip()
    other.tracks[0].track_id, other.tracks[1].track_id = 4, 9
    by_place = evaluate('ClipPlacementMetric', (other, clip()))
    assert by_place['frames_found'] == 100 and by_place['place_error'] < 1e-6
    by_number = evaluate('ClipPlacementMetric', (other, clip()), match='ids')
    assert by_number['frames_found'] == pytest.approx(100 * 30 / 70)  # number 4, whom another one is
    assert by_number['place_error'] > 1.9
    far = changed(lambda people: people.transl.add_(5.))
    assert evaluate('ClipPlacementMetric', (far, clip()))['frames_found'] == 0
    none = evaluate('WorldMotionMetric', (far, clip()))
    assert none.pop('frames_found') == 0 and all(np.isnan(value) for value in none.values())
    with pytest.raises(ValueError, match="match='name': expected 'place' or 'ids'"):
        evaluate('ClipPlacementMetric', match='name')


def test_of_a_person_with_two_numbers_the_longer_counts():
    broken = clip()
    first = broken.tracks[0]
    broken.tracks[:1] = [PersonTrack(1, first.frames[:15], first.people[:15]),
                         PersonTrack(2, first.frames[15:], first.people[15:])]
    found = evaluate('ClipPlacementMetric', (broken, clip()))
    assert found['frames_found'] == pytest.approx(100 * (25 + 30) / 70)


def test_tracks_go_to_the_one_they_are_with_longest():
    places = np.zeros((2, 10, 3))
    places[1, :, 0] = 5
    pred = places[[1, 0, 0]] + [.1, 0, 0]
    pred[2, :4] = np.nan
    matches = match_tracks(pred, places, 1.)
    assert matches.pred.tolist() == [1, 0] and matches.true.tolist() == [0, 1]
    assert len(match_tracks(pred, places, .05).pred) == 0
    assert len(match_tracks(pred[:0], places, 1.).pred) == 0


def test_another_world_is_no_error(body_model):
    """The prediction's camera pans and walks, the truth's stands still; seen from the cameras people differ, in the
    world they are the same but for a turn."""
    true = clip()
    angles = np.linspace(.3, 1.2, FRAMES)
    poses = torch.eye(4, dtype=torch.float64).repeat(FRAMES, 1, 1)
    poses[:, :3, :3] = rotating([0, 1, 0], angles)
    poses[:, :3, 3] = torch.linspace(-1, 2, FRAMES)[:, None] * torch.tensor([1., .2, .5])
    pred = clip(camera_poses=poses)
    for one in pred.tracks:
        people, pose = one.people, poses[one.frames]
        pelvis = body_model.skeleton(torch.zeros(len(one), 24, 3), people.betas)[:, 0].double()
        people.transl = (torch.einsum('tij,tj->ti', pose[:, :3, :3], pelvis + people.transl) + pose[:, :3, 3]
                         - pelvis).float()
        turned = pose[:, :3, :3].numpy() @ Rotation.from_rotvec(people.global_orient.numpy()).as_matrix()
        people.global_orient = torch.as_tensor(Rotation.from_matrix(turned).as_rotvec()).float()
    found = evaluate('WorldMotionMetric', (pred, true), match='ids')
    assert found['frames_found'] == 100
    truth = evaluate('WorldMotionMetric', (true, true))
    for name, value in found.items():
        assert value == pytest.approx(truth[name], abs=.02, rel=.02), name
    # Without its poses the camera's motion is taken for the people's.
    pred.camera_poses = None
    assert evaluate('WorldMotionMetric', (pred, true), match='ids')['world_acceleration_error'] > .05
    assert evaluate('WorldMotionMetric', (pred, true), match='ids')['erve'] > 10


def test_shaking_of_known_size():
    """Depth swings by 2 cm at 3 Hz: an acceleration that the pelvis-aligned figure does not see."""
    def change(people):
        people.transl[:, 2] += .02 * torch.sin(2 * np.pi * 3 * torch.arange(len(people)) / 30)

    found = evaluate('WorldMotionMetric', (changed(change), clip()))
    wave = .02 * 2 * (1 - np.cos(2 * np.pi / 10)) * 900 * np.abs(np.sin(2 * np.pi / 10 * np.arange(1, 39)))
    expected = np.concatenate([wave, wave[:28]]).mean()
    assert found['world_acceleration_error'] == pytest.approx(expected, rel=1e-3)
    assert found['root_acceleration_error'] == pytest.approx(expected, rel=1e-3)
    assert found['acceleration_error'] < 1e-2
    waving = changed(lambda people: people.body_pose[:, 15, 2].add_(
        .3 * torch.sin(2 * np.pi * 3 * torch.arange(len(people)) / 30)))  # the left arm
    found = evaluate('WorldMotionMetric', (waving, clip()))
    assert found['world_acceleration_error'] == pytest.approx(found['acceleration_error'], rel=1e-3)
    assert found['acceleration_error'] > 1 and found['root_acceleration_error'] < 1e-2
    standing = clip()
    standing.tracks = standing.tracks[1:]
    slid = evaluate('WorldMotionMetric', (changed(change, standing), standing))
    still = evaluate('WorldMotionMetric', (standing, standing))
    steps = 1000 * .02 * np.abs(np.diff(np.sin(2 * np.pi / 10 * np.arange(30))))
    assert slid['foot_sliding'] - still['foot_sliding'] == pytest.approx(steps.mean(), rel=.25)
    assert evaluate('WorldMotionMetric', (standing, standing), parity=True)['jitter'] < still['jitter']


def test_records_of_several_processes_make_the_same_figures():
    """Figures are of pooled records, in any order: two processes gather them."""
    def change(people):
        people.transl[:, 2] += .02 * torch.sin(torch.arange(len(people)))

    pairs = [(changed(change), clip()), (clip(), clip()), (changed(lambda people: people.transl.add_(.1)), clip())]
    for name in ('ClipPlacementMetric', 'WorldMotionMetric'):
        metric = METRICS.build(dict(type=name, body_model=BODY))
        metric.process({}, [dict(pred_clip=pred, gt_clip=true) for pred, true in pairs])
        both = metric.compute_metrics(metric.results)
        assert both == pytest.approx(metric.compute_metrics(metric.results[::-1]), rel=1e-12)
        assert all(np.isfinite(value) for value in both.values())
        assert all(np.isnan(value) for value in metric.compute_metrics([]).values())


def test_clips_that_cannot_be_compared():
    short = clip()
    short.times = short.times[:-1]
    with pytest.raises(ValueError, match='walk: 39 frames are predicted, the truth has 40'):
        evaluate('ClipPlacementMetric', (short, clip()))
    other = clip()
    other.body_model = 'SMPL'
    with pytest.raises(BodyModelError, match='walk: its meshes are of SMPL'):
        evaluate('ClipPlacementMetric', (clip(), other))
