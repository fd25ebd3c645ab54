import numpy as np
import pytest
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole
from results.videos import SIZE, check_frames, check_stand_ins, model_files, refuses_pickles, true_tracks

from mmhuman_dto.fileio import load_joblib
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.wham import Wham

joblib = pytest.importorskip('joblib')
FOCAL = np.hypot(*SIZE)


def content(verts=True, tracks=None):
    """As demo.py --save_pkl leaves it, of {number: :class:`TrueTrack`}; the world has y up and another place."""
    people = {}
    for number, track in (tracks or dict(zip((0, 3, 7), true_tracks()))).items():
        rows = len(track.frames)
        people[number] = dict(pose=track.pose.reshape(rows, 72), trans=track.transl.copy(),
                              pose_world=np.zeros((rows, 72), np.float32), trans_world=np.ones((rows, 3), np.float32),
                              betas=track.betas, verts=track.vertices, frame_ids=np.array(track.frames))
        if not verts:
            del people[number]['verts']
    return people


@pytest.fixture
def path(tmp_path):
    joblib.dump(content(), tmp_path / 'wham_output.pkl')
    return tmp_path / 'wham_output.pkl'


def test_people_are_where_they_were(path):
    for place in (path, path.parent):
        reader = open_results(place, None, context(SIZE, model_files()))
        assert isinstance(reader, Wham)
        results = reader.read()
        check_frames(results, true_tracks(), pinhole(FOCAL, 360, 240), (0, 3, 7))
        assert results.focal_is_guess and results.images[0].image_size == SIZE and results.images[0].name == '0'


def test_stand_ins_are_as_large_as_the_given_vertices(path):
    results = open_results(path, None, context(SIZE)).read()
    check_stand_ins(results, true_tracks())
    true = np.ptp(true_tracks()[0].vertices[0], axis=0)
    np.testing.assert_allclose(np.linalg.norm(np.ptp(results.images[0].people.vertices[0].numpy(), axis=0)),
                               np.linalg.norm(true), rtol=1e-4)


def test_without_vertices_or_pictures(tmp_path):
    joblib.dump(content(verts=False), tmp_path / 'wham_output.pkl')
    reader = open_results(tmp_path, 'wham', context(None, model_files()))
    results = reader.read()
    assert results.images[0].intrinsics is None and any('--images' in note for note in results.notes)
    np.testing.assert_allclose(results.images[3].people.vertices[2], true_tracks()[2].vertices[1], atol=1e-4)
    reader.write(tmp_path / 'out', none_of(results))
    alike(load_joblib(tmp_path / 'out' / 'wham_output.pkl'), content(verts=False))


def test_round_trip(path, tmp_path):
    reader = open_results(path, None, context(SIZE))
    written, = reader.write(tmp_path / 'out', none_of(reader.read()))
    assert written == tmp_path / 'out' / 'wham_output.pkl'
    alike(load_joblib(written), content())
    alike(joblib.load(written), content())


def test_moves_change_trans_and_verts_and_not_the_world(path, tmp_path):
    reader = open_results(path, None, context(SIZE, model_files()))
    results = reader.read()
    moves = moves_of(results, row=1)  # person 3 in frame 0
    reader.write(tmp_path / 'out', moves)
    got, want = load_joblib(tmp_path / 'out' / 'wham_output.pkl'), content()
    alike(got[0], want[0])
    alike(got[7], want[7])
    assert changed_keys(got[3], want[3]) == {'trans', 'verts'}
    track, shift = true_tracks()[1], moves[0].shift[1].numpy()
    np.testing.assert_allclose(got[3]['trans'][0], track.transl[0] + shift, atol=1e-5)
    np.testing.assert_array_equal(got[3]['trans'][1:], track.transl[1:])
    np.testing.assert_allclose(got[3]['verts'][0], track.pelvis[0] + shift + .7 * (track.vertices[0] - track.pelvis[0]),
                               atol=1e-4)
    np.testing.assert_array_equal(got[3]['verts'][1:], track.vertices[1:])
    assert any('trans_world are left' in note for note in results.notes)


def test_errors_name_file_and_key(tmp_path):
    path = tmp_path / 'wham_output.pkl'
    for change, said in (({'pose': np.zeros((4, 3))}, 'key \'pose\''), ({'verts': np.zeros((4, 5, 3))}, 'key verts'),
                         ({'betas': np.zeros((3, 10))}, '4 frames, but betas has 3')):
        wrong = content()
        wrong[0].update(change)
        joblib.dump(wrong, path)
        with pytest.raises(ResultError, match=f'wham_output.pkl, person 0.*{said}'):
            open_results(path, 'wham', context()).read()
    wrong = content()
    wrong[3]['trans'][2] = np.nan  # frame 3
    joblib.dump(wrong, path)
    with pytest.raises(ResultError, match='wham_output.pkl, 3, person 1 of it: its transl is not finite'):
        open_results(path, 'wham', context()).read()
    joblib.dump({'a person': content()[0]}, path)
    with pytest.raises(ResultError, match='wham_output.pkl: its content is not as expected .ValueError.*expected wham'):
        open_results(path, 'wham', context()).read()
    joblib.dump([1], path)
    with pytest.raises(ResultError, match='wham_output.pkl: holds a list of 1; expected wham_output.pkl of demo.py'):
        open_results(path, 'wham', context()).read()


def test_nothing_is_run(tmp_path):
    refuses_pickles(tmp_path / 'wham_output.pkl', 'wham', tmp_path)
