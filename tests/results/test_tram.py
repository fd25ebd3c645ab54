import io
import pickle

import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole
from results.videos import SIZE, check_frames, check_stand_ins, model_files, refuses_pickles, true_tracks

from mmhuman_dto.fileio import load_npy
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.tram import Tram

FOCAL, NUMBERS = 640.5, (0, 2, 10)


def camera():
    return dict(pred_cam_R=torch.eye(3).repeat(4, 1, 1), pred_cam_T=torch.zeros(4, 3),
                world_cam_R=torch.eye(3).repeat(4, 1, 1), world_cam_T=torch.ones(4, 3), img_focal=FOCAL,
                img_center=np.array([SIZE[1] / 2, SIZE[0] / 2]), spec_focal=500.)


def track(truth):
    rows = len(truth.frames)
    return dict(pred_cam=torch.ones(rows, 3), pred_pose=torch.zeros(rows, 144), pred_shape=torch.tensor(truth.betas),
                pred_rotmat=torch.tensor(truth.matrices), pred_trans=torch.tensor(truth.transl)[:, None],
                frame=torch.tensor(truth.frames))


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / 'video'
    (folder / 'hps').mkdir(parents=True)
    np.save(folder / 'camera.npy', camera())
    for number, truth in zip(NUMBERS, true_tracks()):
        np.save(folder / 'hps' / f'hps_track_{number}.npy', track(truth))
    return folder


def test_people_are_where_they_were(path):
    reader = open_results(path, None, context(None, model_files()))
    assert isinstance(reader, Tram)
    results = reader.read()
    check_frames(results, true_tracks(), pinhole(FOCAL, 360, 240), NUMBERS)
    assert not results.focal_is_guess and results.images[0].image_size == SIZE


def test_where_the_camera_was(path):
    turned, content = torch.tensor([[0., 0, 1], [0, 1, 0], [-1, 0, 0]]), camera()
    content['world_cam_R'] = turned.repeat(4, 1, 1)
    content['world_cam_T'] = torch.arange(12.).view(4, 3)
    np.save(path / 'camera.npy', content)
    poses = open_results(path, 'tram', context()).read().camera_poses
    np.testing.assert_allclose(poses[2] @ torch.tensor([6., 7, 8, 1]).double(), [0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(poses[0, :3, :3], turned.T)
    for wrong in (dict(world_cam_R=2 * turned.repeat(4, 1, 1)), dict(world_cam_T=torch.zeros(3, 3))):
        np.save(path / 'camera.npy', content | wrong)
        assert open_results(path, 'tram', context()).read().camera_poses is None


def test_stand_ins(path):
    check_stand_ins(open_results(path, 'tram', context()).read(), true_tracks())


def test_round_trip(path, tmp_path):
    reader = open_results(path, 'tram', context())
    written = reader.write(tmp_path / 'out', none_of(reader.read()))
    assert [str(file.relative_to(tmp_path / 'out')) for file in written] == [
        'hps/hps_track_0.npy', 'hps/hps_track_2.npy', 'hps/hps_track_10.npy', 'camera.npy']
    for file, truth in zip(written, true_tracks()):
        alike(load_npy(file), track(truth))
        alike(np.load(file, allow_pickle=True).item(), track(truth))
    alike(load_npy(written[3]), camera())


def test_moves_change_pred_trans_alone(path, tmp_path):
    reader = open_results(path, 'tram', context())
    moves = moves_of(reader.read(), row=1)
    reader.write(tmp_path / 'out', moves)
    truth = true_tracks()[1]
    got = load_npy(tmp_path / 'out' / 'hps' / 'hps_track_2.npy')
    assert changed_keys(got, track(truth)) == {'pred_trans'} and got['pred_trans'].shape == (3, 1, 3)
    np.testing.assert_allclose(got['pred_trans'][0, 0], truth.transl[0] + moves[0].shift[1].numpy(), atol=1e-6)
    np.testing.assert_array_equal(got['pred_trans'][1:, 0], truth.transl[1:])
    alike(load_npy(tmp_path / 'out' / 'hps' / 'hps_track_0.npy'), track(true_tracks()[0]))


def test_tracks_of_josh_have_no_camera_beside_them(path):
    (path / 'camera.npy').unlink()
    for file in (path / 'hps').iterdir():
        file.rename(path / file.name)
    (path / 'hps').rmdir()
    results = open_results(path, None, context(SIZE)).read()
    assert results.images[0].intrinsics is None and any('camera.npy' in note for note in results.notes)
    check_stand_ins(results, true_tracks())


def test_the_camera_that_people_were_placed_for_is_written(path, tmp_path):
    reader = open_results(path, 'tram', context())
    results = reader.read()
    moves = none_of(results)
    for move in moves:
        move.intrinsics = torch.tensor(pinhole(600, 350, 240))
    reader.write(tmp_path / 'out', moves)
    got = load_npy(tmp_path / 'out' / 'camera.npy')
    assert changed_keys(got, camera()) == {'img_focal', 'img_center'} and got['img_focal'] == 600.
    assert type(got['img_focal']) is float and got['img_center'].tolist() == [350, 240]


def test_errors_name_file_and_key(path):
    np.save(path / 'hps' / 'hps_track_2.npy', dict(track(true_tracks()[1]), pred_trans=torch.zeros(3, 3)))
    with pytest.raises(ResultError, match=r"hps_track_2.npy, key 'pred_trans': shape \(3, 3\), expected \(any, 1, 3\)"):
        open_results(path, 'tram', context()).read()
    np.save(path / 'hps' / 'hps_track_2.npy', np.zeros(3))
    with pytest.raises(ResultError, match='hps_track_2.npy: holds a ndarray'):
        open_results(path, 'tram', context()).read()
    with pytest.raises(ResultError, match='no hps_track_<k>.npy; expected a folder'):
        open_results(path.parent, 'tram', context()).read()


def test_nothing_is_run(tmp_path):
    def npy(payload):
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, dict(descr='|O', fortran_order=False, shape=()))
        return stream.getvalue() + payload

    assert pickle.loads(npy(pickle.dumps(1))[-5:])
    refuses_pickles(tmp_path / 'hps_track_0.npy', 'tram', tmp_path, npy)
