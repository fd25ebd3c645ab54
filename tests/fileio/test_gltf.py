"""The rules of the glTF 2.0 specification, checked on files as they lie on the disk."""
import json
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmhuman_dto.fileio.gltf import Body, _quaternion, write_glb
from mmhuman_dto.fileio.obj import write_obj

# A tetrahedron, counterclockwise from outside in a right-handed frame.
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32) * .5
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
INTRINSICS = np.array([[800., 0, 320], [0, 800, 240], [0, 0, 1]])
SIZE = 480, 640


def body(name, shift):
    vertices = CORNERS + np.float32(shift)
    return Body(name, vertices, np.tile(np.float32([0, 0, 1]), (4, 1)), (255, 128, 0), dict(height_m=1.7))


def read(path):
    """(document, accessors as arrays) of a glb file, every length and alignment checked."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from('<4sII', data)
    assert (magic, version, length) == (b'glTF', 2, len(data)) and length % 4 == 0
    chunks, at = [], 12
    while at < len(data):
        size, kind = struct.unpack_from('<I4s', data, at)
        assert size % 4 == 0
        chunks.append((kind, data[at + 8:at + 8 + size]))
        at += 8 + size
    assert at == len(data) and [kind for kind, _ in chunks] == [b'JSON', b'BIN\0'][:len(chunks)]
    document = json.loads(chunks[0][1])
    return document, [accessor(document, i, chunks[1][1]) for i in range(len(document.get('accessors', ())))]


def accessor(document, index, binary):
    spec = document['accessors'][index]
    view = document['bufferViews'][spec['bufferView']]
    assert document['buffers'][0]['byteLength'] == len(binary)
    assert view['byteOffset'] % 4 == 0 and view['byteOffset'] + view['byteLength'] <= len(binary)
    width = dict(SCALAR=1, VEC3=3)[spec['type']]
    dtype = {5126: '<f4', 5125: '<u4'}[spec['componentType']]
    assert view['byteLength'] == 4 * width * spec['count']
    values = np.frombuffer(binary, dtype, width * spec['count'], view['byteOffset']).reshape(-1, width)
    assert spec['min'] == values.min(0).tolist() and spec['max'] == values.max(0).tolist()
    return values


def matrix_of(node):
    x, y, z, w = node.get('rotation', (0, 0, 0, 1))
    assert abs(np.linalg.norm((x, y, z, w)) - 1) < 1e-6
    matrix = np.eye(4)
    matrix[:3, :3] = [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                      [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                      [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]
    matrix[:3, 3] = node.get('translation', (0, 0, 0))
    return matrix


def positions(document, arrays, node):
    primitive, = document['meshes'][node['mesh']]['primitives']
    return arrays[primitive['attributes']['POSITION']]


def test_structure_follows_the_specification(tmp_path):
    write_glb(tmp_path / 'a.glb', [body('a', (0, 0, 3)), body('b', (1, 0, 4))], FACES, INTRINSICS, SIZE,
              extras=dict(units='metres'))
    document, arrays = read(tmp_path / 'a.glb')
    assert document['asset']['version'] == '2.0' and document['asset']['extras'] == dict(units='metres')
    root, *others = document['nodes']
    assert document['scenes'][document['scene']]['nodes'] == [0] and root['children'] == [1, 2, 3]
    assert [node['name'] for node in others] == ['a', 'b', 'camera']
    for mesh in document['meshes']:
        primitive, = mesh['primitives']
        vertices, normals, indices = (arrays[i] for i in (
            primitive['attributes']['POSITION'], primitive['attributes']['NORMAL'], primitive['indices']))
        assert len(vertices) == len(normals) and indices.max() < len(vertices) and len(indices) % 3 == 0
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
        assert primitive['material'] < len(document['materials'])
    targets = [view['target'] for view in document['bufferViews']]
    assert targets.count(34963) == 1 and targets.count(34962) == 4


def test_the_camera_sees_what_the_photo_shows(tmp_path):
    thing = body('a', (.4, -.3, 3))
    write_glb(tmp_path / 'a.glb', [thing], FACES, INTRINSICS, SIZE)
    document, arrays = read(tmp_path / 'a.glb')
    perspective = document['cameras'][0]['perspective']
    assert document['cameras'][0]['type'] == 'perspective' and perspective['yfov'] < np.pi
    assert perspective['znear'] > 0 and perspective['aspectRatio'] == pytest.approx(640 / 480)
    x, y, z = positions(document, arrays, document['nodes'][1]).T  # glTF cameras look along -z, y up
    assert (z < 0).all()
    reach = np.tan(perspective['yfov'] / 2)
    clip = np.stack([x / -z / (reach * perspective['aspectRatio']), y / -z / reach], -1)
    pixels = (clip * [1, -1] + 1) / 2 * [640, 480]
    projected = thing.vertices @ INTRINSICS.T
    np.testing.assert_allclose(pixels, projected[:, :2] / projected[:, 2:], atol=1e-3)


def test_faces_keep_their_outer_side(tmp_path):
    write_glb(tmp_path / 'a.glb', [body('a', (0, 0, 3))], FACES, INTRINSICS, SIZE)
    _, arrays = read(tmp_path / 'a.glb')
    indices, vertices = arrays[0].reshape(-1, 3), arrays[1]
    a, b, c = np.moveaxis(vertices[indices], 1, 0)
    assert np.einsum('ij,ij->', a, np.cross(b, c)) / 6 == pytest.approx(.5**3 / 6, rel=1e-4)


def test_the_ground_becomes_the_plane_y_0(tmp_path):
    pitch = np.radians(25)  # the camera looks down: its level frame is turned about x
    cos, sin = np.cos(pitch), np.sin(pitch)
    rotation = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    level = np.array([[0, 2, 4], [1, 2, 6], [-2, 2, 3], [0, .3, 4]])  # x right, y down, z away, from the camera
    thing = body('a', (0, 0, 0))._replace(vertices=(level @ rotation).astype(np.float32))
    write_glb(tmp_path / 'a.glb', [thing], FACES, INTRINSICS, SIZE, ground=(rotation, 2.))
    document, arrays = read(tmp_path / 'a.glb')
    world = positions(document, arrays, document['nodes'][1]) @ matrix_of(document['nodes'][0])[:3, :3].T
    world = world + matrix_of(document['nodes'][0])[:3, 3]
    np.testing.assert_allclose(world, level * [1, -1, -1] + [0, 2, 0], atol=1e-5)
    assert 'rotation' not in document['nodes'][2] and document['nodes'][2]['camera'] == 0


def test_nobody_leaves_a_scene_with_a_camera(tmp_path):
    write_glb(tmp_path / 'a.glb', [], FACES, INTRINSICS, SIZE)
    document, arrays = read(tmp_path / 'a.glb')
    assert arrays == [] and 'meshes' not in document and 'buffers' not in document
    assert document['nodes'][document['nodes'][0]['children'][0]]['camera'] == 0


def test_obj_numbers_vertices_through_all_objects(tmp_path):
    write_obj(tmp_path / 'a.obj', [body('a', (0, 0, 3)), body('b', (1, 2, 4))], FACES, ['metres'])
    lines = (tmp_path / 'a.obj').read_text().splitlines()
    assert lines[0] == '# metres' and [line for line in lines if line.startswith('o ')] == ['o a', 'o b']
    vertices = np.array([line.split()[1:] for line in lines if line.startswith('v ')], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith('f ')], int)
    np.testing.assert_allclose(vertices[4:], (CORNERS + [1, 2, 4]) * [1, -1, -1], atol=1e-5)
    assert faces.min() == 1 and faces.max() == 8 and np.array_equal(faces[4:] - 5, FACES)


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3))
@example([np.pi, 0, 0])
@example([0, np.pi, 0])
@example([0, 0, 0])
def test_quaternions_are_the_rotations_they_stand_for(axis_angle):
    rotation = Rotation.from_rotvec(axis_angle)
    quaternion = _quaternion(rotation.as_matrix())
    assert np.linalg.norm(quaternion) == pytest.approx(1)
    np.testing.assert_allclose(Rotation.from_quat(quaternion).as_matrix(), rotation.as_matrix(), atol=1e-7)
