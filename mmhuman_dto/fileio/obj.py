"""Meshes as a Wavefront ``.obj`` text file."""
from pathlib import Path

import numpy as np

from .gltf import FLIP


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
