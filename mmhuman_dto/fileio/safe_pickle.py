"""Reading foreign ``.pkl``, ``.npz`` and ``.npy`` files without running anything they hold."""
import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from .archive import open_archive
from .errors import BrokenFileError, reading
from .limits import check_memory, check_shape
from .unpickle import unpickle

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
#: More than a header may be; numpy itself refuses those of more than 10,000 bytes.
_HEADER_BYTES = 2**14


def load_pickle(path):
    """Plain objects of a ``.pkl`` file; see :func:`~mmhuman_dto.fileio.unpickle.unpickle` for what is understood.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    path = Path(path)
    check_memory(path.stat().st_size, path)
    return unpickle(path.read_bytes(), str(path))


def load_npy(path):
    """The array of a ``.npy`` file, pickled objects included; a 0-dimensional object array gives its object.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    path = Path(path)
    return _read_npy(partial(path.open, 'rb'), path.stat().st_size, str(path))


def map_npy(path):
    """The array of a ``.npy`` file of plain values, memory-mapped, read only.

    Raises:
        BrokenFileError: no such file, or one that holds objects; with its name.
    """
    path = Path(path)
    with reading(path, 'in npy format'):
        with path.open('rb') as stream:
            shape, dtype, start = _header(stream)
        if dtype.hasobject:
            raise ValueError('it holds pickled objects')
        check_shape(shape, path.stat().st_size - start, dtype.itemsize)
        return np.load(path, mmap_mode='r', allow_pickle=False)


def load_npz(path):
    """A :class:`SafeNpz` over a ``.npz`` file.

    Raises:
        BrokenFileError: no whole zip archive, or one with two members of a name. UnsafeFileError: a zip bomb.
    """
    return SafeNpz(path)


class SafeNpz(Mapping):
    """Arrays and objects of a ``.npz`` by key, each read from the file when it is asked for and not kept.

    Keeps the file open: use it as a context manager or ``close`` it, and open it anew in every process.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._archive = open_archive(self.path)
        self._members = {}
        for info in self._archive.infolist():
            key = info.filename.removesuffix('.npy')
            if key in self._members:
                raise BrokenFileError(f'{path}: holds key {key!r} twice, and which one is meant cannot be known. '
                                      'Write the file again.')
            self._members[key] = info

    def __getitem__(self, key):
        info = self._members[key]
        return _read_npy(partial(self._archive.open, info), info.file_size, f'{self.path}, key {key!r}')

    def __iter__(self):
        return iter(self._members)

    def __len__(self):
        return len(self._members)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self._archive.close()


def _read_npy(open_stream, size, where):
    """The array that a stream of ``size`` bytes in npy format holds."""
    check_memory(size, where)
    with reading(where, 'in npy format'):
        with open_stream() as stream:
            shape, dtype, start = _header(stream)
        with open_stream() as stream:
            if dtype == np.dtype(object):
                stream.read(start)
                return _object_array(unpickle(stream.read(), where), shape)
            check_shape(shape, size - start, dtype.itemsize)
            return npy.read_array(stream, allow_pickle=False)


def _header(stream):
    """(shape, dtype, where the data start) of a stream in npy format."""
    start = io.BytesIO(stream.read(_HEADER_BYTES))
    shape, _, dtype = _HEADERS[npy.read_magic(start)](start)
    return shape, dtype, start.tell()


def _object_array(array, shape):
    if getattr(array, 'shape', None) != shape:
        raise ValueError(f'its header says shape {shape}, the objects have {getattr(array, "shape", type(array))}')
    return array.item() if shape == () else array
