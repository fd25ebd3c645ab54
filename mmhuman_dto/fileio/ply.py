"""A coloured mesh as a binary ``.ply`` file."""
from pathlib import Path

import numpy as np

_VERTEX = [(name, '<f4') for name in ('x', 'y', 'z', 'nx', 'ny', 'nz')] + [
    (name, 'u1') for name in ('red', 'green', 'blue')]
_FACE = [('count', 'u1'), ('vertex_indices', '<i4', 3)]


def write_ply(path, vertices, normals, color, faces, comments=()):
    """Write a mesh.

    Args:
        path: of the file.
        vertices: (V, 3). normals: (V, 3) unit.
        color: (3) uint8, of all of it.
        faces: (F, 3) integers.
        comments: lines for the header, of which the format keeps ASCII.
    """
    points, triangles = np.empty(len(vertices), _VERTEX), np.empty(len(faces), _FACE)
    for axis, name in enumerate('xyz'):
        points[name], points[f'n{name}'] = vertices[:, axis], normals[:, axis]
    for channel, name in zip(color, ('red', 'green', 'blue')):
        points[name] = channel
    triangles['count'], triangles['vertex_indices'] = 3, faces
    kinds = {'<f4': 'float', 'u1': 'uchar'}
    head = ['ply', 'format binary_little_endian 1.0', *(f'comment {_line(text)}' for text in comments),
            f'element vertex {len(points)}', *(f'property {kinds[kind]} {name}' for name, kind in _VERTEX),
            f'element face {len(triangles)}', 'property list uchar int vertex_indices', 'end_header']
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes('\n'.join(head).encode('ascii') + b'\n' + points.tobytes() + triangles.tobytes())


def _line(text):
    return ' '.join(text.split()).encode('ascii', 'backslashreplace').decode()
