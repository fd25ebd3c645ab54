"""The benchmark of pictures: its rows, and that a picture of the real clip gets the truth of its camera and frame."""
import json
import zipfile

import cv2
import numpy as np
import pytest
from scripts import load_script

from mmhuman_dto.fileio.images import ImageError

bench = load_script('tools/benchmark/bench_photos.py')
truth = load_script('tools/benchmark/_photo_truth.py')
#: (height, width) of the clip made here, its annotated frames, and their number.
SIZE, FRAMES, LENGTH = (64, 96), (0, 3, 4, 6), 8
#: Who is seen: camera, frame, person. Camera 0 has no annotated person in frames 4 and 6.
SEEN = np.array([(0, 0, 1), (0, 0, 0), (0, 3, 2), (1, 0, 0), (1, 3, 1), (1, 6, 2), (1, 6, 0)])
ROTATIONS = np.array([[[1., 0, 0], [0, 0, -1], [0, 1, 0]], [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]])


def color(camera, frame):
    """RGB of a frame, which no other has."""
    return np.array([28 * frame + 20, 220 - 25 * frame, 60 + 120 * camera])


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Two videos of flat colours in a folder, cam01.mp4 and cam02.mp4."""
    folder = tmp_path_factory.mktemp('videos')
    for camera in range(2):
        writer = cv2.VideoWriter(str(folder / f'cam{camera + 1:02d}.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 10,
                                 SIZE[::-1])
        assert writer.isOpened()
        for frame in range(LENGTH):
            writer.write(np.full((*SIZE, 3), color(camera, frame)[::-1], np.uint8))
        writer.release()
    return folder


@pytest.fixture(scope='module')
def wheel(videos, tmp_path_factory):
    path = tmp_path_factory.mktemp('wheel') / 'pose2sim.whl'
    with zipfile.ZipFile(path, 'w') as archive:
        for name in ('cam01.mp4', 'cam02.mp4'):
            archive.write(videos / name, f'Pose2Sim/Demo_MultiPerson/videos/{name}')
    return path


@pytest.fixture(scope='module')
def arrays():
    """What the clip's file holds: cameras and three people in world coordinates, z up."""
    rng = np.random.default_rng(0)
    return dict(
        K=np.array([[[100., 0, 48], [0, 110, 32], [0, 0, 1]], [[120, 0, 40], [0, 130, 30], [0, 0, 1]]]), R=ROTATIONS,
        t=np.array([[.1, .9, 4], [-.3, .8, 5]]), frames=np.array(FRAMES),
        person_names=np.array(['man', 'avatar', 'bystander']), heights=np.array([1.72, 1.41, 1.65], np.float32),
        joints_3d=rng.normal(0, .5, (3, len(FRAMES), 17, 3)).astype(np.float32),
        joints_3d_valid=rng.random((3, len(FRAMES), 17)) < .7,
        det_camera=SEEN[:, 0].astype(np.int8), det_frame=SEEN[:, 1].astype(np.int16),
        det_person=SEEN[:, 2].astype(np.int8))


