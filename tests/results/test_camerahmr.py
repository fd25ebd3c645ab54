import math

import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, check_people, context, malicious, moves_of, none_of, pinhole
from results.videos import SIZE, model_files, true_tracks

from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.camerahmr import CameraHmr

VFOV = 1.1
FOCAL = SIZE[0] / 2 / math.tan(VFOV / 2)


def arrays(how='crop'):
    """:func:`content` as an npz gives it."""
    return {key: np.asarray(value) for key, value in content(how).items()}


def truth():
    return tuple(np.concatenate([getattr(track, name)[:1] for track in true_tracks()[:2]])
                 for name in ('matrices', 'betas', 'transl', 'vertices', 'joints'))


def content(how='crop'):
    """As the documented lines save it, by translations or by cameras of square boxes, whose inverse is written out."""
    matrices, betas, transl, vertices, _ = truth()
    people = dict(global_orient=matrices[:, :1], body_pose=matrices[:, 1:], betas=betas,
                  pred_vertices=vertices - transl[:, None])
    if how == 'full':
        return dict(people, pred_cam_t=transl, cam_int=pinhole(FOCAL, 350, 240).astype(np.float32))
    centre, side = np.array([[300., 200], [500, 260]]), np.array([180., 240])
    scale = 2 * FOCAL / (side * transl[:, 2])
    offset = transl[:, :2] - 2 * (centre - [360, 240]) / (side * scale)[:, None]
    cam = np.concatenate([scale[:, None], offset], 1).astype(np.float32)
    return dict(people, pred_cam=cam, box_center=centre, box_size=side, vfov=np.float64(VFOV), img_size=np.array(SIZE))


@pytest.mark.parametrize('how, centre', [('crop', (360, 240)), ('full', (350, 240))])
def test_people_are_where_they_were(tmp_path, how, centre):
    np.savez(tmp_path / 'a.npz', **content(how))
    reader = open_results(tmp_path, None, context(None, model_files()))
    assert isinstance(reader, CameraHmr)
    results = reader.read()
    assert results.images[0].name == 'a' and not results.focal_is_guess
    check_people(results.images[0], *(truth()[3], truth()[4][:, 0]), pinhole(FOCAL, *centre))


def test_stand_ins(tmp_path):
    np.savez(tmp_path / 'a.npz', **content())
    people = open_results(tmp_path, 'camerahmr', context()).read().images[0].people
    np.testing.assert_allclose(people.pelvis, truth()[4][:, 0], atol=.03)


@pytest.mark.parametrize('how, key', [('crop', 'pred_cam'), ('full', 'pred_cam_t')])
def test_round_trip_and_moves(tmp_path, how, key):
    np.savez(tmp_path / 'a.npz', **content(how))
    reader = open_results(tmp_path / 'a.npz', 'camerahmr', context(None, model_files()))
    results = reader.read()
    written, = reader.write(tmp_path / 'out', none_of(results))
    alike(dict(np.load(written)), arrays(how))
    moves = moves_of(results, row=1)
    reader.write(tmp_path / 'out', moves)
    got = dict(np.load(written))
    assert changed_keys(got, arrays(how)) == {key} and got[key].dtype == np.float32
    np.testing.assert_array_equal(got[key][0], content(how)[key][0])
    again = open_results(written, None, context(None, model_files())).read().images[0]
    np.testing.assert_allclose(again.people.pelvis, results.images[0].people.pelvis + moves[0].shift, atol=1e-4)


@pytest.mark.parametrize('how, keys', [('crop', {'pred_cam', 'vfov'}), ('full', {'pred_cam_t', 'cam_int'})])
def test_another_camera_is_written(tmp_path, how, keys):
    np.savez(tmp_path / 'a.npz', **content(how))
    reader = open_results(tmp_path, 'camerahmr', context(None, model_files()))
    results = reader.read()
    moves = moves_of(results, camera=torch.tensor(pinhole(700, 360, 240)))
    written, = reader.write(tmp_path / 'out', moves)
    assert changed_keys(dict(np.load(written)), arrays(how)) == keys
    again = open_results(written, None, context(None, model_files())).read().images[0]
    np.testing.assert_allclose(again.intrinsics, pinhole(700, 360, 240), rtol=1e-6)
    np.testing.assert_allclose(again.people.pelvis, results.images[0].people.pelvis + moves[0].shift, atol=1e-4)


def test_its_own_meshes_are_refused_with_what_to_do(tmp_path):
    """They have no translation and are of the first person alone: read as 4D-Humans' they would stand in the camera."""
    (tmp_path / 'photo_000000.obj').write_text('v 0 0 0\n' * 6890 + 'f 1 2 3\n')
    with pytest.raises(ResultError, match='one person a picture, without their translation.*docs/place_formats.md'):
        open_results(tmp_path, None, context(SIZE)).read()


def test_errors_name_file_and_key(tmp_path):
    np.savez(tmp_path / 'a.npz', **dict(content(), box_size=np.ones(3)))
    with pytest.raises(ResultError, match=r"a.npz, key 'box_size': shape \(3,\), expected \(2\)"):
        open_results(tmp_path, 'camerahmr', context()).read()
    wrong = content()
    del wrong['img_size']
    np.savez(tmp_path / 'a.npz', **wrong)
    with pytest.raises(ResultError, match='a.npz: the size of the pictures.*--images'):
        open_results(tmp_path, 'camerahmr', context()).read()
    np.savez(tmp_path / 'a.npz', a=1)
    with pytest.raises(ResultError, match='a.npz: holds the keys a; expected a file a picture'):
        open_results(tmp_path, 'camerahmr', context()).read()


def test_nothing_is_run(tmp_path):
    payload, evidence = malicious(tmp_path)
    (tmp_path / 'a.pkl').write_bytes(payload)
    with pytest.raises(UnsafeFileError, match='a.pkl: refused'):
        open_results(tmp_path / 'a.pkl', 'camerahmr', context()).read()
    assert not evidence.exists()
