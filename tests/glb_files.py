"""Binary glTF read by the letter of its specification, without the package that writes it: for tests."""
import copy
import json
import struct

import numpy as np

_WIDTHS = dict(SCALAR=1, VEC3=3, VEC4=4, MAT4=16)
_DTYPES = {5126: '<f4', 5125: '<u4', 5121: 'u1'}


def read_glb(path):
    """(document, accessors as arrays) of a file, every length and alignment checked."""
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
    return document, [_accessor(document, i, chunks[1][1]) for i in range(len(document.get('accessors', ())))]


def _accessor(document, index, binary):
    spec = document['accessors'][index]
    view = document['bufferViews'][spec['bufferView']]
    assert document['buffers'][0]['byteLength'] == len(binary)
    assert view['byteOffset'] % 4 == 0 and view['byteOffset'] + view['byteLength'] <= len(binary)
    width, dtype = _WIDTHS[spec['type']], np.dtype(_DTYPES[spec['componentType']])
    assert view['byteLength'] == dtype.itemsize * width * spec['count']
    values = np.frombuffer(binary, dtype, width * spec['count'], view['byteOffset']).reshape(-1, width)
    if 'min' in spec:
        assert spec['min'] == values.min(0).tolist() and spec['max'] == values.max(0).tolist()
    return values


def node_named(document, name):
    node, = (node for node in document['nodes'] if node.get('name') == name)
    return node


def matrix_of(node):
    """(4, 4) of a node's own rotation, translation and scale."""
    x, y, z, w = node.get('rotation', (0, 0, 0, 1))
    assert abs(np.linalg.norm((x, y, z, w)) - 1) < 1e-6
    matrix = np.eye(4)
    matrix[:3, :3] = [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                      [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                      [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]
    matrix[:3, :3] *= node.get('scale', (1, 1, 1))
    matrix[:3, 3] = node.get('translation', (0, 0, 0))
    return matrix


def world_matrices(document):
    """Index of each node that the scene has -> its (4, 4) in the scene."""
    matrices, waiting = {}, [(node, np.eye(4)) for node in document['scenes'][document['scene']]['nodes']]
    while waiting:
        index, parent = waiting.pop()
        node = document['nodes'][index]
        assert index not in matrices
        matrices[index] = parent @ matrix_of(node)
        waiting += [(child, matrices[index]) for child in node.get('children', ())]
    return matrices


def world_vertices(document, arrays, name):
    """(V, 3) m, where the mesh of a node is in the scene: skinned where it has a skin, with its morph targets."""
    node, matrices = node_named(document, name), world_matrices(document)
    mesh = document['meshes'][node['mesh']]
    primitive, = mesh['primitives']
    points = arrays[primitive['attributes']['POSITION']].astype(float)
    for target, weight in zip(primitive.get('targets', ()), mesh.get('weights', ())):
        points = points + weight * arrays[target['POSITION']]
    points = np.concatenate([points, np.ones((len(points), 1))], 1)
    if 'skin' not in node:
        return (points @ matrices[document['nodes'].index(node)].T)[:, :3]
    skin = document['skins'][node['skin']]
    to_bones = arrays[skin['inverseBindMatrices']].reshape(-1, 4, 4).transpose(0, 2, 1)
    moves = np.stack([matrices[bone] for bone in skin['joints']]) @ to_bones
    bones, shares = (np.concatenate([arrays[primitive['attributes'][key]] for key in sorted(primitive['attributes'])
                                     if key.startswith(kind)], 1) for kind in ('JOINTS', 'WEIGHTS'))
    np.testing.assert_allclose(shares.astype(float).sum(1), 1, atol=1e-6)
    return np.einsum('vw,vwij,vj->vi', shares, moves[bones], points)[:, :3]


def at_time(document, arrays, time):
    """The document with its nodes as its one animation has them at a time, s, as a viewer shows it.

    Rotations are not turned to the nearer sign first: files are to say the one that is near.
    """
    document = copy.deepcopy(document)
    animation, = document.get('animations', [dict(channels=[])])
    for channel in animation['channels']:
        sampler = animation['samplers'][channel['sampler']]
        times, values = arrays[sampler['input']][:, 0].astype(float), arrays[sampler['output']].astype(float)
        assert (np.diff(times) > 0).all() and len(times) == len(values)
        before = max(0, int(np.searchsorted(times, time, side='right')) - 1)
        after = min(before + 1, len(times) - 1)
        share = np.clip((time - times[before]) / max(times[after] - times[before], 1e-9), 0, 1)
        first, last, path = values[before], values[after], channel['target']['path']
        if sampler['interpolation'] == 'STEP':
            value = first
        elif path == 'rotation':
            angle = np.arccos(np.clip(first @ last, -1, 1))
            value = first if angle < 1e-6 else (
                np.sin((1 - share) * angle) * first + np.sin(share * angle) * last) / np.sin(angle)
        else:
            value = (1 - share) * first + share * last
        document['nodes'][channel['target']['node']][path] = value.tolist()
    return document


def bone_places(document, name):
    """(K, 3) m, where the joints of a skin are in the scene."""
    matrices = world_matrices(document)
    skin, = (skin for skin in document['skins'] if skin['name'] == name)
    return np.stack([matrices[bone][:3, 3] for bone in skin['joints']])
