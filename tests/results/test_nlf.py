import numpy as np
import pytest
import torch
from results.peers import (
    alike,
    changed_keys,
    check_people,
    context,
    crowd,
    dump,
    focal_of,
    malicious,
    moves_of,
    none_of,
    pinhole,
    shown,
)

from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.smpl_family import REST_PELVIS
from mmhuman_dto.results.stored import load_stored
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

SIZE = (480, 720)
K = pinhole(focal_of(55, 720), 359.5, 239.5)


@pytest.fixture(scope='module')
def smpl_folder(tmp_path_factory):
    return write_synthetic_smpl(tmp_path_factory.mktemp('smpl'))


def detected(camera=K, counts=(3, ), make=torch.as_tensor, flat=True):
    """What detect_smpl_batched returns of pictures with so many people."""
    truth, content = crowd(), {}
    vertices = truth.sampled(6890)
    for count in counts:
        fields = dict(
            boxes=np.tile([1., 2, 30, 40, .8], (count, 1)), pose=truth.pose[:count].reshape(count, 72),
            betas=np.tile(np.linspace(-1, 1, 10), (count, 1)), trans=truth.joints[:count, 0] - REST_PELVIS['smpl'],
            vertices3d=1000 * vertices[:count], joints3d=1000 * truth.joints[:count],
            vertices3d_nonparam=1000 * vertices[:count] + 3, joints3d_nonparam=1000 * truth.joints[:count] + 3,
            vertex_uncertainties=np.full((count, 6890), 20.))
        if flat:
            fields.update(vertices2d=shown(vertices[:count], camera), joints2d=shown(truth.joints[:count], camera))
        for key, value in fields.items():
            content.setdefault(key, []).append(make(np.float32(value)))
    return content


@pytest.mark.parametrize('form', ['pt', 'pkl', 'npz'])
def test_metres_and_millimetres(tmp_path, smpl_folder, form):
    truth, content = crowd(), detected(make=torch.as_tensor if form == 'pt' else np.asarray)
    path = tmp_path / f'photo.{form}'
    dict(pt=lambda: torch.save(content, path), pkl=lambda: dump(path, content),
         npz=lambda: np.savez(path, **content))[form]()
    reader = open_results(tmp_path / path.name, None, context(SIZE, smpl_folder))
    results = reader.read()
    image, = results.images
    check_people(image, truth.sampled(6890), truth.joints[:, 0], K)
    np.testing.assert_allclose(image.people.smpl_joints, truth.joints, atol=1e-5)
    assert (image.name, results.body, results.focal_is_guess) == ('photo', 'SMPL', True)

    written, = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(written).content, load_stored(path).content)

    written, = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(written).content
    assert changed_keys(got, load_stored(path).content) == {
        'trans', 'vertices3d', 'joints3d', 'vertices3d_nonparam', 'joints3d_nonparam'}
    pelvis = truth.joints[1, 0]
    np.testing.assert_allclose(got['trans'][0][1] - content['trans'][0][1], [.1, -.2, 1.5], atol=1e-5)
    want = pelvis + [.1, -.2, 1.5] + .7 * (truth.sampled(6890)[1] - pelvis)
    np.testing.assert_allclose(got['vertices3d'][0][1] / 1000, want, atol=2e-5)
    np.testing.assert_allclose(got['vertices3d_nonparam'][0][1] - got['vertices3d'][0][1], 3 * .7, atol=.01)
    np.testing.assert_array_equal(got['vertices3d'][0][0], content['vertices3d'][0][0])


def test_without_body_files(tmp_path):
    torch.save(detected(), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context(SIZE)).read()
    np.testing.assert_allclose(results.images[0].people.pelvis, crowd().joints[:, 0], atol=1e-5)
    assert 'OpenBody' in results.notes[0]


def test_cameras_by_2d_points_or_by_default(tmp_path):
    camera = pinhole(900., 400., 200.)
    torch.save(detected(camera), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context()).read()
    np.testing.assert_allclose(results.images[0].intrinsics, camera, rtol=1e-4)
    assert not results.focal_is_guess
    torch.save(detected(flat=False), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context(SIZE)).read()
    np.testing.assert_allclose(results.images[0].intrinsics, K)
    assert results.focal_is_guess
    assert open_results(tmp_path, None, context()).read().images[0].intrinsics is None


