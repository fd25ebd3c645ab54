import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, none_of, pinhole, shown
from results.videos import SIZE, check_frames, check_stand_ins, model_files, refuses_pickles, true_tracks

from mmhuman_dto.fileio import load_joblib
from mmhuman_dto.results import Moves, ResultError, open_results
from mmhuman_dto.results.phalp import Phalp

joblib = pytest.importorskip('joblib')
FOCAL = 5000 / 256 * max(SIZE)
NUMBERS = 1, 4, 6
LISTS = ('tid', 'bbox', 'tracked_ids', 'tracked_bbox', 'tracked_time', 'conf', 'center', 'scale', 'size', 'camera',
         'camera_bbox', 'smpl', '3d_joints', '2d_joints', 'mask')


def content():
    """As track.py leaves it, of four frames; the last list entry of frame 2 is a ghost, whom nobody saw."""
    frames = frames_of(dict(zip(NUMBERS, true_tracks())), 4, SIZE, {2: (4, 1)})
    frames['outputs/_DEMO/v/img/000005.jpg'] = dict(
        time=4, shot=0, frame_path='outputs/_DEMO/v/img/000005.jpg', **{name: [] for name in LISTS})
    return frames


def frames_of(tracks, count, size, ghosts=()):
    """The file's frames of {number: :class:`TrueTrack`}; ghosts: {frame: (number, frame in which it was seen)}."""
    frames, turns = {}, {tid: track.matrices for tid, track in tracks.items()}
    for number in range(count):
        frame = dict(time=number, shot=0, frame_path=f'outputs/_DEMO/v/img/{number + 1:06d}.jpg',
                     **{name: [] for name in LISTS})
        there = [(tid, track.at(number), 0) for tid, track in tracks.items() if number in track.frames]
        if number in ghosts:
            tid, seen = ghosts[number]
            there.append((tid, tracks[tid].at(seen), 1))
        for tid, row, age in there:
            track = tracks[tid]
            person = dict(
                tid=tid, bbox=np.array([10., 20, 30, 60]), tracked_time=age, conf=np.float32(.9),
                center=np.array([25., 50]), scale=np.array([60., 60]), size=list(size), camera=track.transl[row],
                camera_bbox=np.ones(3, np.float32),
                smpl=dict(global_orient=turns[tid][row, :1], body_pose=turns[tid][row, 1:],
                          betas=track.betas[row]),
                mask=dict(size=list(size), counts=b'abc'), **{
                    '3d_joints': np.ones((45, 3), np.float32), '2d_joints': np.ones(90, np.float32)})
            if not age:
                person.update(tracked_ids=tid, tracked_bbox=person['bbox'])
            for name, value in person.items():
                frame[name].append(value)
        frames[frame['frame_path']] = frame
    return frames


@pytest.fixture
def path(tmp_path):
    joblib.dump(content(), tmp_path / 'demo_v.pkl', compress=3)
    return tmp_path / 'demo_v.pkl'


def test_people_are_where_they_were(path):
    reader = open_results(path, None, context(None, model_files()))
    assert isinstance(reader, Phalp)
    results = reader.read()
    assert results.focal_is_guess and len(results.images) == 5 and len(results.images[4].people) == 0
    assert [image.name for image in results.images[:2]] == ['000001.jpg', '000002.jpg']
    results.images = results.images[:4]
    check_frames(results, true_tracks(), pinhole(FOCAL, 360, 240), NUMBERS)
    people = results.images[0].people
    assert people.bboxes[0].tolist() == [10, 20, 40, 80] and people.scores.tolist() == pytest.approx([.9, .9])


def test_size_is_height_and_width(path):
    """Not as the other way round, which the README says: the axis would go through another place."""
    image = open_results(path, 'phalp', context()).read().images[0]
    assert image.image_size == (480, 720) and image.intrinsics[:2, 2].tolist() == [360, 240]
    assert image.intrinsics[0, 0] == pytest.approx(14062.5)


def test_ghosts_are_no_people_and_stay(path, tmp_path):
    reader = open_results(path, 'phalp', context())
    results = reader.read()
    assert results.images[2].people.track_ids.tolist() == [1, 6]
    moves = none_of(results)
    moves[2] = Moves(torch.ones(2, 3).double(), torch.ones(2).double())
    reader.write(tmp_path / 'out', moves)
    got, want = load_joblib(tmp_path / 'out' / path.name), content()
    key = list(want)[2]
    assert got[key]['tracked_time'] == [0, 0, 1] and got[key]['tid'] == [1, 6, 4]
    np.testing.assert_allclose(got[key]['camera'], np.array(want[key]['camera']) + [[1], [1], [0]], atol=1e-6)


def test_stand_ins(path):
    results = open_results(path, 'phalp', context()).read()
    results.images = results.images[:4]  # nobody is in the fifth
    check_stand_ins(results, true_tracks())


def test_round_trip(path, tmp_path):
    reader = open_results(path, 'phalp', context())
    written, = reader.write(tmp_path / 'out', none_of(reader.read()))
    alike(load_joblib(written), content())
    alike(joblib.load(written), content())


def test_moves_change_camera_alone(path, tmp_path):
    reader = open_results(path, 'phalp', context(None, model_files()))
    results = reader.read()
    pelvis = results.images[1].people.pelvis.double()
    moves = none_of(results)
    moves[1] = Moves(torch.stack([pelvis[0] * .5, torch.zeros(3).double()]), torch.tensor([1.5, 1]).double())
    reader.write(tmp_path / 'out', moves)
    got, want = load_joblib(tmp_path / 'out' / path.name), content()
    keys = list(want)
    for key in keys[:1] + keys[2:]:
        alike(got[key], want[key])
    assert changed_keys(got[keys[1]], want[keys[1]]) == {'camera'}
    np.testing.assert_array_equal(got[keys[1]]['camera'][1], want[keys[1]]['camera'][1])
    assert got[keys[1]]['camera'][0].dtype == np.float32
    again = open_results(tmp_path / 'out' / path.name, None, context(None, model_files())).read().images[1]
    np.testing.assert_allclose(again.people.pelvis[0], 1.5 * pelvis[0], rtol=1e-5)
    np.testing.assert_allclose(shown(again.people.pelvis, again.intrinsics),
                               shown(pelvis, results.images[1].intrinsics), atol=.01)


def test_errors_name_file_and_key(tmp_path):
    path, key = tmp_path / 'demo_v.pkl', 'outputs/_DEMO/v/img/000001.jpg'

    def refused(said, **change):
        wrong = content()
        wrong[key].update(change)
        joblib.dump(wrong, path)
        with pytest.raises(ResultError, match=f'demo_v.pkl, frame {key}.*{said}'):
            open_results(path, 'phalp', context()).read()

    refused('lists of different lengths: tid 2, tracked_time 2, smpl 2, camera 1, size 2', camera=[np.zeros(3)])
    refused("person 0, key 'camera': shape \\(2,\\), expected \\(3\\)", camera=[np.zeros(2)] * 2)
    refused("person 1, key smpl: holds the keys betas", smpl=[content()[key]['smpl'][0], dict(betas=[1])])


def test_nothing_is_run(tmp_path):
    refuses_pickles(tmp_path / 'a' / 'demo_v.pkl', 'phalp', tmp_path / 'a' / 'demo_v.pkl')
