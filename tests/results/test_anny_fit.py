import numpy as np
import pytest
import torch
from hostile.foreign_files import Call
from results.peers import alike, changed_keys, check_people, context, crowd, moves_of, none_of, pinhole
from scipy.spatial.transform import Rotation

from mmhuman_dto.body_models import BodyOutput
from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.results import ResultError, anny_bodies, open_results
from mmhuman_dto.results.stored import load_stored

SIZE = (480, 720)
K = pinhole(640., 355., 245.)
NAMES = ('gender', 'age', 'muscle', 'weight', 'height', 'proportions')


class StandIn:
    """Anny without its package: one person of the crowd, stiff, who turns and stands where the root is told to."""
    phenotypes, bone_names, faces = NAMES, tuple(map(str, range(163))), torch.tensor([[0, 1, 2]])

    def __init__(self):
        truth = crowd()
        self.vertices = torch.from_numpy(truth.sampled(13718)[0] - truth.joints[0, 0]).float()
        self.joints = torch.from_numpy(truth.joints[0] - truth.joints[0, 0]).float()

    def __call__(self, pose, betas, transl):
        turn = axis_angle_to_matrix(pose[:, 0]).transpose(1, 2)
        return BodyOutput(self.vertices @ turn + transl[:, None], self.joints @ turn + transl[:, None])

    def height(self, betas):
        return 1 + betas[:, 4]


@pytest.fixture
def body(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setattr(anny_bodies, 'anny_body', lambda: stand_in)
    return stand_in


def person(i, names=False):
    place = torch.tensor([i - 1., .2, 4 + i])
    values = dict(
        root_rotation_params=torch.tensor([[0., .5 * i, 0]]), root_translation_params=place,
        body_pose_params=torch.zeros(162, 3), shape_params=torch.linspace(0, 1, 11) + .01 * i,
        local_changes_params=torch.zeros(256), camera_intrinsics=torch.tensor(K).float())
    if names:
        order = ['height', *(name for name in NAMES if name != 'height'), 'a', 'b', 'c', 'd', 'e']
        values['shape_params_keys'] = np.array(order)
    return values


def write_results(folder, count=3, **more):
    folder.mkdir(parents=True, exist_ok=True)
    content = {str(i): person(i, **more) for i in range(count)}
    np.savez(folder / 'params.npz', **content)
    return content


def test_read_and_write(tmp_path, body):
    content = write_results(tmp_path / 'in/photo')
    reader = open_results(tmp_path / 'in', None, context(SIZE))
    results = reader.read()
    image, = results.images
    places = np.array([[i - 1., .2, 4 + i] for i in range(3)])
    turns = Rotation.from_rotvec([[0, .5 * i, 0] for i in range(3)]).as_matrix()
    want = np.einsum('nij,vj->nvi', turns, body.vertices.double().numpy()) + places[:, None]
    check_people(image, want, places, K)
    np.testing.assert_allclose(image.people.heights, [1.4, 1.41, 1.42], atol=1e-5)
    np.testing.assert_allclose(image.people.smpl_joints[:, 0], places, atol=1e-6)
    assert (image.name, results.body, results.notes, results.focal_is_guess) == ('photo', 'Anny', (), False)
    for path in tmp_path / 'in/photo', tmp_path / 'in/photo/params.npz':
        assert open_results(path, None, context(SIZE)).read().images[0].name == 'photo'

    written, = reader.write(tmp_path / 'same', none_of(results))
    assert written == tmp_path / 'same/photo/params.npz'
    alike(load_stored(written).content, content)
    written, = reader.write(tmp_path / 'moved', moves_of(results, camera=torch.tensor(pinhole(800., 355., 245.))))
    got = load_stored(written).content
    assert changed_keys(got['0'], content['0']) == {'camera_intrinsics'}
    assert changed_keys(got['1'], content['1']) == {'camera_intrinsics', 'root_translation_params'}
    np.testing.assert_allclose(got['1']['root_translation_params'], places[1] + [.1, -.2, 1.5], atol=1e-5)
    assert got['1']['camera_intrinsics'][0, 0] == 800


def test_phenotypes_by_name(tmp_path, body):
    write_results(tmp_path, names=True)
    people = open_results(tmp_path, None, context(SIZE)).read().images[0].people
    np.testing.assert_allclose(people.heights, [1, 1.01, 1.02], atol=1e-5)


def test_what_is_not_drawn_is_said(tmp_path, body):
    content = {'0': dict(person(0), local_changes_params=torch.full((256, ), .1))}
    np.savez(tmp_path / 'params.npz', **content)
    assert 'phenotypes alone' in open_results(tmp_path, None, context(SIZE)).read().notes[0]


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(anny_bodies, 'anny_body', lambda: None)
    write_results(tmp_path)
    with pytest.raises(ResultError, match=r'params\.npz.*pip install "mmhuman_dto\[anny\]"'):
        open_results(tmp_path, None, context(SIZE)).read()


def test_wrong_files_are_told(tmp_path, body):
    broken = person(0)
    del broken['body_pose_params']
    np.savez(tmp_path / 'params.npz', **{'0': broken})
    with pytest.raises(ResultError, match=r"params\.npz, person 0: no key 'body_pose_params'"):
        open_results(tmp_path, None, context(SIZE)).read()
    np.savez(tmp_path / 'params.npz', a=np.ones(3))
    with pytest.raises(ResultError, match='holds the keys a; expected'):
        open_results(tmp_path, 'anny_fit', context(SIZE)).read()
    array = np.empty((), object)
    array[()] = Call(open, str(tmp_path / 'ran'), 'w')
    np.savez(tmp_path / 'params.npz', **{'0': array})
    with pytest.raises(UnsafeFileError, match=r'params\.npz.*refused'):
        open_results(tmp_path, 'anny_fit', context(SIZE)).read()
    assert not (tmp_path / 'ran').exists()


@pytest.mark.slow
def test_with_the_package(tmp_path):
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    write_results(tmp_path)
    results = open_results(tmp_path, None, context(SIZE)).read()
    people = results.images[0].people
    np.testing.assert_allclose(people.pelvis, [[i - 1., .2, 4 + i] for i in range(3)], atol=1e-5)
    shapes = torch.stack([person(i)['shape_params'] for i in range(3)])
    want = BODY_MODELS.build(dict(type='Anny')).height(shapes)
    np.testing.assert_allclose(people.heights, want, atol=1e-4)
    assert people.vertices.shape == (3, 13718, 3)
    # Its meshes are Multi-HMR's, too: who has those parameters has those joints.
    pose = torch.zeros(3, 163, 3)
    pose[:, 0] = torch.stack([person(i)['root_rotation_params'][0] for i in range(3)])
    joints = anny_bodies.anny_joints(pose, shapes, people.pelvis, people.vertices)
    np.testing.assert_allclose(joints, people.smpl_joints, atol=1e-5)
    assert anny_bodies.anny_joints(pose, shapes, people.pelvis + .1, people.vertices) is None
