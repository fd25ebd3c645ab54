import hashlib
import shutil

import numpy as np
import pytest
import torch
from known_clip import COUNT, FPS, SIZE, inferencer, write_depth, write_video

from mmhuman_dto.apis.video import VideoInferencer, work
from mmhuman_dto.apis.video.placing import Whereabouts
from mmhuman_dto.apis.video.store import FrameStore
from mmhuman_dto.perception.keypoint_fit import guessed_intrinsics
from mmhuman_dto.stages import ConfigError


@pytest.fixture(scope='module')
def found(files, crowd, tmp_path_factory):
    return inferencer(files, crowd)(files / 'walk.mp4', tmp_path_factory.mktemp('work'))


def matched(clip, crowd):
    """{track id: the crowd's} by who is nearest in the picture."""
    truth, pairs = crowd.clip, {}
    for track in clip.tracks:
        rays = track.people.transl[:, 0] / track.people.transl[:, 2]
        best = min(truth.tracks, key=lambda true: float(
            (true.people.transl[:, 0] / true.people.transl[:, 2])[:len(rays)].sub(rays).abs().mean()))
        pairs[track.track_id] = best
    return pairs


def test_everybody_is_one_track_of_one_height_near_the_truth(found, crowd):
    clip = found.clip
    assert len(clip) == COUNT and clip.fps == pytest.approx(FPS) and clip.image_size == SIZE
    assert [len(track) for track in clip.tracks] == [COUNT, COUNT]
    pairs = matched(clip, crowd)
    assert len({true.track_id for true in pairs.values()}) == 2
    for track in clip.tracks:
        true = pairs[track.track_id]
        assert len(track.people.heights.unique()) == 1 and len(track.people.betas.unique(dim=0)) == 1
        height, std = found.heights[track.track_id]
        assert abs(height - float(true.people.heights[0])) < 2.5 * std
        error = (track.people.transl - true.people.transl).numpy()
        assert np.linalg.norm(error, axis=1).mean() < .12 * float(true.people.transl[:, 2].mean())
        assert np.abs(np.diff(error, 2, axis=0)).mean() * FPS**2 < 1.5
        assert float(track.people.heights[0]) == pytest.approx(float(found.body_model.height(
            track.people.betas[:1])[0]), abs=.02)


def test_samples_and_summary_say_what_the_clip_says(found):
    sample = found.sample(5)
    assert sorted(sample.pred_instances.track_ids.tolist()) == [0, 1]
    assert sample.ori_shape == SIZE and sample.pred_camera.intrinsics.shape == (3, 3)
    assert f'{COUNT} frames, {(COUNT - 1) / FPS:.1f} s; 2 people' in found.summary
    assert 'the camera is taken to stand still' in found.summary and not found.failed


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob('*.safetensors'))
            if path.parent.name == 'people'}


@pytest.mark.parametrize('removed', [['frames/000001', 'bodies', 'people'], ['bodies/000002', 'people'],
                                     ['people/000000']])
def test_who_was_stopped_goes_on_to_the_same_bytes(files, crowd, tmp_path, monkeypatch, removed):
    monkeypatch.setattr(work, 'PART', 12)
    whole = inferencer(files, crowd)(files / 'walk.mp4', tmp_path / 'whole').people.folder.parent
    stopped = tmp_path / 'stopped' / whole.name
    shutil.copytree(whole, stopped)
    for name in removed:
        path = stopped / name
        shutil.rmtree(path) if path.is_dir() else path.with_suffix('.safetensors').unlink()
    again = inferencer(files, crowd)(files / 'walk.mp4', tmp_path / 'stopped').people.folder.parent
    assert again == stopped and contents(whole) == contents(again) and len(contents(whole)) == 3


def test_parts_change_little(found, files, crowd, tmp_path, monkeypatch):
    monkeypatch.setattr(work, 'PART', 12)
    parts = inferencer(files, crowd)(files / 'walk.mp4', tmp_path).clip
    for one, other in zip(found.clip.tracks, parts.tracks):
        assert float((one.people.transl - other.people.transl).norm(dim=1).max()) < .1
        assert float(one.people.heights[0]) == pytest.approx(float(other.people.heights[0]), abs=.02)


def test_sources_that_remember_begin_anew_with_every_part(files, crowd, tmp_path, monkeypatch):
    monkeypatch.setattr(work, 'PART', 12)
    video = inferencer(files, crowd)
    video(files / 'walk.mp4', tmp_path)
    source = next(stage.source for stage in video.stages.stages if stage.name == 'detect')
    assert source.forgot == 3


