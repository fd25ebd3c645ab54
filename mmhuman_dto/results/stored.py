"""Files that programs leave in one of several formats: read without running anything in them, written in the same."""
import functools
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio import load_joblib, load_npy, load_npz, load_tensors
from mmhuman_dto.fileio.atomic import write_atomically
from mmhuman_dto.fileio.plain_pickle import object_npy, pickled
from mmhuman_dto.fileio.torch_archive import is_torch_archive, load_torch_archive

#: Suffixes of such files; which format they are of is told by their first bytes.
SUFFIXES = ('.pkl', '.pickle', '.npy', '.npz', '.pt', '.pth')
_ZIP, _NPY = b'PK\3\4', b'\x93NUMPY'
#: What torch.save of old, which is no zip archive, begins with.
_TORCH_MAGIC = 0x1950a86a20f9469cfc6c


class Stored(NamedTuple):
    """Plain content of a file and its format: 'pickle' (also of joblib), 'torch', 'npy' or 'npz' (a dict by key)."""
    content: object
    form: str


def load_stored(path):
    """:class:`Stored` of a file by pickle, joblib, torch.save, np.save or np.savez.

    Objects of classes that are not plain data, such as a program's own, are refused; an array of no dimensions that
    holds an object (np.save of a dictionary) is that object.

    Raises:
        UnsafeFileError, BrokenFileError: with the file's name.
    """
    path = Path(path)
    with path.open('rb') as file:
        start = file.read(len(_NPY))
    if start.startswith(_NPY):
        return Stored(load_npy(path), 'npy')
    if start.startswith(_ZIP):
        if is_torch_archive(path):
            return Stored(load_torch_archive(path), 'torch')
        with load_npz(path) as file:
            return Stored(dict(file), 'npz')
    content = load_joblib(path)
    if type(content) is int and content == _TORCH_MAGIC:
        return Stored(load_tensors(path), 'torch')
    return Stored(content, 'pickle')


#: :func:`load_stored` for one reader after the other who look at the same file; ``cache_clear`` when all have looked.
looked_at = functools.lru_cache(maxsize=4)(load_stored)


def save_stored(path, stored):
    """Write a file as :func:`load_stored` reads it, whole or not at all; its folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: _write(temporary, *stored))


def _write(path, content, form):
    if form == 'torch':
        torch.save(content, path)
    elif form == 'npz':
        with zipfile.ZipFile(path, 'w') as archive:
            for key, value in content.items():
                archive.writestr(f'{key}.npy', _npy(value))
    else:
        path.write_bytes(_npy(content) if form == 'npy' else pickled(content))


def _npy(value):
    """Bytes of a ``.npy`` file."""
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.hasobject:
        return object_npy(value)
    stream = io.BytesIO()
    np.save(stream, value)
    return stream.getvalue()
