import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of
from results.videos import body, model_files, npz_of, posed, refuses_pickles, true_tracks

from mmhuman_dto.apis.placing import place
from mmhuman_dto.fileio.amass import write_amass
from mmhuman_dto.fileio.gltf import FLIP
from mmhuman_dto.geometry.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.geometry.skeleton import Skeleton
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.amass import Amass

#: Our axes -> the file's: x, y to the back, z up.
TURN = np.array([[1., 0, 0], [0, 0, 1], [0, -1, 0]])
NAMES = {'smplh': ('mocap_framerate', 156), 'smplx': ('mocap_frame_rate', 165)}


def layout(kind):
    return 'smplx' if kind == 'smplx' else 'smpl'


def truth(kind):
    """One person, in our axes; SMPL-H's hands are no joints of SMPL."""
    track = true_tracks(layout(kind))[0]
    pose = track.pose.copy()
    if kind == 'smplh':
        pose[:, 22:] = 0
    return track._replace(pose=pose, **dict(zip(('vertices', 'joints'), posed(
        layout(kind), pose, track.betas, track.transl))))


def content(kind, **more):
    track = truth(kind)
    root = matrix_to_axis_angle(torch.tensor(TURN) @ axis_angle_to_matrix(torch.tensor(track.pose[:, 0]).double()))
    pose = np.concatenate([root.numpy()[:, None], track.pose[:, 1:22], track.pose[:, 22:]], 1)
    if kind == 'smplh':
        pose = np.concatenate([pose[:, :22], np.full((len(pose), 30, 3), .1)], 1)
    rest = track.pelvis - track.transl
    rate, size = NAMES[kind]
    return dict(poses=pose.reshape(len(pose), size), trans=track.pelvis @ TURN.T - rest,
                betas=np.pad(track.betas[0], (0, 6)), gender=np.array('neutral'), **{rate: np.array(120.)}, **more)


@pytest.fixture(params=NAMES)
def kind(request):
    return request.param


@pytest.fixture
def path(tmp_path, kind):
    np.savez(tmp_path / 'walk_poses.npz', **content(kind))
    return tmp_path / 'walk_poses.npz'


def test_people_are_in_our_axes(path, kind):
    """Not with trans turned, which is off by where the pelvis is at rest."""
    reader = open_results(path, None, context(None, model_files()))
    assert isinstance(reader, Amass)
    results, track = reader.read(), truth(kind)
    assert [image.frame for image in results.images] == track.frames and results.images[0].intrinsics is None
    for frame, image in enumerate(results.images):
        np.testing.assert_allclose(image.people.vertices[0], track.vertices[frame], atol=1e-4)
        np.testing.assert_allclose(image.people.pelvis[0], track.pelvis[frame], atol=1e-4)
        assert image.people.track_ids.tolist() == [0]


def test_stand_ins(path, kind):
    for frame, image in enumerate(open_results(path, 'amass', context()).read().images):
        np.testing.assert_allclose(image.people.pelvis[0], truth(kind).pelvis[frame], atol=.06)


def test_round_trip_and_moves(path, tmp_path, kind):
    reader = open_results(path, 'amass', context(None, model_files()))
    results = reader.read()
    written, = reader.write(tmp_path / 'out', none_of(results))
    alike(dict(np.load(written)), content(kind))
    moves = moves_of(results, row=0)
    reader.write(tmp_path / 'out', moves)
    got = dict(np.load(written))
    assert changed_keys(got, content(kind)) == {'trans'}
    np.testing.assert_allclose(got['trans'] - content(kind)['trans'], np.outer(
        [1, 0, 0, 0], TURN @ moves[0].shift[0].numpy()), atol=1e-9)


def test_what_is_exported_in_its_layout_is_read(tmp_path):
    track, flip = truth('smplh'), np.diag(FLIP).astype(float)
    with torch.no_grad():
        rest = body('smpl').skeleton(torch.zeros(1, 24, 3), torch.tensor(track.betas[:1]))[0].double().numpy()
    parents = body('smpl').parents.numpy()
    turns = axis_angle_to_matrix(torch.tensor(track.pose).double()).numpy()
    turns[:, 0] = flip @ turns[:, 0]
    skeleton = Skeleton(tuple(map(str, range(24))), parents, rest, turns, track.pelvis @ flip)
    write_amass(tmp_path / 'a.npz', skeleton, track.betas[0], 'neutral', 30)
    results = open_results(tmp_path / 'a.npz', None, context(None, model_files())).read()
    for frame, image in enumerate(results.images):
        np.testing.assert_allclose(image.people.vertices[0], track.vertices[frame], atol=1e-4)


def test_nobody_can_be_placed_without_a_camera(path):
    with pytest.raises(ResultError, match='walk_poses.npz: amass has people in a world without a camera.*--no-dto'):
        place(path)
    scenes = list(place(path, dto=False, body_models=model_files()))
    assert len(scenes) == 4 and len(scenes[0].sample.pred_instances) == 1


@pytest.mark.parametrize('gender', ['female', b'male', 'other'])
def test_genders(tmp_path, gender):
    np.savez(tmp_path / 'a.npz', **dict(content('smplh'), gender=gender))
    reader = open_results(tmp_path / 'a.npz', 'amass', context(None, model_files()))
    reader.read()
    assert reader.bodies.gender == {'female': 'female', b'male': 'male', 'other': 'neutral'}[gender]


def test_errors_name_file_and_key(tmp_path):
    for change, said in ((dict(poses=np.zeros((4, 72))), "key 'poses': 72 numbers a frame, expected 156"),
                         (dict(trans=np.zeros((3, 3))), "key 'trans': shape .*expected .4, 3")):
        np.savez(tmp_path / 'a.npz', **{**content('smplh'), **change})
        with pytest.raises(ResultError, match=f'a.npz, {said}'):
            open_results(tmp_path / 'a.npz', 'amass', context()).read()
    np.savez(tmp_path / 'a.npz', a=1)
    with pytest.raises(ResultError, match='a.npz: holds the keys a; expected an .npz with poses'):
        open_results(tmp_path / 'a.npz', 'amass', context()).read()


def test_nothing_is_run(tmp_path):
        refuses_pickles(tmp_path / 'a.npz', 'amass', tmp_path / 'a.npz', npz_of('poses'))
