"""The benchmark of video: its clips, its ways to place people, and the rows it reports."""
import json

import numpy as np
import pytest
import torch
from scripts import load_script

from mmhuman_dto.geometry.trajectories import inverse_poses, world_points
from mmhuman_dto.registry import BODY_MODELS

bench = load_script('tools/benchmark/bench_video.py')
clips = load_script('tools/benchmark/_video_clips.py')
video_photo = load_script('tools/benchmark/_video_photo.py')
photo = load_script('tools/benchmark/_photo_truth.py')


@pytest.fixture(scope='module')
def body_model():
    torch.set_num_threads(1)
    return BODY_MODELS.build(dict(type='OpenBody'))


def test_the_solver_of_videos_is_told_what_is_known_of_the_camera(case):
    assert case.cameras is case.truth.camera_poses
    assert [case._replace(setting=setting).cameras for setting in ('still', 'panning')] == ['still', 'moving']


@pytest.fixture(scope='module')
def case(body_model):
    """A second of a carried camera, whose poses are given."""
    case, = clips.video_cases('walking', 1, 1., 3, body_model)
    return case


def test_a_case_is_what_its_clip_says(case, body_model):
    assert len(case.samples) == len(case.times) == 30 and case.truth.camera_poses is not None
    for frame, sample in enumerate(case.samples):
        tracks = [track for track in case.truth.tracks if frame in track.frames]
        assert sample.pred_instances.track_ids.tolist() == [track.track_id for track in tracks]
        assert sample.pred_instances.dto_evidence.shape == (len(tracks), len(clips.DTOProblem.from_samples(
            [sample], body_model, depth='unused').cached(0)[0]))
    known = torch.cat([sample.pred_instances.dto_evidence for sample in case.samples]).isfinite().all(-1)
    assert known.float().mean() > .8
    still, = clips.video_cases('still', 1, .1, 3, body_model)
    assert still.truth.camera_poses is None


def test_the_smoother_moves_people_in_the_world(case, body_model):
    """Of the truth that shakes in the world it makes about the truth, whose fields stay as they are."""
    rng = np.random.default_rng(0)
    samples = list(case.truth.samples())
    for sample in samples:
        people = sample.pred_instances
        people.transl += torch.from_numpy(.03 * rng.normal(size=people.transl.shape)).float()
    kalman = clips.Kalman([(case, samples)], body_model)
    assert kalman.noise.along == pytest.approx(.03 / 5, rel=1.)
    smoothed = kalman(case, samples)
    shaken, calmed = (np.concatenate([np.linalg.norm(
        mine.pred_instances.transl - true.pred_instances.transl, axis=-1) for mine, true in zip(
            some, case.truth.samples())]) for some in (samples, smoothed))
    assert calmed.mean() < .6 * shaken.mean()
    assert all(torch.equal(one.pred_instances.betas, other.pred_instances.betas)
               for one, other in zip(samples, smoothed))


def test_places_are_measured_from_the_camera(case, body_model):
    samples = list(case.truth.samples())
    numbers, times, places, rays = clips.Kalman([(case, samples)], body_model)._measured(case, samples)
    track = case.truth.tracks[-1]
    row, frame = list(numbers).index(track.track_id), int(track.frames[0])
    pelvis = clips.pelvises(track.people[:1], body_model)
    pose = case.truth.camera_poses[frame:frame + 1]
    np.testing.assert_allclose(places[row, frame], world_points(pelvis, pose)[0], atol=1e-6)
    np.testing.assert_allclose(rays[row, frame], (world_points(pelvis, pose) - inverse_poses(pose)[:, :3, 3])[0],
                               atol=1e-6)
    assert np.linalg.norm(rays[row, frame]) == pytest.approx(float(pelvis.norm()))
    assert np.isnan(places[row, [t for t in range(30) if t not in track.frames]]).all()


