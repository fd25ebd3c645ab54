import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, check_people, context, crowd, moves_of, none_of, pinhole, shown

from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.stored import load_stored

K = pinhole(700., 350, 250)


def written(folder, name='photo.npz', units='m', dtype=np.float32, **more):
    truth, factor = crowd(), dict(m=1, cm=100, mm=1000)[units]
    content = dict(vertices=(truth.vertices * factor).astype(dtype), K=K, faces=truth.faces,
                   joints=(truth.joints * factor).astype(dtype), units=np.array(units)) | more
    content = {key: value for key, value in content.items() if value is not None}
    np.savez(folder / name, **content)
    return content


@pytest.mark.parametrize('units', ['m', 'cm', 'mm'])
def test_units(tmp_path, units):
    truth, content = crowd(), written(tmp_path, units=units)
    reader = open_results(tmp_path, None, context((480, 720)))
    results = reader.read()
    check_people(results.images[0], truth.vertices, truth.joints[:, 0], K)
    np.testing.assert_allclose(results.images[0].people.smpl_joints, truth.joints, atol=1e-5)
    assert results.images[0].name == 'photo' and results.images[0].image_size == (480, 720)
    assert not results.focal_is_guess and torch.isnan(results.images[0].people.heights).all()

    path, *_ = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(path).content, content)

    path, *_ = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(path).content
    assert changed_keys(got, content) == {'vertices', 'joints'}
    factor = dict(m=1, cm=100, mm=1000)[units]
    pelvis = truth.joints[1, 0]
    want = pelvis + [.1, -.2, 1.5] + .7 * (truth.vertices[1] - pelvis)
    np.testing.assert_allclose(got['vertices'][1] / factor, want, atol=1e-5)
    np.testing.assert_array_equal(got['vertices'][[0, 2]], content['vertices'][[0, 2]])


def test_unit_mistakes_are_told(tmp_path):
    written(tmp_path, units='mm')
    content = dict(np.load(tmp_path / 'photo.npz'), units=np.array('m'))
    np.savez(tmp_path / 'photo.npz', **content)
    with pytest.raises(ResultError, match=r"photo\.npz, key 'vertices'.*they look like mm.*units"):
        open_results(tmp_path, 'meshes', context()).read()
    np.savez(tmp_path / 'photo.npz', **{**content, 'units': np.array('inch')})
    with pytest.raises(ResultError, match='key units.*inch.*m, cm, mm'):
        open_results(tmp_path, 'meshes', context()).read()


def test_meshes_behind_the_camera_are_told(tmp_path):
    content = written(tmp_path)
    np.savez(tmp_path / 'photo.npz', **{**content, 'vertices': content['vertices'] * np.float32([1, -1, -1])})
    with pytest.raises(ResultError, match='behind the camera.*half a turn about x'):
        open_results(tmp_path, 'meshes', context()).read()


def test_optional_keys(tmp_path):
    written(tmp_path, image=np.array('day/a.jpg'), heights=np.array([1.7, 1.6, np.nan]),
            image_size=np.array([480, 720]), ages=np.array([30, 4, np.nan]))
    image, = open_results(tmp_path, 'meshes', context()).read().images
    assert (image.name, image.image_size) == ('day/a.jpg', (480, 720))
    assert image.people.ages.tolist()[:2] == [30, 4]
    np.testing.assert_allclose(image.people.heights[:2], [1.7, 1.6])


def test_faces_are_found_or_made_of_neighbours(tmp_path):
    written(tmp_path, faces=None)
    results = open_results(tmp_path, 'meshes', context()).read()
    assert results.body == 'OpenBody' and torch.equal(results.faces, torch.from_numpy(crowd().faces))
    rows = np.delete(np.arange(crowd().vertices.shape[1]), 5)
    written(tmp_path, faces=None, vertices=crowd().vertices[:, rows])
    guessed = open_results(tmp_path, 'meshes', context()).read()
    assert guessed.faces_are_guess and 'key faces' in guessed.notes[-1] and int(guessed.faces.max()) == len(rows) - 1
    np.save(tmp_path / 'faces.npy', crowd().faces[:100])
    results = open_results(tmp_path, 'meshes', context()).read()
    assert results.body == 'meshes' and torch.equal(results.faces, torch.from_numpy(crowd().faces[:100]))
    written(tmp_path, faces=crowd().faces + 10**5)
    with pytest.raises(ResultError, match='do not fit to'):
        open_results(tmp_path, 'meshes', context()).read()


def test_pelvis_without_joints_is_inside_the_body(tmp_path):
    truth = crowd()
    written(tmp_path, joints=None)
    people = open_results(tmp_path, 'meshes', context()).read().images[0].people
    assert (np.linalg.norm(people.pelvis - truth.joints[:, 0], axis=1) < .2 * truth.heights).all()
    assert torch.isnan(people.smpl_joints).all()


def test_placing_may_change_the_camera(tmp_path):
    content = written(tmp_path)
    reader = open_results(tmp_path, 'meshes', context())
    results = reader.read()
    camera = torch.tensor(K * [[1.2, 1, 1], [1, 1.2, 1], [1, 1, 1]])
    path, *_ = reader.write(tmp_path / 'out', moves_of(results, camera=camera))
    got = load_stored(path).content
    assert changed_keys(got, content) == {'vertices', 'joints', 'K'}
    np.testing.assert_allclose(got['K'], camera)


def test_several_pictures_and_nobody(tmp_path):
    content = written(tmp_path, 'b.npz')
    np.savez(tmp_path / 'a.npz', **{**content, 'vertices': content['vertices'][:0], 'joints': content['joints'][:0]})
    reader = open_results(tmp_path, None, context())
    results = reader.read()
    assert [(image.name, len(image.people)) for image in results.images] == [('a', 0), ('b', 3)]
    paths = reader.write(tmp_path / 'out', none_of(results))
    alike(load_stored(paths[0]).content, load_stored(tmp_path / 'a.npz').content)
    np.testing.assert_allclose(shown(results.images[1].people.pelvis, results.images[1].intrinsics),
                               shown(crowd().joints[:, 0], K), atol=.01)


def test_other_files_are_told(tmp_path):
    np.savez(tmp_path / 'a.npz', verts=np.zeros((1, 3, 3)))
    with pytest.raises(ResultError, match=r'a\.npz: holds the keys verts; expected .*vertices'):
        open_results(tmp_path, 'meshes', context()).read()
    with pytest.raises(ResultError, match='no file to read'):
        (tmp_path / 'empty').mkdir()
        open_results(tmp_path / 'empty', 'meshes', context()).read()
    np.savez(tmp_path / 'a.npz', vertices=np.zeros((3, 3)), K=K)
    with pytest.raises(ResultError, match=r"key 'vertices': shape \(3, 3\), expected \(any, any, 3\)"):
        open_results(tmp_path, 'meshes', context()).read()
