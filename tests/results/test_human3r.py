import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, context, moves_of, none_of, pinhole, shown
from results.videos import SIZE, model_files, npz_of, posed, refuses_pickles, true_tracks

from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.human3r import Human3R

FOCAL, SCALE = 655., 512 / max(SIZE)


def truth(frame):
    """(pose, betas, transl, vertices, joints) of the people of a frame, eyes at rest."""
    tracks = [track for track in true_tracks('smplx') if frame in track.frames]
    pose, betas, transl = (np.stack([getattr(track, name)[track.at(frame)] for track in tracks])
                           for name in ('pose', 'betas', 'transl'))
    pose = pose.copy()
    pose[:, 23:25] = 0
    return pose, betas, transl, *posed('smplx', pose, betas, transl)


def content(frame):
    """Contents of the files of a frame: transl is that of the head."""
    pose, betas, _, _, joints = truth(frame)
    people = dict(scores=np.full((len(pose), 1), .5, np.float32), shape=betas, transl=joints[:, 15],
                  rotvec=np.concatenate([pose[:, :22], pose[:, 25:], pose[:, 22:23]], 1),
                  expression=np.zeros((len(pose), 10), np.float32))
    camera = dict(pose=np.eye(4, dtype=np.float32),
                  intrinsics=pinhole(FOCAL * SCALE, 360 * SCALE, 240 * SCALE).astype(np.float32))
    return people, camera


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / 'out3r'
    for name in 'smpl', 'camera':
        (folder / name).mkdir(parents=True)
    for frame in range(4):
        for name, arrays in zip(('smpl', 'camera'), content(frame)):
            np.savez(folder / name / f'{frame:06d}.npz', **arrays)
    return folder


def test_people_are_where_they_were(path):
    reader = open_results(path, None, context(SIZE, model_files()))
    assert isinstance(reader, Human3R)
    results = reader.read()
    assert not results.focal_is_guess and [image.name for image in results.images][:2] == ['000000', '000001']
    for frame, image in enumerate(results.images):
        _, _, _, vertices, joints = truth(frame)
        assert image.frame == frame and image.people.scores[0] == .5
        np.testing.assert_allclose(image.people.vertices, vertices, atol=1e-4)
        np.testing.assert_allclose(image.people.pelvis, joints[:, 0], atol=1e-4)
        np.testing.assert_allclose(shown(image.people.vertices, image.intrinsics),
                                   shown(vertices, pinhole(FOCAL, 360, 240)), atol=.1)


def test_stand_ins_have_their_heads_there(path):
    image = open_results(path, 'human3r', context(SIZE)).read().images[0]
    np.testing.assert_allclose(image.people.smpl_joints[:, 15], truth(0)[4][:, 15], atol=1e-4)
    image = open_results(path, 'human3r', context(None)).read().images[0]
    assert image.intrinsics is None


def test_round_trip_and_moves(path, tmp_path):
    reader = open_results(path, 'human3r', context(SIZE, model_files()))
    results = reader.read()
    written = reader.write(tmp_path / 'out', none_of(results))
    assert len(written) == 8
    for frame in range(4):
        for file, want in zip(written[2 * frame:], content(frame)):
            alike(dict(np.load(file)), want)
    moves = moves_of(results, row=1, camera=torch.tensor(pinhole(700, 370, 240)))
    reader.write(tmp_path / 'out', moves)
    people, camera = (dict(np.load(tmp_path / 'out' / name / '000000.npz')) for name in ('smpl', 'camera'))
    want = content(0)
    assert changed_keys(people, want[0]) == {'transl'} and changed_keys(camera, want[1]) == {'intrinsics'}
    np.testing.assert_allclose(people['transl'] - want[0]['transl'], moves[0].shift, atol=1e-5)
    np.testing.assert_allclose(camera['intrinsics'], pinhole(700 * SCALE, 370 * SCALE, 240 * SCALE), rtol=1e-6)
    for file, want in zip(written[2:], content(1)):
        alike(dict(np.load(file)), want)


def test_errors_name_file_and_key(path):
    (path / 'camera' / '000002.npz').unlink()
    with pytest.raises(ResultError, match='camera/000002.npz: not found'):
        open_results(path, 'human3r', context(SIZE)).read()
    np.savez(path / 'smpl' / '000001.npz', **dict(content(1)[0], rotvec=np.zeros((2, 55, 3))))
    with pytest.raises(ResultError, match=r"000001.npz, key 'rotvec': shape \(2, 55, 3\), expected \(any, 53, 3\)"):
        open_results(path, 'human3r', context(SIZE)).read()
    with pytest.raises(ResultError, match='no smpl/<frame>.npz; expected a folder'):
        open_results(path.parent, 'human3r', context(SIZE)).read()


def test_nothing_is_run(path):
    refuses_pickles(path / 'smpl' / '000000.npz', 'human3r', path, npz_of('transl'))