def test_depth_maps_in_metres_tell_the_focal_length_of_a_video_and_distances(files, crowd, tmp_path):
    write_depth(tmp_path / 'depth', crowd)
    options = {'stages.detect.source': dict(type='KnownClipJoints', path=str(files / 'joints.npz'))}
    video = VideoInferencer(depth=str(tmp_path / 'depth'), depth_kind='metres', options=options)
    found = video(files / 'walk.mp4', tmp_path / 'work')
    true = float(crowd.frames[0].intrinsics[1, 1])
    guess = float(guessed_intrinsics(SIZE)[1, 1])
    focal = float(found.camera.intrinsics[1, 1])
    assert abs(np.log(guess / true)) > .2 and abs(np.log(focal / true)) < .15
    clip = found.clip
    for track in clip.tracks:
        truth = matched(clip, crowd)[track.track_id]
        error = (track.people.transl - truth.people.transl).norm(dim=1) / truth.people.transl[:, 2]
        assert float(error.mean()) < .13


def test_who_is_away_has_no_evidence_and_costs_nobody_theirs(files, crowd, tmp_path):
    write_depth(tmp_path / 'depth', crowd)
    source = dict(type='KnownClipJoints', path=str(files / 'joints.npz'), nobody=[*range(10, 14)])
    options = {'stages.detect.source': source}
    video = VideoInferencer(depth=str(tmp_path / 'depth'), depth_kind='metres', options=options)
    found = video(files / 'walk.mp4', tmp_path / 'work')
    assert [len(track) for track in found.clip.tracks] == [COUNT, COUNT]
    bodies = FrameStore(found.people.folder.parent / 'bodies', work.PART)
    assert np.isnan(bodies[12]['dto_evidence']).all() and np.isfinite(bodies[9]['dto_evidence']).all()
    assert not bodies[12]['seen'].any() and bodies[9]['seen'].all()


def test_depths_between_frames_are_between_theirs():
    depths, stds = torch.tensor([[2., 8, 4], [.1, .2, .4]]).double()
    where = Whereabouts(torch.tensor([2, 4, 10]), depths, stds, None, 1.7, .1, 1., 1.)
    depth, std = where.depths_at(torch.tensor([0, 2, 3, 4, 7, 12]))
    assert depth.tolist() == pytest.approx([2, 2, 4, 8, 32**.5, 4])
    assert std.tolist() == pytest.approx([.1, .1, .15, .2, .3, .4])


def test_a_cut_begins_new_people(files, crowd, tmp_path):
    write_video(tmp_path / 'cut.mp4', COUNT, walls=(1, 2))
    clip = inferencer(files, crowd)(tmp_path / 'cut.mp4', tmp_path / 'work').clip
    assert clip.shots == [0, COUNT // 2]
    assert [(int(track.frames[0]), int(track.frames[-1])) for track in clip.tracks] == [
        (0, COUNT // 2 - 1)] * 2 + [(COUNT // 2, COUNT - 1)] * 2


def test_a_gap_is_bridged_with_people_nobody_saw(files, crowd, tmp_path):
    nobody = range(10, 16)
    clip = inferencer(files, crowd, nobody=[*nobody])(files / 'walk.mp4', tmp_path).clip
    assert [len(track) for track in clip.tracks] == [COUNT, COUNT]
    for track in clip.tracks:
        scores = track.people.scores
        assert scores[list(nobody)].eq(0).all() and scores[:10].gt(.5).all()
        assert np.abs(np.diff(track.people.transl.numpy(), 2, axis=0)).max() * FPS**2 < 6


def test_nobody_at_all_and_frames_that_fail_are_said(files, crowd, tmp_path):
    empty = inferencer(files, crowd, nobody=[*range(COUNT)])(files / 'walk.mp4', tmp_path)
    assert empty.clip.tracks == [] and 'nobody found' in empty.summary and len(empty.sample(3).pred_instances) == 0
    broken = inferencer(files, crowd, broken=[4, 20])(files / 'walk.mp4', tmp_path)
    assert [frame for frame, _ in broken.failed] == [4, 20] and 'no joints today' in broken.failed[0][1]
    assert '2 frames in which nobody could be looked for' in broken.summary
    assert [len(track) for track in broken.clip.tracks] == [COUNT, COUNT]


def test_saved_kinds_are_there(found, tmp_path):
    paths = found.save(tmp_path, ['mp4', 'csv', 'glb', 'bvh'])
    names = sorted(str(path.relative_to(tmp_path)) for path in paths)
    assert names[0].startswith('bvh/') and {'csv/walk.csv', 'glb/walk.glb', 'mp4/walk.mp4'} < set(names)
    assert all(path.stat().st_size for path in paths)
    with pytest.raises(ValueError, match='cannot save flip of videos; known: mp4'):
        found.save(tmp_path, ['flip'])


def test_recipes_without_joints_are_refused():
    with pytest.raises(ConfigError, match='network: videos take recipes with the stages AddMeshes by KeypointFit'):
        VideoInferencer('network')
