"""Reading foreign ``.pkl``, ``.npz`` and ``.npy`` files without running anything they hold."""
import math
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from .unpickle import BrokenFileError, UnsafeFileError, unpickle

#: Largest file or uncompressed archive member that is read, in bytes; the public annotation files stay below 2 GiB.
MAX_BYTES = 8 * 2**30
#: An archive member of more than _BOMB_BYTES that shrank by more than this factor is taken for a zip bomb.
MAX_RATIO = 200
_BOMB_BYTES = 64 * 2**20

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def load_pickle(path):
    """Plain objects of a ``.pkl`` file; see :func:`~mmhuman_dto.fileio.unpickle.unpickle` for what is understood.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    path = Path(path)
    _check_size(path.stat().st_size, path)
    return unpickle(path.read_bytes(), str(path))


def load_npy(path):
    """The array of a ``.npy`` file, pickled objects included; a 0-dimensional object array gives its object.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    path = Path(path)
    size = path.stat().st_size
    _check_size(size, path)
    return _read_npy(partial(path.open, 'rb'), size, str(path))


def load_npz(path):
    """A :class:`SafeNpz` over a ``.npz`` file.

    Raises:
        BrokenFileError: no whole zip archive, or one with two members of a name.
    """
    return SafeNpz(path)


class SafeNpz(Mapping):
    """Arrays and objects of a ``.npz`` by key, each read from the file when it is asked for and not kept.

    Keeps the file open: use it as a context manager or ``close`` it, and open it anew in every process.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._archive = zipfile.ZipFile(self.path)
        except zipfile.BadZipFile as error:
            raise BrokenFileError(f'{path}: no whole .npz archive ({error}). '
                                  'Download or write the file again.') from error
        self._members = {}
        for info in self._archive.infolist():
            key = info.filename.removesuffix('.npy')
            if key in self._members:
                raise BrokenFileError(f'{path}: holds key {key!r} twice, and which one is meant cannot be known. '
                                      'Write the file again.')
            self._members[key] = info

    def __getitem__(self, key):
        info = self._members[key]
        where = f'{self.path}, key {key!r}'
        _check_size(info.file_size, where)
        if info.file_size > max(_BOMB_BYTES, MAX_RATIO * info.compress_size):
            raise UnsafeFileError(f'{where}: refused, {info.compress_size} bytes that unpack to {info.file_size} look '
                                  'like a zip bomb. If they are not, write the file again with np.savez.')
        return _read_npy(partial(self._archive.open, info), info.file_size, where)

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


def _check_size(size, where):
    if size > MAX_BYTES:
        raise UnsafeFileError(f'{where}: refused, {size} bytes are more than mmhuman_dto.fileio.safe_pickle.MAX_BYTES '
                              f'({MAX_BYTES}). Raise it if the file is really that large.')


def _read_npy(open_stream, size, where):
    """The array that a stream of ``size`` bytes in npy format holds."""
    try:
        with open_stream() as stream:
            shape, _, dtype = _HEADERS[npy.read_magic(stream)](stream)
            if dtype == np.dtype(object):
                return _object_array(unpickle(stream.read(), where), shape)
            count, have = math.prod(shape), size - stream.tell()
            if count * dtype.itemsize != have or min(shape, default=0) < 0:
                raise ValueError(f'its header says {count} values of {dtype}, {have} bytes follow')
        with open_stream() as stream:
            return npy.read_array(stream, allow_pickle=False)
    except (UnsafeFileError, BrokenFileError, FileNotFoundError):
        raise
    except Exception as error:
        raise BrokenFileError(f'{where}: damaged, cut short or not in npy format ({type(error).__name__}: {error}). '
                              'Download or write the file again.') from error


def _object_array(array, shape):
    if getattr(array, 'shape', None) != shape:
        raise ValueError(f'its header says shape {shape}, the objects have {getattr(array, "shape", type(array))}')
    return array.item() if shape == () else array
