"""Meshes in ``.ply`` files of others, and the same files with their vertices moved."""
from pathlib import Path

import numpy as np

from .errors import reading
from .limits import check_memory

#: Scalar types of PLY, by both of their names, as numpy codes.
_TYPES = dict(char='i1', uchar='u1', short='i2', ushort='u2', int='i4', uint='u4', float='f4', double='f8', int8='i1',
              uint8='u1', int16='i2', uint16='u2', int32='i4', uint32='u4', float32='f4', float64='f8')
_ORDERS = dict(binary_little_endian='<', binary_big_endian='>', ascii='=')
_END = b'end_header\n'


class PlyMesh:
    """A triangle mesh in a ``.ply`` file, ascii or binary: vertices, then faces; colours and normals may be there.

    Source of the format: Turk, "The PLY Polygon File Format" (1994).

    Attributes:
        vertices: (V, 3) float64, as in the file. faces: (F, 3) int64.

    Raises:
        BrokenFileError: no such mesh, with the file's name.
    """

    def __init__(self, path):
        path = Path(path)
        check_memory(path.stat().st_size, path)
        self._content = path.read_bytes()
        with reading(path, 'a PLY mesh of triangles'):
            self._parse()

    def moved(self, vertices):
        """Bytes of the same file with other vertices (V, 3); where they are the same, the same bytes."""
        if np.array_equal(vertices, self.vertices):
            return self._content
        rows = self._rows.copy()
        for axis, name in enumerate('xyz'):
            rows[name] = np.asarray(vertices)[:, axis]
        start = self._start
        if self._format != 'ascii':
            return self._content[:start] + rows.tobytes() + self._content[start + rows.nbytes:]
        lines = self._content[start:].split(b'\n')
        for i, row in enumerate(rows):
            words = lines[i].split()
            for name in 'xyz':
                words[rows.dtype.names.index(name)] = f'{row[name]:.9g}'.encode()
            lines[i] = b' '.join(words)
        return self._content[:start] + b'\n'.join(lines)

    def _parse(self):
        self._start = self._content.index(_END) + len(_END)
        lines = [line.split() for line in self._content[:self._start].decode('ascii', 'replace').splitlines()]
        if lines[0] != ['ply']:
            raise ValueError('it does not begin with "ply"')
        self._format = next(words[1] for words in lines if words[:1] == ['format'])
        (vertex, count, row), (face, number, triangle) = _elements(lines, _ORDERS[self._format])[:2]
        if (vertex, face) != ('vertex', 'face'):
            raise ValueError(f'its elements are {vertex}, {face}, expected vertex, face')
        if self._format == 'ascii':
            table = self._content[self._start:].split(b'\n')
            self._rows = np.array([tuple(line.split()) for line in table[:count]], row)
            triangles = np.array([line.split()[:4] for line in table[count:count + number]], np.int64).reshape(-1, 4)
            sizes, self.faces = triangles[:, 0], triangles[:, 1:]
        else:
            self._rows = np.frombuffer(self._content, row, count, self._start)
            triangles = np.frombuffer(self._content, triangle, number, self._start + self._rows.nbytes)
            sizes, self.faces = triangles['size'], triangles['items'].astype(np.int64)
        self.vertices = np.stack([self._rows[name] for name in 'xyz'], 1).astype(np.float64)
        if (sizes != 3).any() or self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < count:
            raise ValueError('its faces are no triangles of its vertices')


def _elements(lines, order):
    """[(name, how many, numpy type of one)] that a header lists; of lists as if each held three."""
    elements = []
    for words in lines:
        if words[:1] == ['element']:
            elements.append((words[1], int(words[2]), []))
        elif words[:2] == ['property', 'list']:
            size, item = (order + _TYPES[name] for name in words[2:4])
            elements[-1][2].extend([('size', size), ('items', item, (3, ))])
        elif words[:1] == ['property']:
            elements[-1][2].append((words[2], order + _TYPES[words[1]]))
    return [(name, count, np.dtype(fields)) for name, count, fields in elements]
