import csv
import sys

import numpy as np
import pytest
import torch
from bvh_files import read_bvh
from glb_files import at_time, bone_places, matrix_of, node_named, read_glb
from moving_people import mesh_clip, told_clip, true_joints, walking_clip

from mmhuman_dto.body_models import SMPL, OpenBody
from mmhuman_dto.dto.bodies import MeshBodies
from mmhuman_dto.structures import Clip
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl
from mmhuman_dto.tables.clip_table import read_clip
from mmhuman_dto.visualization.clip_motion import camera_to_world, motions_of
from mmhuman_dto.visualization.clip_writers import CLIP_WRITERS, parts_of, save_clip, write_glb
from mmhuman_dto.visualization.rigs import KindError


@pytest.fixture(scope='module')
def body_model():
    return OpenBody()


@pytest.fixture
def clip(body_model):
    return walking_clip(body_model)


def in_world(clip, track_id, frame, body_model):
    matrix = camera_to_world(clip, body_model)[frame]
    return true_joints(clip, track_id, frame, body_model) @ matrix[:3, :3].T + matrix[:3, 3]


def test_every_kind(clip, body_model, tmp_path):
    pytest.importorskip('pxr')
    paths = {path.relative_to(tmp_path).as_posix()
             for path in save_clip(clip, body_model, tmp_path, 'deep/a', CLIP_WRITERS)}
    assert paths >= {'glb/deep/a.glb', 'params/deep/a', 'csv/deep/a.csv', 'bvh/deep/a/person_2.bvh',
                     'bvh_m/deep/a/person_5.bvh', 'amass/deep/a/person_7.npz', 'trc/deep/a/person_2.trc'}
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*') if path.is_file()}
    assert {file for file in files if not file.startswith('params/')} == paths - {'params/deep/a'}


def test_the_glb_has_everybody_where_the_body_model_has_them(clip, body_model, tmp_path):
    path, = save_clip(clip, body_model, tmp_path, 'a', ['glb'])
    document, arrays = read_glb(path)
    for track in clip.tracks:
        for frame in track.frames.tolist()[::3]:
            moved = at_time(document, arrays, float(clip.times[frame]) + 1e-6)
            name = f'person_{track.track_id}'
            np.testing.assert_allclose(bone_places(moved, name), in_world(clip, track.track_id, frame, body_model),
                                       atol=1e-4)
        extras = node_named(document, name)['extras']
        assert extras['height_m'] == pytest.approx(float(track.people.heights[0]), abs=1e-3)
        assert extras['from_s'] == pytest.approx(float(clip.times[track.frames[0]]), abs=1e-3)
    # Person 5 is there from 1 s on and before 2 s; 7 is away from .5 s to 3 s.
    for time, there in ((.45, (1, 0, 1)), (.75, (1, 0, 0)), (1.5, (1, 1, 0)), (2.5, (1, 0, 0)), (3.5, (1, 0, 1))):
        sizes = [node_named(at_time(document, arrays, time), f'person_{number}_skeleton').get('scale', [1])[0]
                 for number in (2, 5, 7)]
        assert tuple(sizes) == there, time
    assert document['asset']['extras']['camera'] == 'stands still'


def test_the_camera_of_the_glb_moves_as_it_did(clip, body_model, tmp_path):
    clip.camera_poses = torch.eye(4, dtype=torch.float64).repeat(len(clip), 1, 1)
    clip.camera_poses[:, 0, 3] = -.2 * clip.times
    path, = save_clip(clip, body_model, tmp_path, 'a', ['glb'])
    document, arrays = read_glb(path)
    places = [matrix_of(node_named(at_time(document, arrays, time), 'camera'))[:3, 3] for time in (0, 1.05, 3.)]
    # To the right, along a ground that is an estimate.
    np.testing.assert_allclose(places - places[0], np.outer([0, .21, .6], [1, 0, 0]), atol=.005)
    np.testing.assert_allclose(places[2], camera_to_world(clip, body_model)[30, :3, 3], atol=1e-6)
    assert document['asset']['extras']['camera'] == 'moves'