@pytest.fixture(scope='module')
def npz(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp('truth') / 'truth.npz'
    np.savez(path, **arrays)
    return path


def test_the_bundled_truth_is_of_the_layout_made_here(arrays):
    """Its people are where a network saw them in the pictures."""
    with np.load(truth.CLIP_TRUTH) as real:
        people, frames = real['joints_3d'].shape[:2]
        counts = {2: len(real['K']), 3: people, 4: frames, 7: len(real['movenet_2d'])}
        for name, values in arrays.items():
            assert (real[name].dtype.kind, real[name].ndim) == (values.dtype.kind, values.ndim), name
            assert len(real[name]) == counts[len(values)], name
        away = []
        for camera in np.unique(real['det_camera']).tolist():
            for frame in real['frames']:
                rows = (real['det_camera'] == camera) & (real['det_frame'] == frame)
                case = truth._clip_case(real, camera, frame, None)
                distance = np.linalg.norm(case.pixels - real['movenet_2d'][rows], axis=-1)
                away += distance[case.known & (real['movenet_score'][rows] > .5)].tolist()
    assert len(away) > 1000 and np.median(away) < 12


@pytest.mark.parametrize('kind', ['videos', 'wheel'])
def test_pictures_of_the_clip_have_the_truth_of_their_camera_and_frame(kind, arrays, npz, request):
    cases = list(truth.clip_cases(request.getfixturevalue(kind), npz))
    assert [case.img_id for case in cases] == [f'cam0{camera + 1}/{frame:06d}' for camera in (0, 1)
                                               for frame in FRAMES]
    for case, (camera, time) in zip(cases, [(camera, time) for camera in (0, 1) for time in range(len(FRAMES))]):
        frame = FRAMES[time]
        assert case.image.shape == (*SIZE, 3)
        assert np.abs(case.image.reshape(-1, 3).mean(0) - color(camera, frame)).max() < 8
        people = [person for its, when, person in SEEN if (its, when) == (camera, frame)]
        assert case.groups == tuple(str(arrays['person_names'][person]) for person in people)
        assert case.heights.tolist() == pytest.approx([(1.72, 1.41, 1.65)[person] for person in people])
        assert np.array_equal(case.known, arrays['joints_3d_valid'][people, time])
        assert np.array_equal(case.intrinsics, arrays['K'][camera])
        for joints, pixels, person in zip(case.joints, case.pixels, people):
            # Said once more in words: camera 0 looks along y; camera 1 along -x.
            x, y, z = arrays['joints_3d'][person, time].astype(float).T
            expected = np.stack([(x, -z, y), (y, -z, -x)][camera], -1) + arrays['t'][camera]
            np.testing.assert_allclose(joints, expected, atol=1e-6)
            focal, middle = arrays['K'][camera][[0, 1], [0, 1]], arrays['K'][camera][:2, 2]
            np.testing.assert_allclose(pixels, focal * expected[:, :2] / expected[:, 2:] + middle, rtol=1e-5)


def test_what_is_missing_of_the_clip_is_named(videos, wheel, arrays, npz, tmp_path):
    (tmp_path / 'cam01.mp4').write_bytes((videos / 'cam01.mp4').read_bytes())
    with zipfile.ZipFile(tmp_path / 'other.whl', 'w') as archive:
        archive.writestr('readme.txt', 'no videos')
    for where, name in ((tmp_path, 'cam02.mp4'), (tmp_path / 'other.whl', 'cam01.mp4'),
                        (tmp_path / 'none.whl', 'cam01.mp4')):
        with pytest.raises(FileNotFoundError, match=f'{where}/{name}: no such video; pip download pose2sim==0.10.49'):
            list(truth.clip_cases(where, npz))
    np.savez(tmp_path / 'long.npz', **{**arrays, 'frames': np.array([0, 3, 4, LENGTH])})
    with pytest.raises(ImageError, match=f'cam01.mp4: has no frame {LENGTH}'):
        list(truth.clip_cases(videos, tmp_path / 'long.npz'))


def test_rows_of_a_run(tmp_path, capsys):
    bench.main(['--limit', '1', '--methods', 'photo', '--json', str(tmp_path / 'figures.json')])
    rows = json.loads((tmp_path / 'figures.json').read_text())['rows']
    about = [(row['set'], row['method'], row['focal'], row['dto']) for row in rows if row['group'] == 'all']
    assert about == [('crowds', 'photo', focal, dto) for focal in ('true', 'guessed') for dto in ('before', 'after')]
    assert {row['group'] for row in rows} == {'all', 'adult', 'child'} and len(rows) == 12
    alls = {(row['focal'], row['dto']): row for row in rows if row['group'] == 'all'}
    for row in alls.values():
        assert set(bench.FIGURES) <= row.keys() and row['people'] == 11 and row['f1'] == 100 and row['seconds'] > 0
        assert all(np.isfinite(row[name]) for name in bench.FIGURES)
    for row in rows:
        if row['group'] != 'all':
            assert 0 < row['people'] < 11 and {'f1', 'depth_order', 'seconds'}.isdisjoint(row)
    assert alls['true', 'after']['relative_depth_error'] < alls['true', 'before']['relative_depth_error']
    assert alls['true', 'after']['relative_depth_error'] < alls['guessed', 'after']['relative_depth_error']
    assert alls['true', 'after']['pixel_error'] < 4
    text = capsys.readouterr().out
    assert all(title in text for title, _, _ in bench.FIGURES.values()) and 'guessed' in text
