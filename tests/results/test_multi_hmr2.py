import numpy as np
import pytest
import torch
from mesh_files import glb
from results.peers import (
    alike,
    changed_keys,
    check_people,
    context,
    crowd,
    dump,
    malicious,
    moves_of,
    none_of,
    pinhole,
)

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError
from mmhuman_dto.fileio.glb_mesh import GlbMesh
from mmhuman_dto.results import ResultError, anny_bodies, open_results
from mmhuman_dto.results.stored import load_stored

SIZE = (500, 720)
#: The network's picture: 768 x 533, padded to 768 x 544 with the picture in the middle.
SCALE, TOP = 768 / 720, 5
K = pinhole(600., 350., 260.)
NET = pinhole(600 * SCALE, 350 * SCALE, 260 * SCALE + TOP)


@pytest.fixture(autouse=True)
def no_package(monkeypatch):
    monkeypatch.setattr(anny_bodies, 'anny_body', lambda: None)


def write_results(folder, turn=(1, 1, 1), stem='photo', count=3, node=None):
    truth = crowd()
    (folder / 'meshes').mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (folder / f'meshes/{stem}_{i:03d}.glb').write_bytes(glb(truth.vertices[i] * turn, truth.faces, node))
    pose = torch.eye(4).repeat(count, 163, 1, 1)
    pose[:, 0, :3, 3] = torch.from_numpy(truth.joints[:count, 0])
    content = dict(K=torch.tensor(NET).float(), shape=torch.full((count, 11), .5), pose_parameters=pose)
    dump(folder / f'anny_params/{stem}.pkl', content)
    return content


@pytest.mark.parametrize('turn', [(1, 1, 1), (1, -1, -1)])
def test_meshes_by_where_the_parameters_say_people_are(tmp_path, turn):
    truth, content = crowd(), write_results(tmp_path / 'in', turn)
    reader = open_results(tmp_path / 'in', None, context(SIZE))
    results = reader.read()
    image, = results.images
    check_people(image, truth.vertices, truth.joints[:, 0], K)
    assert (image.name, image.frame, results.body) == ('photo', None, 'Anny')
    assert not results.focal_is_guess and len(results.notes) == (turn[1] < 0)
    np.testing.assert_array_equal(results.faces, truth.faces)

    for path in reader.write(tmp_path / 'same', none_of(results)):
        before = tmp_path / 'in' / path.relative_to(tmp_path / 'same')
        if path.suffix == '.glb':
            assert path.read_bytes() == before.read_bytes()
        else:
            alike(load_stored(path).content, content)

    reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(tmp_path / 'moved/anny_params/photo.pkl').content
    assert changed_keys(got, content) == {'pose_parameters'}
    differs = (got['pose_parameters'] != content['pose_parameters']).nonzero()
    assert set(map(tuple, differs[:, :2].tolist())) == {(1, 0)} and (differs[:, 3] == 3).all()
    again = open_results(tmp_path / 'moved', None, context(SIZE)).read().images[0].people
    pelvis = truth.joints[1, 0]
    want = pelvis + [.1, -.2, 1.5] + .7 * (truth.vertices[1] - pelvis)
    np.testing.assert_allclose(again.vertices[1], want, atol=1e-5)
    np.testing.assert_allclose(again.vertices[0], truth.vertices[0], atol=1e-5)
    np.testing.assert_allclose(again.pelvis[1] - image.people.pelvis[1], [.1, -.2, 1.5], atol=1e-5)


def test_the_camera_comes_back_to_the_frame(tmp_path):
    write_results(tmp_path / 'in')
    reader = open_results(tmp_path / 'in', None, context(SIZE))
    results = reader.read()
    reader.write(tmp_path / 'out', moves_of(results, camera=torch.tensor(pinhole(900., 350., 260.))))
    got = load_stored(tmp_path / 'out/anny_params/photo.pkl').content
    np.testing.assert_allclose(got['K'], pinhole(900 * SCALE, 350 * SCALE, 260 * SCALE + TOP), rtol=1e-5)
    assert open_results(tmp_path / 'in', None, context()).read().images[0].intrinsics is None


