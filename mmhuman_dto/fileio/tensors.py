"""Checkpoints: tensors and plain containers, of which nothing is run."""
import io
import mmap
import pickle
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from .archive import open_archive
from .errors import UnsafeFileError, reading
from .limits import check_memory
from .unpickle import check_pickles

_ZIP = b'PK\3\4'


def load_tensors(path):
    """What ``torch.save`` wrote, or the tensors of a ``.safetensors`` file, on the CPU.

    Raises:
        UnsafeFileError: it holds other objects, or would fill the memory. BrokenFileError: no whole checkpoint.
        FileNotFoundError: no such file.
    """
    path = Path(path)
    check_memory(path.stat().st_size, path)
    with reading(path, 'a checkpoint'):
        if path.suffix == '.safetensors':
            return load_file(path)
        with path.open('rb') as file:
            _check_pickles(path, file)
        try:
            content = torch.load(path, map_location='cpu', weights_only=True)
        except pickle.UnpicklingError as error:
            raise UnsafeFileError(f'{path}: refused, it holds objects besides tensors and plain containers, which '
                                  f'could run any program; nothing of it was run ({error})') from error
        check_memory(_memory(content, set()), path, 'what it holds')
        return content


def read_metadata(path):
    """{name: text} that a ``.safetensors`` file says about itself; {} of other checkpoints.

    Raises:
        BrokenFileError: no whole file. FileNotFoundError: no such file.
    """
    path = Path(path)
    if path.suffix != '.safetensors':
        return {}
    path.stat()
    with reading(path, 'a checkpoint'), safe_open(path, 'pt') as file:
        return file.metadata() or {}


def not_finite(content, name=''):
    """Names of the tensors in nested containers that hold nan or infinity; of a sharded one, in this process's part."""
    if torch.is_tensor(content):
        part = content.to_local() if hasattr(content, 'to_local') else content
        return [] if part.isfinite().all() else [name]
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(
        content, (list, tuple)) else ()
    return [bad for key, value in children for bad in not_finite(value, f'{name}.{key}' if name else str(key))]


def _check_pickles(path, file):
    if file.read(len(_ZIP)) != _ZIP:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            check_pickles(data, path)
        return
    with open_archive(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise UnsafeFileError(f'{path}: refused, it has two members of one name')
        for name in names:
            if name.endswith('.pkl'):
                check_pickles(io.BytesIO(archive.read(name)), path, count=1)


def _memory(value, seen):
    """Bytes of the tensors in ``value``, as many as they say they have: those of a file need not be there."""
    if torch.is_tensor(value):
        return value.nbytes
    if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
        seen.add(id(value))
        return sum(_memory(part, seen) for part in (value.values() if isinstance(value, dict) else value))
    return 0