def test_long_clips_are_cut_into_parts_that_begin_anew(clip, body_model, tmp_path):
    parts = parts_of(clip, 30)
    counts = np.zeros(len(clip), int)
    for track in clip.tracks:
        counts[track.frames] += 1
    sums = [counts[start:stop].sum() for start, stop in parts]
    assert max(sums) <= 30 < min(a + b for a, b in zip(sums, sums[1:])) and sum(sums) == counts.sum()
    assert parts[0][0] == 0 and parts[-1][1] == len(clip)
    paths = write_glb(clip, body_model, tmp_path / 'a', most=30)
    assert [path.name for path in paths] == [f'a_part{number}.glb' for number in range(1, len(parts) + 1)]
    for path, (start, stop) in zip(paths, parts):
        document, arrays = read_glb(path)
        assert document['asset']['extras']['start_s'] == pytest.approx(float(clip.times[start]))
        there = [track for track in clip.tracks if ((track.frames >= start) & (track.frames < stop)).any()]
        assert [skin['name'] for skin in document['skins']] == [f'person_{track.track_id}' for track in there]
        for track in there:
            frame = next(frame for frame in track.frames.tolist() if start <= frame < stop)
            moved = at_time(document, arrays, float(clip.times[frame] - clip.times[start]) + 1e-6)
            np.testing.assert_allclose(bone_places(moved, f'person_{track.track_id}'),
                                       in_world(clip, track.track_id, frame, body_model), atol=1e-4)