def test_upright_pictures_are_padded_at_the_side(tmp_path):
    write_results(tmp_path)
    intrinsics = open_results(tmp_path, None, context((720, 500))).read().images[0].intrinsics
    np.testing.assert_allclose(intrinsics, [[600, 0, (NET[0, 2] - 5) / SCALE], [0, 600, NET[1, 2] / SCALE], [0, 0, 1]],
                               rtol=1e-6)


def test_frames_of_a_video_and_nobody(tmp_path):
    write_results(tmp_path, stem='000001')
    write_results(tmp_path, stem='000002', count=0)
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [(image.frame, len(image.people)) for image in results.images] == [(1, 3), (2, 0)]
    assert len(reader.write(tmp_path / 'out', none_of(results))) == 5


def test_nodes_may_be_placed(tmp_path):
    node = dict(translation=[0., 0, 1], rotation=[1., 0, 0, 0], scale=[2., 2, 2])
    vertices, faces = np.random.default_rng(0).normal(size=(10, 3)), [[0, 1, 2], [3, 4, 5]]
    (tmp_path / 'a.glb').write_bytes(glb(vertices, faces, node))
    mesh = GlbMesh(tmp_path / 'a.glb')
    np.testing.assert_allclose(mesh.vertices, vertices * [2, -2, -2] + [0, 0, 1], atol=1e-6)
    (tmp_path / 'b.glb').write_bytes(mesh.moved(mesh.vertices + 1))
    np.testing.assert_allclose(GlbMesh(tmp_path / 'b.glb').vertices, mesh.vertices + 1, atol=1e-6)
    matrix = np.eye(4)
    matrix[:3, 3] = 1, 2, 3
    (tmp_path / 'a.glb').write_bytes(glb(vertices, faces, dict(matrix=matrix.T.ravel().tolist())))
    np.testing.assert_allclose(GlbMesh(tmp_path / 'a.glb').vertices, vertices + [1, 2, 3], atol=1e-6)
    (tmp_path / 'a.glb').write_bytes(b'nothing')
    with pytest.raises(BrokenFileError, match=r'a\.glb: damaged'):
        GlbMesh(tmp_path / 'a.glb')
    for size in (30, -10):
        (tmp_path / 'a.glb').write_bytes(glb(vertices, faces)[:size])
        with pytest.raises(BrokenFileError, match=r'a\.glb: damaged'):
            GlbMesh(tmp_path / 'a.glb')


def test_wrong_files_are_told(tmp_path):
    content = write_results(tmp_path)
    (tmp_path / 'meshes/photo_002.glb').unlink()
    with pytest.raises(ResultError, match=r'photo\.pkl: 3 people, but 2 meshes.*--save_mesh'):
        open_results(tmp_path, None, context(SIZE)).read()
    write_results(tmp_path)
    content['pose_parameters'][:, 0, :3, 3] += 5
    dump(tmp_path / 'anny_params/photo.pkl', content)
    with pytest.raises(ResultError, match='are not where pose_parameters of anny_params say'):
        open_results(tmp_path, None, context(SIZE)).read()
    dump(tmp_path / 'anny_params/photo.pkl', dict(K=1))
    with pytest.raises(ResultError, match='holds the keys K; expected K, shape and pose_parameters'):
        open_results(tmp_path, None, context(SIZE)).read()
    with pytest.raises(ResultError, match=r'no anny_params/\*\.pkl'):
        open_results(tmp_path / 'meshes', 'multi_hmr2', context(SIZE)).read()


def test_malicious_pickle_is_refused(tmp_path):
    content, evidence = malicious(tmp_path)
    write_results(tmp_path)
    (tmp_path / 'anny_params/photo.pkl').write_bytes(content)
    with pytest.raises(UnsafeFileError, match=r'photo\.pkl: refused'):
        open_results(tmp_path, None, context(SIZE)).read()
    assert not evidence.exists()
