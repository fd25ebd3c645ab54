"""Camera poses from files of every kind, written here from poses that are known, and their errors."""
import json
import struct

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.camera_poses import read_camera_poses, write_trajectory
from mmhuman_dto.fileio.colmap import CAMERA_MODELS, read_colmap

COUNT = 5
#: Camera -> world: where the camera is, and how it is turned.
PLACES = np.random.default_rng(0).normal(0, 2, (COUNT, 3))
TURNS = Rotation.random(COUNT, random_state=1)
TIMES = torch.arange(COUNT) / 30


def truth():
    """(T, 4, 4) world -> camera, by inverting matrices."""
    back = np.tile(np.eye(4), (COUNT, 1, 1))
    back[:, :3, :3], back[:, :3, 3] = TURNS.as_matrix(), PLACES
    return np.linalg.inv(back)


def colmap_rows(numbers):
    """(quaternion w first, translation) of world -> camera of some poses."""
    poses = truth()[numbers]
    return np.roll(Rotation.from_matrix(poses[:, :3, :3]).as_quat(), 1, axis=1), poses[:, :3, 3]


def write_colmap(folder, numbers, name='frame_{:06d}.png', first=0, binary=False, camera=(900., 910., 320., 240.)):
    """A model of some of the frames, in an order of its own; its pictures have points, or none."""
    folder.mkdir()
    quaternions, translations = colmap_rows(numbers)
    rows = list(zip(numbers, quaternions, translations))[::-1]
    if binary:
        parts = [struct.pack('<Q', len(rows))]
        for number, turn, place in rows:
            parts += [struct.pack('<i7di', number + 1, *turn, *place, 3), name.format(number + first).encode() + b'\0',
                      struct.pack('<Q', number), struct.pack('<ddq', 1, 2, -1) * number]
        (folder / 'images.bin').write_bytes(b''.join(parts))
        (folder / 'cameras.bin').write_bytes(struct.pack('<QiiQQ4d', 1, 3, 1, 640, 480, *camera))
        return folder
    lines = ['# Image list with two lines of data per image:']
    for number, turn, place in rows:
        values = ' '.join(map(repr, [*turn.tolist(), *place.tolist()]))
        lines += [f'{number + 1} {values} 3 {name.format(number + first)}', '10.5 20 -1 30 40 7' if number % 2 else '']
    (folder / 'images.txt').write_text('\n'.join(lines) + '\n')
    (folder / 'cameras.txt').write_text('# cameras\n3 PINHOLE 640 480 ' + ' '.join(map(str, camera)) + '\n')
    return folder


@pytest.mark.parametrize('binary', [False, True])
@pytest.mark.parametrize('first', [0, 1])
def test_colmap(tmp_path, binary, first):
    folder = write_colmap(tmp_path / 'model', list(range(COUNT)), first=first, binary=binary)
    found = read_camera_poses(folder)
    np.testing.assert_allclose(found.of_frames(TIMES), truth(), atol=1e-12)
    assert found.poses.dtype == torch.float64 and not found.scale_known and not found.distorted
    assert found.intrinsics[COUNT - 1].tolist() == [[900, 0, 320], [0, 910, 240], [0, 0, 1]]
    same = read_camera_poses(folder / ('images.bin' if binary else 'images.txt'), metric=True)
    assert same.scale_known and torch.equal(same.poses, found.poses)


def test_colmap_knows_pictures_by_name(tmp_path):
    """Frames whose pictures are named in an order of their own, one of which the model lacks."""
    folder = write_colmap(tmp_path / 'model', [0, 1, 3, 4], name='sub/shot{:d}.jpg', first=7)
    names = [f'shot{number + 7}.png' for number in range(COUNT)]
    found = read_camera_poses(folder).of_frames(TIMES, names)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], truth()[[0, 1, 3, 4]], atol=1e-12)
    np.testing.assert_allclose(torch.linalg.inv(found[2])[:3, 3], (PLACES[1] + PLACES[3]) / 2)
    with pytest.raises(BrokenFileError, match=r"none of its 4 pictures \('sub/shot7.jpg', ...\) is called"):
        read_camera_poses(folder).of_frames(TIMES, ['other'] * COUNT)


