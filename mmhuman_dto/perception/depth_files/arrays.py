"""Arrays by name of any file that depth programs save, of whatever format, without running anything in it."""
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_npy, load_npz
from mmhuman_dto.fileio.exr import read_exr
from mmhuman_dto.fileio.images import ImageError, read_values
from mmhuman_dto.fileio.pfm import read_pfm
from mmhuman_dto.fileio.tensors import load_tensors

from ..base import SourceError

#: What files of one array are read by.
_SINGLE = {'.npy': load_npy, '.png': read_values, '.exr': read_exr, '.pfm': read_pfm}
#: Files of several arrays, by name.
NAMED = ('.npz', '.pt', '.pth')
#: All of them, and the name that the one array of a file has which holds no names.
SUFFIXES, ONLY = (*_SINGLE, *NAMED), ''


def read_arrays(path):
    """{name: array of numbers} of a file; ``''`` names the only one of a format without names.

    Raises:
        SourceError: missing, damaged, unsafe, or without any numbers.
        ImportError: ``.exr`` without the package that reads it.
    """
    path = Path(path)
    try:
        content = _content(path)
    except ImageError as error:
        hint = ' (Depth Anything V2 writes maps with --pred-only --grayscale)' if 'in colours' in str(error) else ''
        raise SourceError(f'{error}{hint}') from error
    except (UnsafeFileError, BrokenFileError, FileNotFoundError) as error:
        raise SourceError(str(error)) from error
    arrays = {str(name): _array(value) for name, value in content.items()}
    numbers = {name: array for name, array in arrays.items() if array is not None}
    if not numbers:
        raise SourceError(f'{path}: holds {", ".join(_what(value) for value in content.values()) or "nothing"}, '
                          'expected numbers')
    return numbers


def array_of(arrays, name, path):
    """One of :func:`read_arrays`; SourceError says which there are instead."""
    if name not in arrays:
        raise SourceError(f'{path}: has no key {name!r}, has {sorted(arrays)}')
    return arrays[name]


def names_and_shapes(path):
    """{name: shape} of :func:`read_arrays`; {} of a file that cannot be read, which whoever reads it will say."""
    try:
        return {name: array.shape for name, array in read_arrays(path).items()}
    except (SourceError, ImportError):
        return {}


def two_dimensional(values, path):
    """(h, w) of an array whose other axes have one entry; SourceError names another shape."""
    shape = values.shape
    while values.ndim > 2 and 1 in (values.shape[0], values.shape[-1]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise SourceError(f'{path}: has shape {shape}, expected (H, W)')
    return values


def _content(path):
    suffix = path.suffix.lower()
    if suffix == '.npz':
        with load_npz(path) as content:
            return {name: content[name] for name in content}
    content = _SINGLE[suffix](path) if suffix in _SINGLE else load_tensors(path)
    if isinstance(content, dict):  # tensors by name, or what np.save pickled
        return content
    return {ONLY: content}


def _array(value):
    if torch.is_tensor(value):
        value = value.detach().cpu().float().numpy() if value.is_floating_point() else value.detach().cpu().numpy()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = np.array(value)
    return value if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in 'biuf' else None


def _what(value):
    return str(getattr(value, 'dtype', type(value).__name__))
