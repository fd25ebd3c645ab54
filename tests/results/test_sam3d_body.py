import json

import numpy as np
import pytest
import torch
from mesh_files import ply
from mhr_file import write_mhr
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
    shown,
)

from mmhuman_dto.body_models import faces_of
from mmhuman_dto.body_models.mhr import SMPL_ROWS
from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.stored import load_stored

SIZE, FOCAL = (480, 720), 812.
K = pinhole(FOCAL, 360, 240)
#: The first vertices of these meshes are OpenBody's.
FACES = faces_of(6900).numpy()


def keypoints(truth):
    """MHR's 70: those that SMPL has too at its joints, the others anywhere near."""
    points = truth.joints[:, :1] + np.random.default_rng(0).normal(0, .2, (len(truth), 70, 3))
    names = dict(left_hip=(9, 1), right_hip=(10, 2), left_knee=(11, 4), right_knee=(12, 5), left_ankle=(13, 7),
                 right_ankle=(14, 8), left_shoulder=(5, 16), right_shoulder=(6, 17), left_elbow=(7, 18),
                 right_elbow=(8, 19), left_wrist=(62, 20), right_wrist=(41, 21), neck=(69, 12))
    for mhr, smpl in names.values():
        points[:, mhr] = truth.joints[:, smpl]
    return points


def outputs(truth=None, camera=K, fast=False, kind=np.float32):
    """What process_one_image returns."""
    truth = truth or crowd()
    vertices, points = truth.sampled(18439), keypoints(truth)
    people = []
    for i in range(len(truth)):
        cam_t = truth.joints[i, 0] + [.05, .9, .1]  # no joint: the origin of the meshes is below the pelvis
        person = dict(
            bbox=np.float32([10, 20, 110, 220]), focal_length=np.float32(camera[0, 0]),
            pred_keypoints_3d=(points[i] - cam_t).astype(kind), pred_keypoints_2d=shown(points[i], camera).astype(kind),
            pred_vertices=(vertices[i] - cam_t).astype(kind), pred_cam_t=cam_t.astype(kind),
            pred_pose_raw=np.zeros(266, kind), global_rot=np.ones(3, kind), body_pose_params=np.ones(133, kind),
            shape_params=np.ones(45, kind), scale_params=np.ones(28, kind), mask=None,
            pred_joint_coords=np.ones((127, 3), kind), mhr_model_params=np.ones(204, kind))
        if fast:
            del person['mhr_model_params']
        people.append(person)
    return people


@pytest.fixture(autouse=True)
def no_other_mhr(monkeypatch):
    monkeypatch.delenv('SAM3D_MHR_PATH', raising=False)


@pytest.mark.parametrize('fast', [False, True])
def test_pickle_a_picture(tmp_path, fast):
    truth, people = crowd(), outputs(fast=fast)
    dump(tmp_path / 'in/photo.pkl', people)
    np.save(tmp_path / 'in/faces.npy', FACES)
    reader = open_results(tmp_path / 'in', None, context(SIZE))
    results = reader.read()
    image, = results.images
    # The pelvis of MHR's keypoints is the middle of the hips.
    check_people(image, truth.sampled(18439), truth.joints[:, 1:3].mean(1), K)
    known = [1, 2, 4, 5, 7, 8, 12, 16, 17, 18, 19, 20, 21]
    np.testing.assert_allclose(image.people.smpl_joints[:, known], truth.joints[:, known], atol=1e-5)
    assert torch.isnan(image.people.smpl_joints).any(-1).sum() == len(truth) * (24 - len(known))
    np.testing.assert_allclose(image.people.bboxes[0], [10, 20, 110, 220])
    assert (image.name, image.image_size, results.body) == ('photo', SIZE, 'MHR')
    assert not results.focal_is_guess and not results.notes
    np.testing.assert_array_equal(results.faces, FACES)

    path, faces = reader.write(tmp_path / 'same', none_of(results))
    assert (path, faces) == (tmp_path / 'same/photo.pkl', tmp_path / 'same/faces.npy')
    np.testing.assert_array_equal(np.load(faces), FACES)
    alike(load_stored(path).content, people)

    path, *_ = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(path).content
    alike([got[0], got[2]], [people[0], people[2]])
    assert changed_keys(got[1], people[1]) == {'pred_cam_t'}
    np.testing.assert_allclose(got[1]['pred_cam_t'] - people[1]['pred_cam_t'], [.1, -.2, 1.5], atol=1e-6)

    camera = torch.tensor(pinhole(900., 360, 240))
    path, *_ = reader.write(tmp_path / 'camera', moves_of(results, camera=camera))
    got = load_stored(path).content
    assert changed_keys(got[0], people[0]) == {'focal_length'} and got[0]['focal_length'] == np.float32(900)


