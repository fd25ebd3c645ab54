import numpy as np
import pytest
import torch
from results.peers import alike, changed_keys, check_people, context, moves_of, none_of, pinhole
from results.videos import SIZE, model_files, posed, refuses_pickles, true_tracks

from mmhuman_dto.geometry.rotation import axis_angle_to_matrix
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.prompthmr import PromptHmr

FOCAL = float(np.hypot(*SIZE))


def people():
    """Poses, betas, transl, vertices and joints of two people whose face and hands are at rest."""
    pose, betas, transl = (np.concatenate([getattr(track, name)[:1] for track in true_tracks('smplx')[:2]])
                           for name in ('pose', 'betas', 'transl'))
    pose = pose.copy()
    pose[:, 22:] = 0
    return pose, betas, transl, *posed('smplx', pose, betas, transl)


def content(focal=FOCAL, absolute=True):
    """As demo_phmr.py saves it: cam_int is that of the picture scaled to 896 px and padded to a square."""
    pose, betas, transl, vertices, joints = map(torch.tensor, people())
    scale = 896 / max(SIZE)
    return dict(pose=torch.zeros(2, 132), betas=betas, transl=transl, rotmat=axis_angle_to_matrix(pose[:, :22]),
                vertices=vertices, body_joints=joints if absolute else joints - joints[:, :1],
                cam_int=torch.tensor(pinhole(focal * scale, 448, 448)).float().repeat(2, 1, 1))


@pytest.fixture
def path(tmp_path):
    for name in 'a.jpg', 'b.jpg':
        (tmp_path / name).mkdir()
        torch.save(content(), tmp_path / name / 'output.pt')
    return tmp_path


def test_people_are_where_they_were(path):
    reader = open_results(path, None, context(SIZE, model_files()))
    assert isinstance(reader, PromptHmr)
    results = reader.read()
    assert [image.name for image in results.images] == ['a.jpg', 'b.jpg'] and results.focal_is_guess
    for image in results.images:
        check_people(image, people()[3], people()[4][:, 0], pinhole(FOCAL, 360, 240))


def test_the_focal_length_is_that_of_the_whole_picture(path):
    torch.save(content(focal=500.), path / 'a.jpg' / 'output.pt')
    results = open_results(path / 'a.jpg', 'prompthmr', context(SIZE)).read()
    np.testing.assert_allclose(results.images[0].intrinsics, pinhole(500, 360, 240), rtol=1e-5)
    assert not results.focal_is_guess
    results = open_results(path / 'a.jpg' / 'output.pt', 'prompthmr', context(None)).read()
    assert results.images[0].intrinsics is None and any('--images' in note for note in results.notes)


def test_stand_ins(path):
    results = open_results(path, 'prompthmr', context(SIZE)).read()
    _, _, _, vertices, joints = people()
    np.testing.assert_allclose(results.images[0].people.pelvis, joints[:, 0], atol=.03)
    large = np.linalg.norm(np.ptp(results.images[0].people.vertices.numpy(), axis=1), axis=-1)
    np.testing.assert_allclose(large, np.linalg.norm(np.ptp(vertices, axis=1), axis=-1), rtol=1e-4)


@pytest.mark.parametrize('absolute', [True, False])
def test_round_trip_and_moves(path, tmp_path, absolute):
    for name in 'a.jpg', 'b.jpg':
        torch.save(content(absolute=absolute), path / name / 'output.pt')
    reader = open_results(path, 'prompthmr', context(SIZE, model_files()))
    results = reader.read()
    for file in reader.write(tmp_path / 'out', none_of(results)):
        alike(torch.load(file), content(absolute=absolute))
    moves = moves_of(results, row=1)
    written = reader.write(tmp_path / 'out', moves)
    assert [str(file.relative_to(tmp_path / 'out')) for file in written] == ['a.jpg/output.pt', 'b.jpg/output.pt']
    got, want = torch.load(written[0]), content(absolute=absolute)
    assert changed_keys(got, want) == {'transl', 'vertices', *(['body_joints'] if absolute else [])}
    shift, pelvis = moves[0].shift[1], people()[4][1, 0]
    np.testing.assert_allclose(got['transl'][1], want['transl'][1] + shift, atol=1e-5)
    for key in ('vertices', 'body_joints')[:1 + absolute]:
        np.testing.assert_array_equal(got[key][0], want[key][0])
        np.testing.assert_allclose(got[key][1], shift + pelvis + .7 * (want[key][1] - pelvis), atol=1e-4)
    alike(torch.load(written[1]), content(absolute=absolute))


def test_nobody(tmp_path):
    empty = {key: value[:0] for key, value in content().items()}
    torch.save(empty, tmp_path / 'output.pt')
    reader = open_results(tmp_path, 'prompthmr', context(SIZE))
    results = reader.read()
    assert len(results.images[0].people) == 0
    written, = reader.write(tmp_path / 'out', none_of(results))
    alike(torch.load(written), empty)


def test_the_camera_that_people_were_placed_for_is_written(path, tmp_path):
    reader = open_results(path, 'prompthmr', context(SIZE))
    moves = moves_of(reader.read(), row=1, shift=(0, 0, 0), scale=1, camera=torch.tensor(pinhole(600, 370, 230)))
    written = reader.write(tmp_path / 'out', moves)
    assert changed_keys(torch.load(written[0]), content()) == {'cam_int'}
    scale = 896 / max(SIZE)
    np.testing.assert_allclose(torch.load(written[0])['cam_int'][1],
                               pinhole(600 * scale, 448 + 10 * scale, 448 - 10 * scale), rtol=1e-5)


def test_errors_name_file_and_key(tmp_path):
    with pytest.raises(ResultError, match='no output.pt; expected <image name>/output.pt'):
        open_results(tmp_path, 'prompthmr', context(SIZE)).read()
    torch.save(dict(content(), betas=torch.zeros(2, 3)), tmp_path / 'output.pt')
    with pytest.raises(ResultError, match=r"output.pt, key 'betas': shape \(2, 3\), expected \(2, 10\)"):
        open_results(tmp_path, 'prompthmr', context(SIZE)).read()


def test_nothing_is_run(tmp_path):
    refuses_pickles(tmp_path / 'output.pt', 'prompthmr', tmp_path)
