import numpy as np
import pytest

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError
from mmhuman_dto.fileio.obj import ObjMesh

TEXT = '''# by hand
o person
v 1 2 3
v -1.5 0 2e-1 0.5 0.5 0.5
vn 0 0 1
v 0 0 0
v 1 1 1
f 1/1/1 2/2/2 3/3/3 4//4
f -1 -2 -3
l 1 2
'''


def test_faces_of_all_kinds(tmp_path):
    (tmp_path / 'a.obj').write_text(TEXT)
    mesh = ObjMesh(tmp_path / 'a.obj')
    np.testing.assert_array_equal(mesh.vertices, [[1, 2, 3], [-1.5, 0, .2], [0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [3, 2, 1]])


def test_other_vertices_in_the_same_text(tmp_path):
    (tmp_path / 'a.obj').write_text(TEXT)
    text = ObjMesh(tmp_path / 'a.obj').moved(np.arange(12.).reshape(4, 3)).decode()
    want = TEXT.replace('v 1 2 3', 'v 0.00000000 1.00000000 2.00000000').replace(
        'v -1.5 0 2e-1 0.5', 'v 3.00000000 4.00000000 5.00000000 0.5').replace(
        'v 0 0 0', 'v 6.00000000 7.00000000 8.00000000').replace('v 1 1 1', 'v 9.00000000 10.00000000 11.00000000')
    assert text == want
    mesh = ObjMesh(tmp_path / 'a.obj')
    assert mesh.moved(mesh.vertices).decode() == TEXT


@pytest.mark.parametrize('wrong', ['v 1 2', 'v 1 2 x', 'v 1 2 nan', 'v 1 2 3\nf 1 2 3', 'v 1 2 3\nf 0 1 1', 'f 1 1 1',
                                   'v 1 2 3\nf a b c', '', '\xff\xfe'])
def test_damage_is_named(tmp_path, wrong):
    (tmp_path / 'a.obj').write_bytes(wrong.encode('latin1'))
    with pytest.raises(BrokenFileError, match='a.obj: damaged, cut short or not an .obj mesh'):
        ObjMesh(tmp_path / 'a.obj')


def test_size_is_limited(tmp_path, monkeypatch):
    (tmp_path / 'a.obj').write_text(TEXT * 1000)
    monkeypatch.setenv('MMHUMAN_DTO_MAX_MEMORY', '1M')
    with pytest.raises(UnsafeFileError, match='a.obj: refused'):
        ObjMesh(tmp_path / 'a.obj')
