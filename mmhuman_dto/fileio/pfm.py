"""Portable float maps (.pfm), as MiDaS and Middlebury write them."""
from pathlib import Path

import numpy as np

from .errors import reading
from .limits import check_memory, check_shape

#: Bytes of floats of each kind of file.
_CHANNELS = {b'Pf': 1, b'PF': 3}


def read_pfm(path):
    """Values (H, W) or (H, W, 3) float32 of a ``.pfm`` file, the top row first.

    Three lines of text (``Pf`` or ``PF``; width and height; a number whose sign tells the byte order, negative for
    little-endian), then rows of floats from the bottom up.

    Raises:
        BrokenFileError: another format, or cut short. UnsafeFileError: larger than the memory. FileNotFoundError.
    """
    path = Path(path)
    check_memory(path.stat().st_size, path)
    with reading(path, 'a portable float map'), path.open('rb') as file:
        channels = _CHANNELS[file.readline(8).strip()]
        width, height = map(int, file.readline(64).split())
        order = '<' if float(file.readline(64)) < 0 else '>'
        data = file.read()
        shape = (height, width, channels) if channels > 1 else (height, width)
        check_shape(shape, len(data), 4)
        return np.ascontiguousarray(np.frombuffer(data, f'{order}f4').reshape(shape)[::-1]).astype(np.float32)