def test_rows_of_a_run(tmp_path, capsys):
    path = tmp_path / 'figures.json'
    bench.main(['--clips', '1', '--seconds', '.5', '--tuning-clips', '1', '--settings', 'still', 'panning', '--json',
                str(path)])
    rows = {(row['setting'], row['depth'], row['method']): row for row in json.loads(path.read_text())['rows']}
    ways = ['frame by frame', 'Kalman', 'Kalman, steady', 'over time']
    assert list(rows) == [(setting, depth, method) for setting in ('still', 'panning') for depth, methods in (
        ('', ['truth', 'initial']), ('no depth', ways), ('depth', ways)) for method in methods]
    for (setting, _, method), row in rows.items():
        assert row['frames_found'] == 100
        assert np.isnan(row['foot_sliding']) == (setting == 'panning')
        if method == 'truth':
            assert row['pcdr'] == 100 and row['place_error'] < 1e-6 and row['jitter'] < 50
    for setting in ('still', 'panning'):
        initial, placed = rows[setting, '', 'initial'], rows[setting, 'depth', 'frame by frame']
        assert placed['place_error'] < initial['place_error'] and placed['height_error'] < initial['height_error']
        for depth in ('depth', 'no depth'):
            calm, shaky = (rows[setting, depth, method] for method in ('Kalman', 'frame by frame'))
            assert calm['root_acceleration_error'] < .3 * shaky['root_acceleration_error']
            assert calm['height_error'] == pytest.approx(shaky['height_error'])
            assert calm['seconds'] > shaky['seconds'] > 0
            together = rows[setting, depth, 'over time']
            assert together['root_acceleration_error'] < .3 * shaky['root_acceleration_error']
            assert together['popping'] < shaky['popping']
    text = capsys.readouterr().out
    assert all(title in text for title, *_ in bench.FIGURES.values())


@pytest.fixture(scope='module')
def short(tmp_path_factory):
    """The real clip's first five frames that have truth, of one camera."""
    path = tmp_path_factory.mktemp('real') / 'short.npz'
    with np.load(photo.CLIP_TRUTH) as arrays:
        kept = dict(arrays)
    rows = (kept['det_camera'] == 3) & (kept['det_frame'] < 20)
    kept.update({name: values[rows] for name, values in kept.items() if values.shape[:1] == rows.shape})
    kept.update(frames=kept['frames'][:5], **{name: kept[name][:, :5] for name in ('joints_3d', 'joints_3d_valid')})
    np.savez(path, **kept)
    return path


def test_the_real_clip_is_what_its_file_says(short, body_model):
    """What was found is where the truth is seen, and the truth has no error but shakes."""
    case, = video_photo.real_cases(short, True)
    np.testing.assert_allclose(case.times, np.arange(5) * 4 / 60)
    assert case.heights.tolist() == pytest.approx([1.72, 1.41, 1.65])
    for frame, sample in enumerate(case.samples):
        found = sample.detected_instances
        assert sorted(found.track_ids.tolist()) == [0, 1]
        seen = torch.from_numpy(case.joints[found.track_ids, frame]) @ sample.pred_camera.intrinsics.double().T
        away = (seen[..., :2] / seen[..., 2:] - found.keypoints_2d).norm(dim=-1)
        assert away[found.keypoints_2d_valid > .5].median() < 15
    figures = video_photo.real_figures([case], [None], body_model)
    assert figures['place_error'] == figures['height_error'] == figures['root_acceleration_error'] == 0
    assert figures['pcdr'] == 100 and 1 < figures['jitter'] < 30
    assert 'pred_camera' not in video_photo.real_cases(short, False)[0].samples[0]


def test_rows_of_the_real_clip(short, tmp_path):
    path = tmp_path / 'figures.json'
    bench.main(['--real', str(short), '--json', str(path)])
    rows = {(row['setting'], row['method']): row for row in json.loads(path.read_text())['rows']}
    ways = ['truth', 'initial', 'frame by frame', 'Kalman', 'over time', 'poses too']
    assert list(rows) == [(f'{focal} focal', way) for focal in ('true', 'guessed') for way in ways]
    for focal in ('true focal', 'guessed focal'):
        shaky, calm, together = (rows[focal, way] for way in ('frame by frame', 'Kalman', 'poses too'))
        assert calm['root_acceleration_error'] < .5 * shaky['root_acceleration_error']
        assert together['world_acceleration_error'] < .3 * shaky['world_acceleration_error']
        assert together['popping'] < shaky['popping']
    assert rows['true focal', 'initial']['place_error'] < rows['guessed focal', 'initial']['place_error']
