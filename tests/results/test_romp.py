import numpy as np
import pytest
import torch
from hostile.foreign_files import Call
from results.peers import alike, changed_keys, check_people, context, crowd, moves_of, none_of, pinhole

from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.smpl_family import REST_PELVIS
from mmhuman_dto.results.stored import load_stored
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

SIZE = (480, 720)
K = pinhole(443.4 / 512 * 720, 360, 240)


@pytest.fixture(scope='module')
def smpl_folder(tmp_path_factory):
    return write_synthetic_smpl(tmp_path_factory.mktemp('smpl'))


def results_of(bev=False, ages=(0., .4, .9), **more):
    """The dictionary of a picture; ROMP's meshes lie around SMPL's origin, BEV's around the middle of the hips."""
    truth = crowd()
    origin = truth.joints[:, 1:3].mean(1) if bev else truth.joints[:, 0] - REST_PELVIS['smpl']
    joints = np.concatenate([truth.joints, np.repeat(truth.joints[:, :1], 47, 1)], 1)
    betas = np.tile(np.linspace(-1, 1, 10), (3, 1))
    content = dict(
        cam=np.array([[.5, .1, .2]] * 3), smpl_thetas=truth.pose.reshape(3, 72), smpl_betas=betas,
        center_confs=np.array([.9, .8, .7]), cam_trans=origin, verts=truth.sampled(6890) - origin[:, None],
        joints=joints - origin[:, None], pj2d_org=np.ones((3, 71, 2)))
    if bev:
        content['smpl_betas'] = np.concatenate([betas, np.array(ages)[:, None]], 1)
        content['params_pred'] = np.ones((3, 146))
    return {key: value.astype(np.float32) for key, value in content.items()} | more


@pytest.mark.parametrize('kind', ['romp', 'bev'])
def test_read(tmp_path, smpl_folder, kind):
    truth, content = crowd(), results_of(kind == 'bev')
    np.savez(tmp_path / 'photo.npz', results=content)
    reader = open_results(tmp_path / 'photo.npz', None, context(SIZE, smpl_folder))
    assert reader.kind == kind
    results = reader.read()
    image, = results.images
    check_people(image, truth.sampled(6890), truth.joints[:, 0], K)
    np.testing.assert_allclose(image.people.smpl_joints, truth.joints, atol=1e-5)
    np.testing.assert_allclose(image.people.scores, [.9, .8, .7], atol=1e-6)
    assert (image.name, image.frame, results.focal_is_guess, results.notes) == ('photo', None, True, ())
    assert results.body == ('SMPLA' if kind == 'bev' else 'SMPL')
    # The height of an infant, of another body model, is measured; those of others are the model's.
    assert torch.isfinite(image.people.heights).tolist() == [True, True, kind == 'romp']
    assert image.people.betas.shape == (3, 11 if kind == 'bev' else 10)


def test_age_makes_small(tmp_path, smpl_folder):
    np.savez(tmp_path / 'photo.npz', results=results_of(bev=True, ages=(0, .4, .7)))
    for given in context(SIZE, smpl_folder), context(SIZE):
        heights = open_results(tmp_path, None, given).read().images[0].people.heights
        assert torch.isfinite(heights).all()
    adult, *younger = open_results(tmp_path, None, context(SIZE, smpl_folder)).read().images[0].people.heights
    assert all(height < .95 * adult for height in younger)


@pytest.mark.parametrize('bev', [False, True])
def test_without_meshes_and_joints(tmp_path, bev, smpl_folder):
    """Pose and translation say where the pelvis is, of BEV by where the hips are from it."""
    content = {key: value for key, value in results_of(bev).items() if key not in ('verts', 'joints')}
    np.savez(tmp_path / 'photo.npz', results=content)
    for given, close in (context(SIZE), .03), (context(SIZE, smpl_folder), .08):
        people = open_results(tmp_path, None, given).read().images[0].people
        np.testing.assert_allclose(people.pelvis, crowd().joints[:, 0], atol=close)
        if bev:
            np.testing.assert_allclose(people.smpl_joints[:, 1:3].mean(1), crowd().joints[:, 1:3].mean(1), atol=1e-4)


@pytest.mark.parametrize('bev', [False, True])
def test_round_trip_and_moves(tmp_path, bev):
    content = results_of(bev)
    np.savez(tmp_path / 'photo.npz', results=content)
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    written, = reader.write(tmp_path / 'same', none_of(results))
    got = load_stored(written)
    alike(got.content, dict(results=content))
    assert np.load(written, allow_pickle=True)['results'].shape == ()
    written, = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(written).content['results']
    assert changed_keys(got, content) == {'cam_trans'}
    np.testing.assert_allclose(got['cam_trans'] - content['cam_trans'], [[0] * 3, [.1, -.2, 1.5], [0] * 3], atol=1e-6)


def test_video(tmp_path):
    frames = {'00000002.jpg': results_of(track_ids=np.array([4, 7, 1])), '00000004.jpg': None}
    content = dict(results=frames, sequence_results={4: dict(cam_trans=[np.ones(3)])})
    np.savez(tmp_path / 'video_results.npz', **content)
    np.savez(tmp_path / '00000002.npz', results=results_of())
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [(image.name, image.frame, len(image.people)) for image in results.images] == [
        ('00000002.jpg', 2, 3), ('00000004.jpg', 4, 0)]
    assert results.images[0].people.track_ids.tolist() == [4, 7, 1]
    written, = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(written).content, content)
    written, = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(written).content
    assert changed_keys(got['results']['00000002.jpg'], frames['00000002.jpg']) == {'cam_trans'}


def test_nobody(tmp_path):
    np.savez(tmp_path / 'a.npz', results=None)
    np.savez(tmp_path / 'b.npz', results={key: value[:0] for key, value in results_of().items()})
    np.savez(tmp_path / 'c.npz', results=results_of())
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [len(image.people) for image in results.images] == [0, 0, 3]
    for path in reader.write(tmp_path / 'out', none_of(results)):
        alike(load_stored(path).content, load_stored(tmp_path / path.name).content)


def test_wrong_files_are_told(tmp_path):
    np.savez(tmp_path / 'photo.npz', results=results_of(bev=True))
    with pytest.raises(ResultError, match='photo.npz: holds the keys results; expected'):
        open_results(tmp_path, 'romp', context(SIZE)).read()
    content = results_of()
    content['verts'] = content['verts'] * 1000
    np.savez(tmp_path / 'photo.npz', results=content)
    with pytest.raises(ResultError, match=r"photo\.npz, key 'verts': people are .* look like mm"):
        open_results(tmp_path, 'romp', context(SIZE)).read()
    del content['smpl_thetas']
    np.savez(tmp_path / 'photo.npz', results=content)
    with pytest.raises(ResultError, match=r"photo\.npz: no key 'smpl_thetas'"):
        open_results(tmp_path, 'romp', context(SIZE)).read()


def test_malicious_file_is_refused(tmp_path):
    evidence = tmp_path / 'ran'
    array = np.empty((), object)
    array[()] = Call(open, str(evidence), 'w')
    np.savez(tmp_path / 'a.npz', results=array)
    with pytest.raises(UnsafeFileError, match=r'a\.npz.*refused'):
        open_results(tmp_path / 'a.npz', 'romp', context(SIZE)).read()
    assert not evidence.exists()