def test_distortion_is_left_out_and_said(tmp_path):
    folder = write_colmap(tmp_path / 'model', [0, 1])
    (folder / 'cameras.txt').write_text('3 SIMPLE_RADIAL 640 480 900 320 240 .1\n')
    found = read_camera_poses(folder)
    assert found.distorted and found.intrinsics[0].tolist() == [[900, 0, 320], [0, 900, 240], [0, 0, 1]]
    for number, (model, (focals, count)) in enumerate(CAMERA_MODELS.items()):
        (folder / 'cameras.txt').write_text(f'{number} {model} 640 480 {" ".join(map(str, range(1, count + 1)))}\n')
        camera, = read_colmap(folder)[2].values()
        assert camera.intrinsics[:2, 2].tolist() == [focals + 1, focals + 2] and len(camera.distortion) == (
            count - focals - 2)


def write_tum_lines(path, stamps, numbers=range(COUNT)):
    rows = [[stamp, *PLACES[number], *TURNS[number].as_quat()] for stamp, number in zip(stamps, numbers)]
    path.write_text('# timestamp tx ty tz qx qy qz qw\n' + '\n'.join(' '.join(map(repr, map(float, row)))
                                                                     for row in rows) + '\n')
    return path


@pytest.mark.parametrize('start', [0., 1305031102.5])
def test_trajectory_of_seconds(tmp_path, start):
    path = write_tum_lines(tmp_path / 'a.txt', (TIMES.double() + start).tolist())
    found = read_camera_poses(path)
    assert found.unit == 'seconds' and not found.scale_known
    np.testing.assert_allclose(found.of_frames(TIMES), truth(), atol=1e-4 if start else 1e-9)


def test_trajectory_of_frames_with_gaps(tmp_path):
    """DPVO's stamps are numbers of frames, some of which it leaves out."""
    found = read_camera_poses(write_tum_lines(tmp_path / 'a.txt', [0, 2, 4], [0, 2, 4]))
    assert found.unit == 'frames'
    poses = found.of_frames(TIMES)
    np.testing.assert_allclose(poses[[0, 2, 4]], truth()[[0, 2, 4]], atol=1e-12)
    np.testing.assert_allclose(torch.linalg.inv(poses[1])[:3, 3], (PLACES[0] + PLACES[2]) / 2)
    halfway = Rotation.from_matrix(poses[1, :3, :3].numpy().T)
    assert (TURNS[0].inv() * halfway).magnitude() == pytest.approx((TURNS[0].inv() * TURNS[2]).magnitude() / 2)
    # The same stamps as seconds: a key frame every two seconds.
    slow = read_camera_poses(tmp_path / 'a.txt', unit='seconds').of_frames(torch.arange(5.))
    torch.testing.assert_close(slow, poses)


def test_written_and_read_again(tmp_path):
    write_trajectory(tmp_path / 'made/a.txt', TIMES, truth())
    found = read_camera_poses(tmp_path / 'made/a.txt', metric=True)
    np.testing.assert_allclose(found.poses, truth(), atol=1e-12)
    assert found.stamps.tolist() == TIMES.tolist() and found.scale_known
    first = (tmp_path / 'made/a.txt').read_text().splitlines()[1].split()
    np.testing.assert_allclose(np.array(first[1:4], float), PLACES[0])


@pytest.mark.parametrize('suffix', ['.npz', '.json'])
def test_plain_files(tmp_path, suffix):
    def write(name, **content):
        path = tmp_path / f'{name}{suffix}'
        if suffix == '.npz':
            np.savez(path, **content)
        else:
            path.write_text(json.dumps({key: np.asarray(value).tolist() for key, value in content.items()}))
        return path

    found = read_camera_poses(write('a', world_to_camera=truth()))
    np.testing.assert_allclose(found.of_frames(TIMES), truth())
    assert found.scale_known and found.unit == 'frames'
    back = read_camera_poses(write('b', camera_to_world=np.linalg.inv(truth())[:, :3], metric=False))
    np.testing.assert_allclose(back.of_frames(TIMES), truth(), atol=1e-9)
    assert not back.scale_known
    some = read_camera_poses(write('c', world_to_camera=truth()[::2], times=TIMES[::2]))
    np.testing.assert_allclose(some.of_frames(TIMES)[::2], truth()[::2], atol=1e-9)
    other = read_camera_poses(write('d', world_to_camera=truth()[::2], frames=[1, 3, 5]))
    np.testing.assert_allclose(other.of_frames(TIMES)[::2], truth()[::2], atol=1e-9)
    for name, content, said in (
            ('e', dict(poses=truth()), r"keys are \['poses'\]; expected one of world_to_camera and camera_to_world"),
            ('f', dict(world_to_camera=2 * truth()), 'row 0 is no rotation and translation'),
            ('g', dict(world_to_camera=truth()[0]), r'world_to_camera: .*shape \(4, 4\)'),
            ('h', dict(world_to_camera=truth(), times=TIMES.flip(0)), 'times: .*5 numbers that rise'),
            ('i', dict(world_to_camera=np.zeros((0, 4, 4))), 'holds no pose')):
        with pytest.raises(BrokenFileError, match=said):
            read_camera_poses(write(name, **content))


