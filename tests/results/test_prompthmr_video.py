import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole
from results.videos import SIZE, check_frames, check_stand_ins, model_files, refuses_pickles, true_tracks

from mmhuman_dto.fileio import load_joblib
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.prompthmr_video import PromptHmrVideo

joblib = pytest.importorskip('joblib')
FOCAL, NUMBERS = 711.5, (1, 2, 5)
#: Of the camera in the world, whose y is up, in each of the four frames.
TURNS = axis_angle_to_matrix(torch.tensor([[3.1, 0, 0], [3., .1, 0], [3., .2, 0], [2.9, .3, 0]])).numpy()


def content(poses=True):
    """As the pipeline leaves it; people of the world stand where the camera's do."""
    people = {}
    for number, track in zip(NUMBERS, true_tracks('smplx')):
        rows, turns = len(track.frames), TURNS[track.frames]
        root = matrix_to_axis_angle(torch.tensor(turns) @ torch.tensor(track.matrices[:, 0])).numpy()
        rest = track.pelvis - track.transl
        pelvis = np.einsum('tij,tj->ti', turns, track.pelvis) + np.ones(3)
        pose = np.concatenate([root[:, None], track.pose[:, 1:]], 1).reshape(rows, 165)
        people[number] = dict(
            frames=np.array(track.frames), track_id=number, bboxes=np.ones((rows, 4)), detected=np.ones(rows, bool),
            smplx_cam=dict(rotmat=track.matrices, pose=np.zeros((rows, 75), np.float32), shape=track.betas,
                           trans=track.transl, contact=np.zeros((rows, 6), np.float32)),
            smplx_world=dict(pose=pose.astype(np.float32), shape=track.betas,
                             trans=(pelvis - rest).astype(np.float32)))
    camera = dict(pred_cam_R=TURNS * 0 + np.eye(3), pred_cam_T=np.zeros((4, 3)), img_focal=np.float64(FOCAL),
                  img_center=np.array([SIZE[1] / 2, SIZE[0] / 2]))
    world = dict(Rwc=TURNS, Twc=np.ones((4, 3), np.float32), Rcw=TURNS.transpose(0, 2, 1),
                 Tcw=np.ones((4, 3), np.float32), img_focal=np.float64(FOCAL), img_center=camera['img_center'])
    return dict(camera=camera, people=people, timings=dict(a=1.), has_tracks=True,
                **(dict(camera_world=world) if poses else {}))


@pytest.fixture
def path(tmp_path):
    joblib.dump(content(), tmp_path / 'results.pkl')
    return tmp_path / 'results.pkl'


def test_people_are_where_they_were(path):
    reader = open_results(path.parent, None, context(None, model_files()))
    assert isinstance(reader, PromptHmrVideo)
    results = reader.read()
    check_frames(results, true_tracks('smplx'), pinhole(FOCAL, 360, 240), NUMBERS)
    assert results.images[0].image_size == SIZE and not results.focal_is_guess
    assert any('896' in note for note in results.notes)


def test_where_the_camera_was(path):
    """The world's people must be where the camera's are seen, else the poses are none of this world."""
    poses = open_results(path.parent, None, context(None, model_files())).read().camera_poses
    np.testing.assert_allclose(poses[:, :3, :3], TURNS.transpose(0, 2, 1), atol=1e-6)
    np.testing.assert_allclose(poses @ torch.ones(4).double(), np.tile([0, 0, 0, 1], (4, 1)), atol=1e-6)
    wrong = content()
    wrong['camera_world']['Twc'] = wrong['camera_world']['Twc'] + 1
    joblib.dump(wrong, path)
    assert open_results(path, 'prompthmr_video', context()).read().camera_poses is None
    joblib.dump(content(poses=False), path)
    assert open_results(path, 'prompthmr_video', context()).read().camera_poses is None


def test_stand_ins(path):
    check_stand_ins(open_results(path, 'prompthmr_video', context()).read(), true_tracks('smplx'))


def test_round_trip(path, tmp_path):
    for want in content(), content(poses=False):
        joblib.dump(want, path)
        reader = open_results(path, 'prompthmr_video', context())
        written, = reader.write(tmp_path / 'out', none_of(reader.read()))
        alike(load_joblib(written), want)
        alike(joblib.load(written), want)


def test_moves_change_the_camera_s_and_the_world_s_place(path, tmp_path):
    reader = open_results(path, 'prompthmr_video', context(None, model_files()))
    results = reader.read()
    moves = moves_of(results, row=1)
    reader.write(tmp_path / 'out', moves)
    got, want = load_joblib(tmp_path / 'out' / path.name), content()
    alike({**got, 'people': 0}, {**want, 'people': 0})
    alike({**got['people'], 2: 0}, {**want['people'], 2: 0})
    got, want, shift = got['people'][2], want['people'][2], moves[0].shift[1].numpy()
    assert changed_keys(got, want) == {'smplx_cam', 'smplx_world'}
    for name, turn in (('smplx_cam', np.eye(3)), ('smplx_world', TURNS[0])):
        assert changed_keys(got[name], want[name]) == {'trans'}
        np.testing.assert_allclose(got[name]['trans'] - want[name]['trans'], np.outer([1, 0, 0], turn @ shift),
                                   atol=1e-5)
    assert not any('left as it is' in note for note in results.notes)


@pytest.mark.parametrize('how', ['none', 'of others', 'too few'])
def test_the_world_stays_where_the_camera_s_poses_are_not_known(path, tmp_path, how):
    want = content(poses=how != 'none')
    if how == 'of others':
        want['camera_world']['Rwc'] = TURNS.transpose(0, 2, 1) @ TURNS[1]
    elif how == 'too few':
        want['camera_world']['Rwc'] = TURNS[:2]
    joblib.dump(want, path)
    reader = open_results(path, 'prompthmr_video', context())
    results = reader.read()
    reader.write(tmp_path / 'out', moves_of(results, row=0))
    got = load_joblib(tmp_path / 'out' / path.name)['people'][1]
    assert changed_keys(got, want['people'][1]) == {'smplx_cam'}
    assert any('smplx_world is left as it is' in note for note in results.notes)


def test_the_camera_that_people_were_placed_for_is_written(path, tmp_path):
    reader = open_results(path, 'prompthmr_video', context())
    moves = none_of(reader.read())
    for move in moves:
        move.intrinsics = torch.tensor(pinhole(600, 350, 240))
    got, want = load_joblib(*reader.write(tmp_path / 'out', moves)), content()
    assert changed_keys(got, want) == {'camera', 'camera_world'}
    for key in 'camera', 'camera_world':
        assert changed_keys(got[key], want[key]) == {'img_focal', 'img_center'} and got[key]['img_focal'] == 600


def test_errors_name_file_and_key(path):
    for change, said in (
            (lambda wrong: wrong.pop('people'), 'results.pkl: holds the keys camera.*expected results.pkl'),
            (lambda wrong: wrong['camera'].pop('img_focal'), 'results.pkl, key camera: holds.*img_focal, img_center'),
            (lambda wrong: wrong['people'][2].pop('smplx_cam'), 'person 2: holds the keys frames.*smplx_cam'),
            (lambda wrong: wrong['people'][2]['smplx_cam'].update(trans=np.zeros((9, 3))), '3 frames, but transl has')):
        wrong = content()
        change(wrong)
        joblib.dump(wrong, path)
        with pytest.raises(ResultError, match=said):
            open_results(path, 'prompthmr_video', context()).read()


def test_nothing_is_run(tmp_path):
    refuses_pickles(tmp_path / 'results.pkl', 'prompthmr_video', tmp_path)
