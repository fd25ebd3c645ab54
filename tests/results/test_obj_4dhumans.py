import numpy as np
import pytest
import torch
from results.peers import context, moves_of, none_of, pinhole, shown
from results.videos import SIZE, body, model_files, true_tracks

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.obj import ObjMesh
from mmhuman_dto.results import ResultError, open_results
from mmhuman_dto.results.obj_4dhumans import Obj4DHumans

FOCAL = 5000 / 256 * max(SIZE)


def write_obj(path, vertices, faces):
    """As trimesh exports it: colours behind the vertices, 8 digits."""
    lines = [f'v {x:.8f} {y:.8f} {z:.8f} 0.65 0.74 0.85' for x, y, z in vertices]
    lines += [f'f {a} {b} {c}' for a, b, c in np.asarray(faces) + 1]
    path.write_text('# https://github.com/mikedh/trimesh\n' + '\n'.join(lines) + '\n')


def meshes():
    """Vertices (2, 6890, 3) and pelvises (2, 3), camera frame."""
    return tuple(np.stack([getattr(track, name)[0] for track in true_tracks()[:2]]) for name in ('vertices', 'pelvis'))


@pytest.fixture
def path(tmp_path):
    """Two people of one picture, one of another, turned by half a turn about x; and what else the program leaves."""
    folder = tmp_path / 'demo_out'
    folder.mkdir()
    vertices, faces = meshes()[0], body('smpl').faces
    for name, person in (('a_0', 0), ('a_1', 1), ('b_c_12', 1)):
        write_obj(folder / f'{name}.obj', vertices[person] * [1, -1, -1], faces)
    (folder / 'a_0.png').touch()
    (folder / 'a_all.png').touch()
    return folder


def test_people_are_where_they_were(path):
    reader = open_results(path, None, context(SIZE, model_files()))
    assert isinstance(reader, Obj4DHumans)
    results = reader.read()
    assert [image.name for image in results.images] == ['a', 'b_c'] and results.focal_is_guess
    vertices, pelvises = meshes()
    for image, rows in zip(results.images, ([0, 1], [1])):
        np.testing.assert_allclose(image.people.vertices, vertices[rows], atol=1e-5)
        np.testing.assert_allclose(image.people.pelvis, pelvises[rows], atol=.02)  # by the regressor, posed
        np.testing.assert_allclose(shown(image.people.vertices, image.intrinsics),
                                   shown(vertices[rows], pinhole(FOCAL, 360, 240)), atol=.3)
    np.testing.assert_array_equal(results.faces, body('smpl').faces)
    assert results.body == 'SMPL'


def test_without_model_files_meshes_are_the_same(path):
    results = open_results(path, '4dhumans', context(None)).read()
    vertices, pelvises = meshes()
    np.testing.assert_allclose(results.images[0].people.vertices, vertices, atol=1e-5)
    assert np.linalg.norm(results.images[0].people.pelvis - torch.tensor(pelvises), axis=-1).max() < .4  # the middle
    assert results.images[0].intrinsics is None and any('--images' in note for note in results.notes)


def test_round_trip_gives_the_same_bytes(path, tmp_path):
    reader = open_results(path, '4dhumans', context(SIZE))
    written = reader.write(tmp_path / 'out', none_of(reader.read()))
    assert [file.name for file in written] == ['a_0.obj', 'a_1.obj', 'b_c_12.obj']
    for file in written:
        assert file.read_bytes() == (path / file.name).read_bytes()


def test_moves_change_the_vertices_of_one_file(path, tmp_path):
    reader = open_results(path, '4dhumans', context(SIZE, model_files()))
    results = reader.read()
    moves = moves_of(results, row=1)
    written = reader.write(tmp_path / 'out', moves)
    for file in written[0], written[2]:
        assert file.read_bytes() == (path / file.name).read_bytes()
    mesh, pelvis = ObjMesh(written[1]), results.images[0].people.pelvis[1].double()
    want = pelvis + moves[0].shift[1] + .7 * (torch.tensor(meshes()[0][1]) - pelvis)
    np.testing.assert_allclose(mesh.vertices * [1, -1, -1], want, atol=1e-5)
    old, new = ((folder / 'a_1.obj').read_text().splitlines() for folder in (path, tmp_path / 'out'))
    assert [line.split()[4:] if line[:2] == 'v ' else line for line in new] == [
        line.split()[4:] if line[:2] == 'v ' else line for line in old]


def test_errors_name_the_file(path):
    write_obj(path / 'a_1.obj', np.ones((5, 3)), [[0, 1, 2]])
    with pytest.raises(ResultError, match='a_1.obj: 5 vertices, expected 6890 of SMPL'):
        open_results(path, '4dhumans', context(SIZE)).read()
    (path / 'a_1.obj').write_text('v 1 2\n')
    with pytest.raises(BrokenFileError, match='a_1.obj: damaged'):
        open_results(path, '4dhumans', context(SIZE)).read()
    with pytest.raises(ResultError, match='no <picture>_<person>.obj; expected a folder'):
        open_results(path.parent, '4dhumans', context(SIZE)).read()
    assert not Obj4DHumans.sniff(path.parent) and not Obj4DHumans.sniff(path / 'a_0.png')


def test_meshes_that_were_not_turned_are_refused(path):
    """Those of another program with camera axes would be behind the camera."""
    write_obj(path / 'b_c_12.obj', meshes()[0][1], body('smpl').faces)
    with pytest.raises(ResultError, match='demo_out, b_c, key \'v\': person 0 is behind the camera'):
        open_results(path, '4dhumans', context(SIZE)).read()