@pytest.mark.parametrize('form', ['npy', 'npz', 'many.pkl', 'many.npz', 'pt'])
def test_other_ways_to_save_it(tmp_path, form):
    people = outputs()
    tensors = [{key: torch.as_tensor(value) if value is not None else None for key, value in person.items()}
               for person in people]
    write = {
        'npy': lambda path: np.save(path, people, allow_pickle=True),
        'npz': lambda path: np.savez(path, outputs=people, faces=FACES),
        'many.pkl': lambda path: dump(path, {'day/a.jpg': people, 'b.jpg': [], 'faces': FACES}),
        'many.npz': lambda path: np.savez(path, **{'day/a.jpg': people, 'b.jpg': [], 'faces': FACES}),
        'pt': lambda path: torch.save(tensors, path)}
    path = tmp_path / 'in' / f'photo.{form}'
    path.parent.mkdir()
    write[form](path)
    if form in ('npy', 'pt'):
        np.save(path.parent / 'faces.npy', FACES)
    reader = open_results(path, None, context(SIZE))
    results = reader.read()
    check_people(results.images[0], crowd().sampled(18439), intrinsics=K)
    names = ['day/a.jpg', 'b.jpg'] if form.startswith('many') else ['photo']
    assert [image.name for image in results.images] == names
    assert [len(image.people) for image in results.images] == [3, 0][:len(names)]
    written, *_ = reader.write(tmp_path / 'out', none_of(results))
    alike(load_stored(written).content, load_stored(path).content)
    written, *_ = reader.write(tmp_path / 'moved', moves_of(results))
    moved = open_results(tmp_path / 'moved' if form not in ('npy', 'pt') else written, 'sam3d_body', reader.context)
    if form not in ('npy', 'pt'):
        np.testing.assert_allclose(moved.read().images[0].people.pelvis[1] - results.images[0].people.pelvis[1],
                                   [.1, -.2, 1.5], atol=1e-5)


def test_nobody_in_the_first_picture(tmp_path):
    dump(tmp_path / 'a.pkl', [])
    dump(tmp_path / 'b.pkl', outputs())
    np.save(tmp_path / 'faces.npy', FACES)
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [len(image.people) for image in results.images] == [0, 3] and results.body == 'MHR'
    paths = reader.write(tmp_path / 'out', none_of(results))
    alike(load_stored(paths[0]).content, [])


def test_principal_point_by_keypoints_and_size_by_masks(tmp_path):
    """With a camera given its principal point need not be the middle, and the file does not say it."""
    camera = pinhole(700., 391., 222.)
    people = outputs(camera=camera)
    people[0]['mask'] = np.zeros((*SIZE, 1), np.uint8)
    dump(tmp_path / 'a.pkl', people)
    np.save(tmp_path / 'faces.npy', FACES)
    image, = open_results(tmp_path, None, context()).read().images
    np.testing.assert_allclose(image.intrinsics, camera, atol=.01)
    assert image.image_size == SIZE


def test_without_2d_keypoints_the_middle(tmp_path):
    people = outputs()
    for person in people:
        del person['pred_keypoints_2d']
    dump(tmp_path / 'a.pkl', people)
    np.save(tmp_path / 'faces.npy', FACES)
    np.testing.assert_allclose(open_results(tmp_path, None, context(SIZE)).read().images[0].intrinsics, K)
    assert open_results(tmp_path, None, context()).read().images[0].intrinsics is None


def test_focal_length_of_the_diagonal_is_a_guess(tmp_path):
    dump(tmp_path / 'a.pkl', outputs(camera=pinhole(np.hypot(*SIZE), 360, 240)))
    np.save(tmp_path / 'faces.npy', FACES)
    assert open_results(tmp_path, None, context(SIZE)).read().focal_is_guess


