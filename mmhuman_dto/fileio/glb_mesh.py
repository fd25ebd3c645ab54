"""The mesh in a ``.glb`` file of others, and the same file with its vertices moved."""
import json
import struct
from pathlib import Path

import numpy as np

from .errors import reading
from .limits import check_memory

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_INDICES = {5121: '<u1', 5123: '<u2', 5125: '<u4'}
_FLOAT = 5126
#: Bytes that a byte of JSON may become.
_JSON_MEMORY = 64


class GlbMesh:
    """The only mesh of a binary glTF 2.0 file, in the coordinates of its scene.

    Source of the format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.

    Attributes:
        vertices: (V, 3) float64. faces: (F, 3) int64.

    Raises:
        BrokenFileError: no such file, several meshes, or one that is compressed or has no triangles.
    """

    def __init__(self, path):
        path = Path(path)
        check_memory(path.stat().st_size, path)
        self._content = path.read_bytes()
        with reading(path, 'a .glb of one mesh'):
            self._document, self._start = _chunks(self._content, path)
            primitive, matrix = _only_mesh(self._document)
            self._positions = self._accessor(primitive['attributes']['POSITION'], {_FLOAT: '<f4'}, 3)
            self._matrix = matrix
            self.vertices = self._positions.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
            self.faces = self._accessor(primitive['indices'], _INDICES, 1).reshape(-1, 3).astype(np.int64)
            self._accessor_index = primitive['attributes']['POSITION']
            if self.faces.size and not self.faces.max() < len(self.vertices):
                raise ValueError('its triangles have vertices that are not there')

    def moved(self, vertices):
        """Bytes of the same file with other vertices (V, 3); where they are the same, the same bytes."""
        if np.array_equal(vertices, self.vertices):
            return self._content
        own = (np.asarray(vertices) - self._matrix[:3, 3]) @ np.linalg.inv(self._matrix[:3, :3]).T
        positions = own.astype('<f4')
        document = json.loads(json.dumps(self._document))
        document['accessors'][self._accessor_index].update(
            min=positions.min(0).tolist(), max=positions.max(0).tolist())
        begin = self._start + self._offset(self._accessor_index)
        binary = (self._content[self._start:begin] + positions.tobytes()
                  + self._content[begin + positions.nbytes:self._start + self._length])
        text = json.dumps(document, separators=(',', ':')).encode()
        chunks = _chunk(_JSON, text + b' ' * (-len(text) % 4)) + _chunk(_BIN, binary)
        return struct.pack('<III', _MAGIC, 2, 12 + len(chunks)) + chunks

    @property
    def _length(self):
        return struct.unpack_from('<I', self._content, self._start - 8)[0]

    def _offset(self, index):
        accessor = self._document['accessors'][index]
        view = self._document['bufferViews'][accessor['bufferView']]
        return view.get('byteOffset', 0) + accessor.get('byteOffset', 0)

    def _accessor(self, index, types, width):
        accessor = self._document['accessors'][index]
        view = self._document['bufferViews'][accessor['bufferView']]
        dtype = np.dtype(types[accessor['componentType']])
        if 'sparse' in accessor or view.get('byteStride', width * dtype.itemsize) != width * dtype.itemsize:
            raise ValueError('its arrays are sparse or interleaved')
        start = self._start + self._offset(index)
        return np.frombuffer(self._content, dtype, width * accessor['count'], start).reshape(-1, width)


def _chunks(content, path):
    """(document, where the binary chunk begins)."""
    magic, version, _ = struct.unpack_from('<III', content)
    length, kind = struct.unpack_from('<II', content, 12)
    if (magic, version, kind) != (_MAGIC, 2, _JSON):
        raise ValueError('it is no glTF 2.0')
    check_memory(_JSON_MEMORY * length, path, 'its document')
    _, kind = struct.unpack_from('<II', content, 20 + length)
    if kind != _BIN:
        raise ValueError('it has no binary chunk')
    return json.loads(content[20:20 + length]), 28 + length


def _only_mesh(document):
    """(primitive, (4, 4) of its node) of a document."""
    found, seen = [], set()

    def visit(number, matrix):
        if number in seen:
            raise ValueError('a node has two parents')
        seen.add(number)
        node = document['nodes'][number]
        matrix = matrix @ _matrix(node)
        if 'mesh' in node:
            found.extend((primitive, matrix) for primitive in document['meshes'][node['mesh']]['primitives'])
        for child in node.get('children', ()):
            visit(child, matrix)

    for root in document['scenes'][document.get('scene', 0)]['nodes']:
        visit(root, np.eye(4))
    if len(found) != 1 or found[0][0].get('mode', 4) != 4:
        raise ValueError(f'it has {len(found)} meshes, expected one of triangles')
    return found[0]


def _matrix(node):
    """(4, 4) of a node."""
    if 'matrix' in node:
        return np.array(node['matrix'], float).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get('rotation', (0, 0, 0, 1))
    matrix[:3, :3] = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                               [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                               [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
    matrix[:3, :3] *= node.get('scale', (1, 1, 1))
    matrix[:3, 3] = node.get('translation', (0, 0, 0))
    return matrix


def _chunk(kind, content):
    return struct.pack('<II', len(content), kind) + content
