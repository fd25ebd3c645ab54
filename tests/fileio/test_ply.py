import numpy as np

from mmhuman_dto.fileio.ply import write_ply
from mmhuman_dto.fileio.ply_mesh import PlyMesh

_DTYPES = dict(float='<f4', uchar='u1', int='<i4')


def read_ply(path):
    """(header's lines, vertices as a structured array, (F, 3) faces)."""
    head, body = path.read_bytes().split(b'\nend_header\n', 1)
    lines = head.decode('ascii').splitlines()
    assert lines[:2] == ['ply', 'format binary_little_endian 1.0']
    counts = {line.split()[1]: int(line.split()[2]) for line in lines if line.startswith('element')}
    vertex = [(line.split()[2], _DTYPES[line.split()[1]]) for line in lines
              if line.startswith('property') and 'list' not in line]
    assert lines[-1] == 'property list uchar int vertex_indices'
    vertices = np.frombuffer(body, vertex, counts['vertex'])
    faces = np.frombuffer(body, [('count', 'u1'), ('rows', '<i4', 3)], counts['face'], vertices.nbytes)
    assert vertices.nbytes + faces.nbytes == len(body) and (faces['count'] == 3).all()
    return lines, vertices, faces['rows']


def test_a_mesh_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    vertices, normals, faces = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), np.array([[0, 1, 2], [2, 3, 4]])
    write_ply(tmp_path / 'a.ply', vertices, normals, (255, 128, 7), faces, ('metres', 'Zoë\nmoved'))
    lines, points, triangles = read_ply(tmp_path / 'a.ply')
    assert lines[2:4] == ['comment metres', 'comment Zo\\xeb moved']
    np.testing.assert_allclose(np.stack([points[name] for name in 'xyz'], 1), vertices, atol=1e-6)
    np.testing.assert_allclose(np.stack([points[f'n{name}'] for name in 'xyz'], 1), normals, atol=1e-6)
    assert np.array_equal(triangles, faces)
    mesh = PlyMesh(tmp_path / 'a.ply')
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)
    assert np.array_equal(mesh.faces, faces)
    assert {tuple(point)[6:] for point in points.tolist()} == {(255, 128, 7)}
