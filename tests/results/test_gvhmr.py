import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole
from results.videos import SIZE, check_frames, check_stand_ins, model_files, posed, refuses_pickles, true_tracks

from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.gvhmr import Gvhmr

FOCAL = float(np.hypot(*SIZE))


def truth():
    """The one person, in all frames; face and hands are at rest."""
    track = true_tracks('smplx')[0]
    pose = track.pose.copy()
    pose[:, 22:] = 0
    vertices, joints = posed('smplx', pose, track.betas, track.transl)
    return track._replace(pose=pose, vertices=vertices, joints=joints)


def content(focal=FOCAL):
    track = truth()
    pose = torch.tensor(track.pose)
    person = dict(body_pose=pose[:, 1:22].flatten(1), betas=torch.tensor(track.betas), global_orient=pose[:, 0],
                  transl=torch.tensor(track.transl))
    intrinsics = torch.tensor(pinhole(focal, 360, 240)).float().repeat(4, 1, 1)
    return dict(smpl_params_global={key: value * 0 + 1 for key, value in person.items()}, smpl_params_incam=person,
                K_fullimg=intrinsics, net_outputs=dict(model_output=dict(pred_context=torch.zeros(4, 2))))


@pytest.fixture
def path(tmp_path):
    torch.save(content(), tmp_path / 'hmr4d_results.pt')
    return tmp_path / 'hmr4d_results.pt'


def test_the_person_is_where_it_was(path):
    reader = open_results(path, None, context(None, model_files()))
    assert isinstance(reader, Gvhmr)
    results = reader.read()
    check_frames(results, [truth()], pinhole(FOCAL, 360, 240), [0])
    assert results.focal_is_guess and results.images[0].image_size == SIZE
    torch.save(content(focal=500.), path)
    assert not open_results(path.parent, 'gvhmr', context()).read().focal_is_guess


def test_stand_ins(path):
    check_stand_ins(open_results(path, 'gvhmr', context()).read(), [truth()])


def test_round_trip(path, tmp_path):
    reader = open_results(path, 'gvhmr', context())
    written, = reader.write(tmp_path / 'out', none_of(reader.read()))
    alike(torch.load(written), content())


def test_moves_change_transl_in_the_camera_alone(path, tmp_path):
    reader = open_results(path, 'gvhmr', context())
    results = reader.read()
    moves = moves_of(results, row=0)
    reader.write(tmp_path / 'out', moves)
    got, want = torch.load(tmp_path / 'out' / path.name), content()
    assert changed_keys(got, want) == {'smpl_params_incam'}
    assert changed_keys(got['smpl_params_incam'], want['smpl_params_incam']) == {'transl'}
    np.testing.assert_allclose(got['smpl_params_incam']['transl'] - want['smpl_params_incam']['transl'],
                               np.outer([1, 0, 0, 0], moves[0].shift[0]), atol=1e-6)
    assert any('smpl_params_global is left' in note for note in results.notes)


def test_the_camera_that_people_were_placed_for_is_written(path, tmp_path):
    reader = open_results(path, 'gvhmr', context())
    moves = moves_of(reader.read(), row=0, shift=(0, 0, 0), scale=1, camera=torch.tensor(pinhole(600, 350, 240)))
    written, = reader.write(tmp_path / 'out', moves)
    got, want = torch.load(written), content()
    assert changed_keys(got, want) == {'K_fullimg'}
    np.testing.assert_array_equal(got['K_fullimg'][0], pinhole(600, 350, 240))
    np.testing.assert_array_equal(got['K_fullimg'][1:], want['K_fullimg'][1:])


def test_errors_name_file_and_key(path):
    wrong = content()
    del wrong['K_fullimg']
    torch.save(wrong, path)
    with pytest.raises(ResultError, match='hmr4d_results.pt: holds the keys smpl_params_global.*expected hmr4d'):
        open_results(path, 'gvhmr', context()).read()
    wrong = content()
    del wrong['smpl_params_incam']['transl']
    torch.save(wrong, path)
    with pytest.raises(ResultError, match="hmr4d_results.pt, key smpl_params_incam: no key 'transl'"):
        open_results(path, 'gvhmr', context()).read()


def test_nothing_is_run(tmp_path):
    refuses_pickles(tmp_path / 'hmr4d_results.pt', 'gvhmr', tmp_path)
