"""Pickles for programs of others, which may have an older NumPy than ours."""
import io
import pickle

import numpy as np
from numpy.lib import format as npy

from .atomic import write_atomically

#: That of Python 3.4 and later, which NumPy 1 reads.
_PROTOCOL = 4


def pickled(value):
    """Bytes of a pickle that NumPy 1 and 2 both read; ``joblib.load`` reads it too."""
    stream = io.BytesIO()
    _Pickler(stream, _PROTOCOL).dump(value)
    return stream.getvalue()


def write_pickle(path, value):
    """Write :func:`pickled` values as a ``.pkl``, whole or not at all."""
    write_atomically(path, lambda temporary: temporary.write_bytes(pickled(value)))


def object_npy(value):
    """Bytes of a ``.npy`` file with an object array, of which a value that is none is the only entry."""
    if not isinstance(value, np.ndarray):
        value, held = np.empty((), object), value
        value[()] = held
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, dict(descr='|O', fortran_order=False, shape=value.shape))
    return stream.getvalue() + pickled(value)


class _Pickler(pickle._Pickler):
    """NumPy 2 calls its inner package ``numpy._core``, which NumPy < 1.26 does not know; the old name both know."""

    def save_global(self, obj, name=None):
        name = name or obj.__qualname__
        module = pickle.whichmodule(obj, name)
        if not module.startswith('numpy._core.'):
            super().save_global(obj, name)
            return
        self.write(pickle.GLOBAL + f'{module.replace("_core", "core", 1)}\n{name}\n'.encode())
        self.memoize(obj)