def test_several_pictures_are_named(tmp_path):
    content = detected(counts=(2, 0, 3))
    torch.save(content, tmp_path / 'batch.pt')
    with pytest.raises(ResultError, match='batch.pt: 3 pictures, whose names are not in it; add the key image_names'):
        open_results(tmp_path, None, context(SIZE)).read()
    content['image_names'] = ['day/a.jpg', 'b.jpg', 'c.jpg']
    torch.save(content, tmp_path / 'batch.pt')
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [(image.name, len(image.people)) for image in results.images] == [
        ('day/a.jpg', 2), ('b.jpg', 0), ('c.jpg', 3)]
    written, = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(written).content, content)
    written, = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(written).content
    alike(got['trans'][2], content['trans'][2])
    assert not torch.equal(got['trans'][0], content['trans'][0])


def test_ragged_lists_in_npz(tmp_path):
    content = detected(counts=(2, 3), make=np.asarray)
    arrays = {}
    for key, values in content.items():
        arrays[key] = np.empty(2, object)
        arrays[key][:] = values
    np.savez(tmp_path / 'batch.npz', image_names=np.array(['a.jpg', 'b.jpg']), **arrays)
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [len(image.people) for image in results.images] == [2, 3]
    written, = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(written).content, load_stored(tmp_path / 'batch.npz').content)


def test_without_parameters(tmp_path, smpl_folder):
    content = {key: value for key, value in detected().items() if key in (
        'boxes', 'vertices3d_nonparam', 'joints3d_nonparam')}
    torch.save(content, tmp_path / 'photo.pt')
    reader = open_results(tmp_path, None, context(SIZE, smpl_folder))
    results = reader.read()
    check_people(results.images[0], crowd().sampled(6890) + .003, crowd().joints[:, 0] + .003)
    assert results.faces.shape[1] == 3
    written, = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(written).content, content)


def test_smplx(tmp_path):
    truth, content = crowd(), detected(flat=False)
    hands = np.zeros((3, 33, 3))
    content['pose'] = [torch.as_tensor(np.concatenate([truth.pose[:, :22], hands], 1).reshape(3, 165)).float()]
    content['vertices3d'] = [torch.as_tensor(truth.sampled(10475) * 1000).float()]
    content['joints3d'] = [torch.as_tensor(np.concatenate([truth.joints[:, :22], hands], 1) * 1000).float()]
    torch.save(content, tmp_path / 'photo.pt')
    people = open_results(tmp_path, None, context(SIZE)).read().images[0].people
    np.testing.assert_allclose(people.smpl_joints[:, :22], truth.joints[:, :22], atol=1e-5)
    assert torch.isnan(people.smpl_joints[:, 22:]).all()


def test_mistakes_are_told(tmp_path):
    content = detected()
    torch.save(dict(content, vertices3d=[values / 1000 for values in content['vertices3d']]), tmp_path / 'photo.pt')
    with pytest.raises(ResultError, match=r"photo\.pt, key 'vertices3d': people are 0\.00.* in mm and trans in m"):
        open_results(tmp_path, None, context(SIZE)).read()
    world = [values - torch.tensor([0., 0, 20000]) for values in content['vertices3d']]
    torch.save(dict(content, vertices3d=world), tmp_path / 'photo.pt')
    with pytest.raises(ResultError, match='behind the camera.*world coordinates'):
        open_results(tmp_path, None, context(SIZE)).read()
    torch.save(dict(content, pose=[values[:, :66] for values in content['pose']]), tmp_path / 'photo.pt')
    with pytest.raises(ResultError, match="key 'pose': 66 numbers, expected 72"):
        open_results(tmp_path, None, context(SIZE)).read()
    dump(tmp_path / 'photo.pt', dict(vertices=1))
    with pytest.raises(ResultError, match='photo.pt: holds the keys vertices; expected'):
        open_results(tmp_path, 'nlf', context(SIZE)).read()


def test_compressed_files_of_the_pipeline(tmp_path):
    (tmp_path / 'preds_np').mkdir()
    (tmp_path / 'preds_np/video.xz').write_bytes(b'\xfd7zXZ\0')
    for path in tmp_path, tmp_path / 'preds_np/video.xz':
        with pytest.raises(ResultError, match='BodyCompress.*save what it gives'):
            open_results(path, None, context(SIZE)).read()


def test_malicious_pickle_is_refused(tmp_path):
    content, evidence = malicious(tmp_path)
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(UnsafeFileError, match=r'a\.pkl: refused'):
        open_results(tmp_path / 'a.pkl', 'nlf', context(SIZE)).read()
    assert not evidence.exists()
