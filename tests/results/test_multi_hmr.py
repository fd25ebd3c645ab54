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
from smplx_files import write_smplx

from mmhuman_dto.fileio import UnsafeFileError
from mmhuman_dto.results import ResultError, anny_bodies, open_results
from mmhuman_dto.results.stored import load_stored

SIZE, SQUARE = (480, 720), 896
#: 60 degrees along the longer side, whatever the size of the square.
K = pinhole(focal_of(60, 720), 360, 240)
NET = pinhole(focal_of(60, SQUARE), SQUARE // 2, SQUARE // 2)


def humans(vertices=10475, net=NET, anny=False):
    """What Multi-HMR's model returns: tensors, absolute, the square picture's pixels."""
    truth = crowd()
    bodies, people = truth.sampled(vertices), []
    for i in range(len(truth)):
        joints = np.concatenate([truth.joints[i, :22], truth.joints[i, :1] + np.ones((105, 3)) * .1])
        values = dict(loc=shown(truth.joints[i, 15], net), transl=truth.joints[i, 15],
                      transl_pelvis=truth.joints[i, :1], v3d=bodies[i], j3d=joints, j2d=shown(joints, net))
        if anny:
            values = dict(values, K=net, K_regressed=net * .9, rotvec=np.zeros((163, 3)), shape=np.full(11, .5),
                          rotmat=np.tile(np.eye(3), (163, 1, 1)), fov=np.array([60.]))
        else:
            hands = np.full((31, 3), .1)
            values = dict(values, scores=np.array(.5 + .1 * i), rotvec=np.concatenate([truth.pose[i, :22], hands]),
                          expression=np.zeros(10), shape=np.linspace(-1, 1, 10))
        people.append({key: torch.as_tensor(value).float() for key, value in values.items()})
    return people


@pytest.fixture(autouse=True)
def no_anny(monkeypatch):
    monkeypatch.setattr(anny_bodies, 'anny_body', lambda: None)


@pytest.fixture(scope='module')
def smplx_folder(tmp_path_factory):
    return write_smplx(tmp_path_factory.mktemp('bodies'), scale=.3)


def test_with_the_body_files_vertices_are_theirs(tmp_path, smplx_folder):
    truth = crowd()
    torch.save(humans(), tmp_path / 'photo.pt')
    reader = open_results(tmp_path, None, context(SIZE, smplx_folder))
    results = reader.read()
    image, = results.images
    # The pelvis, not the head, which transl is.
    check_people(image, truth.sampled(10475), truth.joints[:, 0], K)
    np.testing.assert_allclose(image.people.smpl_joints[:, :22], truth.joints[:, :22], atol=1e-5)
    np.testing.assert_allclose(image.people.scores, [.5, .6, .7], atol=1e-6)
    np.testing.assert_allclose(image.people.global_orient, truth.pose[:, 0], atol=1e-5)
    np.testing.assert_allclose(image.people.body_pose, truth.pose[:, 1:22], atol=1e-5)
    assert (results.body, results.focal_is_guess, results.notes) == ('SMPLX', True, ())


def test_hands_come_after_the_jaw_in_smplx(tmp_path, smplx_folder):
    """Its jaw is the last rotation; SMPL-X has it, and the eyes, before the hands."""
    people = humans()
    for person in people:
        person['rotvec'][52] = 0
        person['rotvec'][22:52] = torch.arange(90.).reshape(30, 3) / 100
    asked = []

    class Bodies:
        model_path = smplx_folder

        def __call__(self, layout, pose, *args, **more):
            asked.append(pose)
            return context(SIZE, smplx_folder).bodies(layout, pose, *args, **more)

    torch.save(people, tmp_path / 'photo.pt')
    given = context(SIZE)
    given.bodies = Bodies()
    open_results(tmp_path, None, given).read()
    np.testing.assert_allclose(asked[0][0, 22:25], 0)
    np.testing.assert_allclose(asked[0][0, 25:].flatten(), np.arange(90) / 100, atol=1e-6)


def test_without_files_a_body_stands_in_at_the_pelvis(tmp_path):
    truth = crowd()
    torch.save(humans(), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context(SIZE)).read()
    people = results.images[0].people
    np.testing.assert_allclose(people.pelvis, truth.joints[:, 0], atol=1e-5)
    sizes = np.linalg.norm(truth.vertices.max(1) - truth.vertices.min(1), axis=1)
    ours = (people.vertices.amax(1) - people.vertices.amin(1)).norm(dim=1)
    np.testing.assert_allclose(ours, sizes, rtol=.03)
    assert 'OpenBody' in results.body and 'OpenBody' in results.notes[0]


@pytest.mark.parametrize('form', ['torch', 'pickle'])
def test_round_trip_and_moves(tmp_path, form):
    people = humans()
    path = tmp_path / 'photo.pt'
    torch.save(people, path) if form == 'torch' else dump(path, people)
    reader = open_results(path, None, context(SIZE))
    results = reader.read()
    written, = reader.write(tmp_path / 'same', none_of(results))
    assert load_stored(written).form == form
    alike(load_stored(written).content, people)
    written, = reader.write(tmp_path / 'moved', moves_of(results))
    got = load_stored(written).content
    alike([got[0], got[2]], [people[0], people[2]])
    assert changed_keys(got[1], people[1]) == {'transl', 'transl_pelvis', 'v3d', 'j3d'}
    for key in ('transl', 'transl_pelvis'):
        np.testing.assert_allclose(got[1][key] - people[1][key], np.broadcast_to([.1, -.2, 1.5], got[1][key].shape),
                                   atol=1e-5)
    pelvis = crowd().joints[1, 0]
    np.testing.assert_allclose(got[1]['v3d'], pelvis + [.1, -.2, 1.5] + .7 * (people[1]['v3d'].numpy() - pelvis),
                               atol=1e-5)


@pytest.mark.parametrize('net', [NET, pinhole(focal_of(60, 672), 336, 336)])
def test_focal_length_does_not_depend_on_the_square(tmp_path, net):
    torch.save(humans(net=net), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context(SIZE)).read()
    np.testing.assert_allclose(results.images[0].intrinsics, K, atol=.01)


def test_other_cameras_are_known(tmp_path):
    """By the file, or by 2D joints where the file has none; they are of the square, not of the picture."""
    net, want = pinhole(focal_of(40, SQUARE), 448, 448), pinhole(focal_of(40, 720), 360, 240)
    torch.save(humans(net=net), tmp_path / 'photo.pt')
    results = open_results(tmp_path, None, context(SIZE)).read()
    np.testing.assert_allclose(results.images[0].intrinsics, want, rtol=1e-3)
    assert not results.focal_is_guess
    people = [{key: value for key, value in person.items() if key != 'j2d'} for person in humans()]
    content = dict(humans=people, K=torch.tensor(net)[None].float())
    torch.save(content, tmp_path / 'photo.pt')
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    np.testing.assert_allclose(results.images[0].intrinsics, want, atol=.01)
    written, = reader.write(tmp_path / 'out', none_of(results))
    alike(load_stored(written).content, content)
    camera = torch.tensor(pinhole(focal_of(50, 720), 360, 240))
    written, = reader.write(tmp_path / 'camera', moves_of(results, camera=camera))
    got = load_stored(written).content
    np.testing.assert_allclose(got['K'][0], pinhole(focal_of(50, SQUARE), 448, 448), atol=1e-3)
    assert open_results(tmp_path, 'multi_hmr', context()).read().images[0].intrinsics is None


def test_a_child_by_the_eleventh_coefficient(tmp_path, smplx_folder):
    people = humans()
    for person, child in zip(people, (0., .6, 0.)):
        person['shape'] = torch.cat([person['shape'], torch.tensor([child])])
    torch.save(people, tmp_path / 'photo.pt')
    people = open_results(tmp_path, None, context(SIZE, smplx_folder)).read().images[0].people
    assert torch.isfinite(people.heights).tolist() == [True, False, True]


def test_nobody(tmp_path):
    torch.save([], tmp_path / 'a.pt')
    torch.save(humans(), tmp_path / 'b.pt')
    reader = open_results(tmp_path, None, context(SIZE))
    results = reader.read()
    assert [len(image.people) for image in results.images] == [0, 3]
    alike(load_stored(reader.write(tmp_path / 'out', none_of(results))[0]).content, [])


def test_saved_meshes(tmp_path, smplx_folder):
    truth = crowd()
    vertices = truth.sampled(10475).astype(np.float32)
    (tmp_path / 'in').mkdir()
    np.save(tmp_path / 'in/my_photo_multiHMR_896_L.png.npy', vertices)
    given = context(SIZE, smplx_folder)
    given.image_size = lambda name, frame=None: SIZE if name == 'my_photo' else None
    reader = open_results(tmp_path / 'in', None, given)
    results = reader.read()
    check_people(results.images[0], vertices, intrinsics=K)
    assert results.images[0].name == 'my_photo' and results.focal_is_guess
    written, = reader.write(tmp_path / 'out', none_of(results))
    assert written.name == 'my_photo_multiHMR_896_L.png.npy'
    alike(np.load(written), vertices)
    written, = reader.write(tmp_path / 'moved', moves_of(results))
    assert (np.load(written) != vertices).any((1, 2)).tolist() == [False, True, False]
    guessed = open_results(tmp_path / 'in', None, context(SIZE)).read()
    assert guessed.faces_are_guess and '--body-models' in guessed.notes[-1]


def test_anny(tmp_path):
    truth, people = crowd(), humans(13718, pinhole(focal_of(45, SQUARE), 448, 448), anny=True)
    torch.save(people, tmp_path / 'photo.pt')
    torch.save(({}, []), tmp_path / 'nobody.pt')
    reader = open_results(tmp_path, None, context(SIZE))
    assert reader.kind == 'multi_hmr_anny'
    results = reader.read()
    nobody, image = results.images
    assert len(nobody.people) == 0
    camera = pinhole(focal_of(45, 720), 360, 240)
    check_people(image, truth.sampled(13718), truth.joints[:, 0], camera)
    assert results.body == 'Anny' and len(results.faces) > 1000 and not results.focal_is_guess
    empty, written = reader.write(tmp_path / 'same', none_of(results))
    alike(load_stored(empty).content, ({}, []))
    alike(load_stored(written).content, people)
    moves = none_of(results)
    moves[1].shift[0, 2], moves[1].intrinsics = 1, torch.tensor(K)
    written = reader.write(tmp_path / 'moved', moves)[1]
    got = load_stored(written).content
    assert changed_keys(got[0], people[0]) == {'transl', 'transl_pelvis', 'v3d', 'j3d', 'K'}
    assert changed_keys(got[1], people[1]) == {'K'}
    np.testing.assert_allclose(got[1]['K'], NET, atol=1e-3)


def test_wrong_files_are_told(tmp_path):
    people = humans()
    for person in people:
        person['v3d'] = person['v3d'] * 1000
    torch.save(people, tmp_path / 'photo.pt')
    with pytest.raises(ResultError, match="key 'v3d': people are .* look like mm"):
        open_results(tmp_path, None, context(SIZE)).read()
    torch.save([dict(v3d=humans()[0]['v3d'])], tmp_path / 'photo.pt')
    with pytest.raises(ResultError, match="photo.pt, person 0: no key 'transl_pelvis'"):
        open_results(tmp_path, 'multi_hmr', context(SIZE)).read()
    with pytest.raises(ResultError, match='photo.pt: holds a list of 1.*expected'):
        open_results(tmp_path, 'multi_hmr_anny', context(SIZE)).read()


def test_malicious_pickle_is_refused(tmp_path):
    content, evidence = malicious(tmp_path)
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(UnsafeFileError, match=r'a\.pkl: refused'):
        open_results(tmp_path / 'a.pkl', 'multi_hmr', context(SIZE)).read()
    assert not evidence.exists()