def test_wrong_files_are_told(tmp_path):
    people = outputs()
    dump(tmp_path / 'a.pkl', [{key: value for key, value in people[0].items() if key != 'pred_cam_t'}])
    with pytest.raises(ResultError, match=r"a\.pkl, person 0: no key 'pred_cam_t'"):
        open_results(tmp_path, 'sam3d_body', context(SIZE)).read()
    dump(tmp_path / 'a.pkl', [dict(people[0], pred_vertices=people[0]['pred_vertices'] * 100)])
    with pytest.raises(ResultError, match="key 'pred_vertices': people are .* they look like cm"):
        open_results(tmp_path, 'sam3d_body', context(SIZE)).read()
    dump(tmp_path / 'a.pkl', people)
    guessed = open_results(tmp_path, 'sam3d_body', context(SIZE)).read()
    assert guessed.faces_are_guess and 'estimator.faces' in guessed.notes[-1]
    dump(tmp_path / 'a.pkl', [dict(verts=1)])
    with pytest.raises(ResultError, match=r'a\.pkl: holds a list of 1, the first holds the keys verts; expected'):
        open_results(tmp_path, 'sam3d_body', context(SIZE)).read()


def test_joints_by_the_skeleton_and_heights_by_the_file(tmp_path, monkeypatch):
    truth, people = crowd(), outputs()
    for i, person in enumerate(people):
        person['pred_joint_coords'] = np.full((127, 3), 9, np.float32)
        person['pred_joint_coords'][list(SMPL_ROWS)] = truth.joints[i] - person['pred_cam_t']
        person['mhr_model_params'] = np.zeros(204, np.float32)
        person['mhr_model_params'][136] = -.5 * i  # of the stand-in the logarithm to base 2 of its size
    dump(tmp_path / 'in/photo.pkl', people)
    np.save(tmp_path / 'in/faces.npy', FACES)
    image, = open_results(tmp_path / 'in', None, context(SIZE)).read().images
    np.testing.assert_allclose(image.people.smpl_joints, truth.joints, atol=1e-5)
    np.testing.assert_allclose(image.people.pelvis, truth.joints[:, 0], atol=1e-5)
    assert torch.isnan(image.people.heights).all()
    monkeypatch.setenv('SAM3D_MHR_PATH', str(write_mhr(tmp_path)))
    image, = open_results(tmp_path / 'in', None, context(SIZE)).read().images
    np.testing.assert_allclose(image.people.heights, [2, 2**.5, 1], rtol=1e-3)
    (tmp_path / 'in/faces.npy').unlink()
    assert len(open_results(tmp_path / 'in', None, context(SIZE, tmp_path / 'in')).read().faces) > 1000


def test_malicious_pickle_is_refused(tmp_path):
    content, evidence = malicious(tmp_path)
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(UnsafeFileError, match=r'a\.pkl: refused'):
        open_results(tmp_path / 'a.pkl', 'sam3d_body', context(SIZE)).read()
    assert not evidence.exists()


@pytest.mark.parametrize('form', ['ascii', 'binary'])
def test_meshes_of_the_notebook(tmp_path, form):
    truth = crowd()
    for i, vertices in enumerate(truth.vertices):
        (tmp_path / f'photo_mesh_{i:03d}.ply').write_bytes(ply(vertices * [1, -1, -1], truth.faces, form))
    (tmp_path / 'photo_focal_length.json').write_text(json.dumps({'focal_length': FOCAL}))
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    check_people(results.images[0], truth.vertices, intrinsics=K)
    assert results.images[0].name == 'photo' and 'middle of their surface' in results.notes[0]
    np.testing.assert_array_equal(results.faces, truth.faces)
    assert (np.linalg.norm(results.images[0].people.pelvis - truth.joints[:, 0], axis=1) < .2 * truth.heights).all()

    for path in reader.write(tmp_path / 'same', none_of(results)):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    assert len(list((tmp_path / 'same').iterdir())) == 4
    reader.write(tmp_path / 'moved', moves_of(results, camera=torch.tensor(pinhole(900., 360, 240))))
    again = open_results(tmp_path / 'moved', 'sam3d_body', context(SIZE)).read().images[0]
    middle = results.images[0].people.pelvis[1].numpy()
    want = middle + [.1, -.2, 1.5] + .7 * (truth.vertices[1] - middle)
    np.testing.assert_allclose(again.people.vertices[1], want, atol=1e-5)
    np.testing.assert_allclose(again.people.vertices[0], truth.vertices[0], atol=1e-5)
    assert again.intrinsics[0, 0] == 900
    (tmp_path / 'photo_focal_length.json').unlink()
    with pytest.raises(ResultError, match=r'photo_focal_length\.json: not found'):
        reader.read()