def test_motion_files_have_an_even_rate_and_gaps_are_bridged(clip, body_model, tmp_path):
    """Between .4 s and 1 s person 2 goes on at an even speed; a frame that was late does not move the others."""
    clip.times[20] += .04
    save_clip(clip, body_model, tmp_path, 'a', ['bvh', 'bvh_m', 'amass', 'trc'])
    motion = motions_of(clip, body_model)[0]
    truth = motion.skeleton.at(motion.times, np.arange(40) / 10).world()[1]
    for kind, scale in (('bvh', 100), ('bvh_m', 1)):
        places, *_, seconds = read_bvh(tmp_path / kind / 'a/person_2.bvh')
        assert seconds == pytest.approx(.1)
        joints = np.stack([places[name] for name in body_model.bone_names], 1) / scale
        np.testing.assert_allclose(joints, truth, atol=1e-4)
    for frame in (0, 10, 39):
        np.testing.assert_allclose(joints[frame], in_world(clip, 2, frame, body_model), atol=1e-4)
    file = np.load(tmp_path / 'amass/a/person_2.npz')
    assert len(file['poses']) == 40 and file['mocap_framerate'] == pytest.approx(10) and file['start_time'] == 0
    posed = body_model(torch.from_numpy(np.pad(file['poses'][:, :66], ((0, 0), (0, 6)))).float(),
                       torch.from_numpy(file['body_betas']).float(), torch.from_numpy(file['trans']).float())
    y_up = posed.joints[:, :22].numpy() @ [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    np.testing.assert_allclose(y_up, truth[:, :22], atol=1e-4)
    assert np.load(tmp_path / 'amass/a/person_5.npz')['start_time'] == pytest.approx(1)
    lines = (tmp_path / 'trc/a/person_2.trc').read_text().splitlines()
    assert lines[2].split('\t')[:4] == ['10', '10', '40', '45']
    assert lines[3].split('\t')[2::3] == list(body_model.joint_names)
    markers = np.array(lines[6].split('\t')[2:], float).reshape(45, 3)
    people, matrix = clip.tracks[0].people[:1], camera_to_world(clip, body_model)[0]
    joints = body_model(people.pose, people.betas, people.transl).joints[0].numpy()
    np.testing.assert_allclose(markers, joints @ matrix[:3, :3].T + matrix[:3, 3], atol=1e-4)


def test_numbers_of_everybody_in_every_frame(clip, body_model, tmp_path):
    del clip.tracks[1].people.heights_std, clip.tracks[1].people.scores
    clip.tracks[0].people.transl[1] = torch.nan
    path, = save_clip(clip, body_model, tmp_path, 'a', ['csv'])
    with open(path, newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(map(len, clip.tracks))
    assert [(int(row['frame']), int(row['track_id'])) for row in rows] == sorted(
        (frame, track.track_id) for track in clip.tracks for frame in track.frames.tolist())
    by_place = {(int(row['frame']), int(row['track_id'])): row for row in rows}
    row = by_place[15, 5]
    truth = in_world(clip, 5, 15, body_model)[0]
    np.testing.assert_allclose([float(row[name]) for name in ('x_m', 'y_m', 'z_m')], truth, atol=1e-3)
    people = clip.tracks[1].people[5:6]
    distance = float(body_model(people.pose, people.betas, people.transl).vertices[..., 2].mean())
    assert float(row['time_s']) == 1.5 and float(row['distance_m']) == pytest.approx(distance, abs=1e-3)
    assert float(row['height_m']) == pytest.approx(float(clip.tracks[1].people.heights[0]), abs=1e-3)
    assert (row['height_std_m'], row['score'], row['distance_std_m']) == ('', '', '0.1000')
    assert (by_place[0, 2]['height_std_m'], by_place[0, 2]['score']) == ('0.0200', '0.9000')
    assert by_place[1, 2]['x_m'] == by_place[1, 2]['distance_m'] == ''


def test_the_table_is_the_clip(clip, body_model, tmp_path):
    path, = save_clip(clip, body_model, tmp_path, 'a', ['params'])
    again = read_clip(path)
    assert [track.track_id for track in again.tracks] == [2, 5, 7]
    assert torch.equal(again.tracks[2].people.transl, clip.tracks[2].people.transl)
    clip.tracks[0].people.transl[3] = torch.nan
    with pytest.raises(KindError, match='no params of 000003: people.transl holds values that are not finite'):
        save_clip(clip, body_model, tmp_path, 'a', ['params'])


def test_meshes_alone_have_numbers_and_no_bones(body_model, tmp_path):
    clip = mesh_clip(body_model)
    reason = 'no glb of walk: it needs a body model that its people are posed by, and these are only meshes; no bvh of '
    with pytest.raises(KindError, match=reason) as caught:
        save_clip(clip, MeshBodies(body_model.faces), tmp_path, 'a', ['glb', 'bvh', 'amass', 'params', 'csv'])
    assert str(caught.value).count('only meshes') == 3
    assert read_clip(tmp_path / 'params/a').tracks[1].track_id == 5
    with open(tmp_path / 'csv/a.csv', newline='') as file:
        assert float(next(csv.DictReader(file))['distance_m']) == pytest.approx(4, abs=.1)


def test_of_told_joints_and_rotations_there_is_motion(body_model, tmp_path):
    clip = told_clip(body_model)
    clip.body_model = 'SMPL'
    clip.tracks[0].people.mesh_scales = torch.full((len(clip.tracks[0]), ), 1.25)
    save_clip(clip, MeshBodies(body_model.faces), tmp_path, 'a', ['bvh_m', 'amass', 'trc'])
    places, *_ = read_bvh(tmp_path / 'bvh_m/a/person_2.bvh')
    joints = np.stack([places[name] for name in body_model.bone_names], 1)
    np.testing.assert_allclose(joints[15], in_world(clip, 2, 15, body_model), atol=1e-3)
    file = np.load(tmp_path / 'amass/a/person_2.npz')
    assert file['scale'] == 1.25 and np.load(tmp_path / 'amass/a/person_5.npz')['scale'] == 1
    assert file['betas'][:2] == pytest.approx([1, 0])
    posed = body_model(torch.from_numpy(np.pad(file['poses'][:, :66], ((0, 0), (0, 6)))).float(),
                       torch.from_numpy(file['betas'][:11]).float(), torch.from_numpy(file['trans']).float())
    y_up = posed.joints[:, :22].numpy() @ [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    np.testing.assert_allclose(y_up, joints[:, :22], atol=1e-3)


def test_pose_correctives_are_left_out(tmp_path):
    body_model = SMPL(write_synthetic_smpl(tmp_path / 'smpl'))
    clip = walking_clip(body_model)
    path, = save_clip(clip, body_model, tmp_path, 'a', ['glb'])
    document, arrays = read_glb(path)
    assert not any('targets' in primitive for mesh in document['meshes'] for primitive in mesh['primitives'])
    moved = at_time(document, arrays, 1.5 + 1e-6)
    np.testing.assert_allclose(bone_places(moved, 'person_2'), in_world(clip, 2, 15, body_model), atol=1e-4)


def test_who_goes_on_is_seen_up_to_the_end_of_a_part(clip, body_model):
    motion, *_ = motions_of(clip, body_model)
    first, last = motion.between(0., 2.), motion.between(2., np.inf)
    assert first.spans == last.spans == [(0, np.inf)]
    assert first.times[-1] == pytest.approx(1.9) and last.times[0] == 0
    assert motions_of(clip, body_model)[1].between(0., 1.5).spans == [(1, np.inf)]


def test_nobody_is_no_reason_to_fail(body_model, tmp_path):
    clip = Clip('empty', torch.arange(3, dtype=torch.float64), (480, 640), torch.eye(3).repeat(3, 1, 1), [])
    paths = save_clip(clip, body_model, tmp_path, 'a', [kind for kind in CLIP_WRITERS if kind != 'usd'])
    assert {path.name for path in paths} >= {'a.glb', 'a.csv', 'a'}
    assert read_glb(tmp_path / 'glb/a.glb')[0]['nodes'][1]['camera'] == 0


def test_without_the_package_there_is_no_usd(clip, body_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pxr', None)
    with pytest.raises(KindError, match=r'no usd of walk: .*pip install "mmhuman_dto\[usd\]"'):
        save_clip(clip, body_model, tmp_path, 'a', ['usd'])


def test_unknown_kinds_are_named_and_nothing_is_written(clip, body_model, tmp_path):
    with pytest.raises(ValueError, match='cannot save overlay; known: glb, usd, html, bvh'):
        save_clip(clip, body_model, tmp_path, 'a', ['glb', 'overlay'])
    assert not list(tmp_path.iterdir())
