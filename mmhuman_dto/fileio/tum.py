"""Trajectories of cameras as text, a line a pose: ``timestamp tx ty tz qx qy qz qw``, camera -> world.

Source of the layout: the TUM RGB-D benchmark, "File Formats"; DPVO, DROID-SLAM and others write it too.
"""
from pathlib import Path

import numpy as np

from .errors import parsing, reading
from .limits import check_memory

#: Bytes that a byte of text takes at most as numbers of Python.
_GROWTH = 20
#: How far a quaternion's length may be from 1.
_OFF = .1
_LINE = 'timestamp tx ty tz qx qy qz qw, separated by spaces, with timestamps that rise'


def read_tum(path):
    """Stamps (N), rising, places (N, 3) of the camera and quaternions (N, 4) x, y, z, w of camera -> world.

    Raises:
        BrokenFileError: with the file, its line and what stands there.
    """
    path = Path(path)
    check_memory(_GROWTH * path.stat().st_size, path)
    rows = []
    with reading(path, 'a trajectory in TUM format'), path.open(encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith('#'):
                with parsing(path, number, line.strip(), _LINE):
                    rows.append(_row(line, rows[-1][0] if rows else -np.inf))
    rows = np.array(rows).reshape(-1, 8)
    return rows[:, 0], rows[:, 1:4], rows[:, 4:]


def write_tum(path, stamps, places, quaternions):
    """Write what :func:`read_tum` reads, each number in full."""
    rows = np.concatenate([np.asarray(stamps, float)[:, None], places, quaternions], 1).tolist()
    text = ['# timestamp tx ty tz qx qy qz qw, camera -> world\n', *(' '.join(map(repr, row)) + '\n' for row in rows)]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(''.join(text), encoding='ascii')


def is_unit(quaternions):
    """Whether (*) quaternions (*, 4) are of length 1, but for digits that were not written."""
    with np.errstate(over='ignore', invalid='ignore'):
        return np.abs(np.linalg.norm(quaternions, axis=-1) - 1) < _OFF


def _row(line, after):
    values = [float(word) for word in line.replace(',', ' ').split()]
    if len(values) != 8:
        raise ValueError(f'{len(values)} numbers')
    if not np.isfinite(values).all() or not is_unit(np.array(values[4:])):
        raise ValueError('not finite, or a quaternion whose length is not 1')
    if values[0] <= after:
        raise ValueError(f'{values[0]:g} does not follow {after:g}')
    return values