@pytest.mark.parametrize('numbers', [[0, 1, 2, 3], [2, 3, 4]])
def test_beyond_the_file_nobody_knows(tmp_path, numbers):
    path = write_tum_lines(tmp_path / 'a.txt', numbers, numbers)
    with pytest.raises(BrokenFileError, match=r'a.txt: camera poses are known from .* nobody knows where the camera is '
                                              r'then \(frames, .*the whole clip'):
        read_camera_poses(path).of_frames(TIMES)
    path = write_tum_lines(tmp_path / 'a.txt', [number / 30 for number in numbers], numbers)
    with pytest.raises(BrokenFileError, match='known from .*seconds'):
        read_camera_poses(path).of_frames(TIMES)


@pytest.mark.parametrize('line, said', [
    ('1 2 3 0 0 0 1', r"line 3: '1 2 3 0 0 0 1'; expected timestamp tx .*7 numbers"),
    ('1 0 0 0 0 0 0 0', 'line 3: .*quaternion whose length is not 1'),
    ('1 0 0 x 0 0 0 1', 'line 3: .*could not convert'),
    ('1 0 0 nan 0 0 0 1', 'line 3: .*not finite'),
    ('0 0 0 0 0 0 0 1', 'line 3: .*timestamps that rise .*0 does not follow 0')])
def test_a_bad_line_of_a_trajectory(tmp_path, line, said):
    (tmp_path / 'a.txt').write_text(f'# a comment\n0 0 0 0 0 0 0 1\n{line}\n')
    with pytest.raises(BrokenFileError, match=f'a.txt, {said}'):
        read_camera_poses(tmp_path / 'a.txt')


def test_bad_models(tmp_path):
    folder = write_colmap(tmp_path / 'model', list(range(COUNT)))
    images, cameras = (folder / name for name in ('images.txt', 'cameras.txt'))
    whole = images.read_text()
    for path, content, said in (
            (images, whole.replace('frame_000002', 'frame_000003'), "'frame_000003.png' and 'frame_000003.png' have"),
            (images, whole.replace('frame_000002.png', 'x.png'), "'x.png' has no number"),
            (images, '1 1 0 0 0 1\n\n', "images.txt, line 1: '1 1 0 0 0 1'; expected IMAGE_ID"),
            (images, '1 0 0 0 0 1 2 3 3 a1.png\n\n', 'pose 0 is no pose: quaternion'),
            (images, '', 'holds no pose'),
            (cameras, '3 PINHOLE 640 480 900\n', 'cameras.txt, line 1: .*PINHOLE has 4 parameters, here are 1'),
            (cameras, '3 NIKON 640 480 900\n', "line 1: .*KeyError: 'NIKON'"),
            (cameras, '1 PINHOLE 640 480 1 2 3 4\n', r'pictures are of camera 3, its cameras are \[1\]')):
        kept = path.read_text()
        path.write_text(content)
        with pytest.raises(BrokenFileError, match=said):
            read_camera_poses(folder)
        path.write_text(kept)
    cameras.unlink()
    assert read_camera_poses(folder).intrinsics is None
    images.unlink()
    with pytest.raises(BrokenFileError, match='neither images.txt nor images.bin; give the folder of a COLMAP model'):
        read_camera_poses(folder)
    with pytest.raises(ValueError, match="'slam': unknown kind of camera poses, expected one of colmap, tum, arrays"):
        read_camera_poses(folder, kind='slam')
    with pytest.raises(FileNotFoundError):
        read_camera_poses(tmp_path / 'nothing.txt')


def test_a_binary_model_cut_short(tmp_path):
    folder = write_colmap(tmp_path / 'model', list(range(COUNT)), binary=True)
    content = (folder / 'images.bin').read_bytes()
    for length in range(0, len(content), 7):
        (folder / 'images.bin').write_bytes(content[:length])
        with pytest.raises(BrokenFileError, match='images.bin'):
            read_camera_poses(folder)
