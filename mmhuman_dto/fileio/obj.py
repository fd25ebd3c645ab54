"""Meshes as a Wavefront ``.obj`` text file."""
from pathlib import Path

import numpy as np

from .errors import reading
from .gltf import FLIP
from .limits import check_memory

#: Bytes that a byte of text takes at most as lines and numbers of Python.
_GROWTH = 40


def write_obj(path, bodies, faces, header=()):
    """Write bodies as one object each, x right, y up, z towards the viewer, m: opens upright in viewers.

    Args:
        path: of the file.
        bodies: list of :class:`~mmhuman_dto.fileio.gltf.Body`; their extras become comments.
        faces: (F, 3) integers, shared by all bodies.
        header: lines of comment for the top of the file.
    """
    faces = np.asarray(faces) + 1
    parts = [''.join(f'# {line}\n' for line in header)]
    for number, body in enumerate(bodies):
        about = ', '.join(f'{key} {value}' for key, value in body.extras.items())
        parts.append(f'o {body.name}\n# {about}\n')
        parts.append(_lines('v %.5f %.5f %.5f\n', np.asarray(body.vertices) * FLIP))
        parts.append(_lines('f %d %d %d\n', faces + number * len(body.vertices)))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(''.join(parts), encoding='utf-8')


def _lines(pattern, rows):
    return pattern * len(rows) % tuple(rows.ravel().tolist())


class ObjMesh:
    """A mesh in a file; faces of more than three corners are cut into triangles.

    Attributes:
        vertices: (V, 3) float64, as in the file. faces: (F, 3) int64.

    Raises:
        BrokenFileError, UnsafeFileError: no such mesh, with the file's name.
    """

    def __init__(self, path):
        path = Path(path)
        check_memory(_GROWTH * path.stat().st_size, path)
        with reading(path, 'an .obj mesh'):
            self._content = path.read_bytes()
            self._lines = self._content.decode().split('\n')
            self._rows = [number for number, line in enumerate(self._lines) if line.startswith('v ')]
            vertices = [[float(value) for value in self._lines[number].split()[1:4]] for number in self._rows]
            self.vertices = np.array(vertices).reshape(-1, 3)
            if not len(vertices) == len(self.vertices) > 0 or not np.isfinite(self.vertices).all():
                raise ValueError('no vertices, or some that are no three numbers')
            faces = [corners for line in self._lines if line.startswith('f ')
                     for corners in _triangles(line, len(vertices))]
            self.faces = np.array(faces, np.int64).reshape(-1, 3)
            if faces and not 0 <= self.faces.min() <= self.faces.max() < len(vertices):
                raise ValueError('faces with corners that are not there')

    def moved(self, vertices):
        """Bytes of the same file with other vertices (V, 3), colours and all else as it is; where they are the same,
        the same bytes."""
        if np.array_equal(vertices, self.vertices):
            return self._content
        lines = list(self._lines)
        for number, place in zip(self._rows, np.asarray(vertices)):
            lines[number] = ' '.join(['v', *(f'{value:.8f}' for value in place), *lines[number].split()[4:]])
        return '\n'.join(lines).encode()


def _triangles(line, count):
    corners = [int(corner.split('/')[0]) for corner in line.split()[1:]]
    corners = [corner - 1 if corner > 0 else corner + count for corner in corners]
    return [(corners[0], *pair) for pair in zip(corners[1:], corners[2:])]
