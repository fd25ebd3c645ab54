"""Masks and ages that other programs wrote: a file an image, found by the image's id.

The file of image ``a/b.jpg`` is ``FOLDER/a/b`` with the stated suffix, or ``FOLDER/a/b.jpg`` with it. ``.npy`` holds
the array, ``.npz`` holds it under a stated key, ``.png`` holds 8- or 16-bit integers. Nothing pickled is read.
"""
from pathlib import Path

import cv2
import numpy as np
import torch

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_json, load_npy, load_npz
from mmhuman_dto.fileio.finding import MAP_SUFFIXES, entry_of, find_map
from mmhuman_dto.fileio.images import ImageError, read_values
from mmhuman_dto.registry import SOURCES

from .base import AgeSource, MaskSource, SourceError

#: Aspect ratios of a map and its image may differ by rounding, not by more than this.
_ASPECT_TOLERANCE = .03


@SOURCES.register_module()
class PrecomputedMasks(MaskSource):
    """Id maps of people from files, brought to the image's size (nearest).

    Args:
        folder: folder of the maps, relative to ``data_root``; 0 is nobody, i + 1 the person in row i.
        suffix: '.png', '.npy' or '.npz' (key ``id_map``).
    """

    def __init__(self, folder, suffix='.png', data_root=''):
        self.folder, self.suffix = Path(data_root) / folder, _checked_suffix(suffix)

    def __call__(self, samples):
        return [self._read(sample) for sample in samples]

    def _read(self, sample):
        path = _file_of(sample, self.folder, self.suffix)
        ids = _read_map(path, 'id_map')
        if not np.issubdtype(ids.dtype, np.integer) or ids.min() < 0:
            raise SourceError(f'{path}: ids must be integers from 0, got {ids.dtype} with minimum {ids.min()}')
        if ids.max() > len(sample.pred_instances):
            raise SourceError(f'{path}: holds id {ids.max()}, the image has {len(sample.pred_instances)} people')
        return torch.from_numpy(_resized(ids.astype(np.int32), sample.ori_shape, cv2.INTER_NEAREST, path))


@SOURCES.register_module()
class PrecomputedAges(AgeSource):
    """Ages and P(male) from one JSON file, {image id: {"ages": [years], "male_probs": [0..1]}}, or a file an image.

    Args:
        path: the JSON file, or a folder with a file an image; relative to ``data_root``.
        suffix: of the files in a folder: '.npz' (keys ``ages``, ``male_probs``) or '.npy' ((N, 2), in that order).
    """

    def __init__(self, path, suffix='.npz', data_root=''):
        if suffix not in ('.npz', '.npy'):
            raise ValueError(f"suffix must be '.npz' or '.npy', got {suffix!r}")
        self.path, self.suffix = Path(data_root) / path, suffix
        self.table = read_json(self.path) if self.path.suffix == '.json' else None

    def __call__(self, samples):
        return [self._read(sample) for sample in samples]

    def _read(self, sample):
        if self.table is None:
            path = _file_of(sample, self.path, self.suffix)
            entry = _read_arrays(path, 'ages', 'male_probs')
            if self.suffix == '.npy':
                table, = entry
                if table.shape != (len(sample.pred_instances), 2):
                    raise SourceError(f'{path}: has shape {table.shape}, expected ({len(sample.pred_instances)}, 2)')
                entry = table.T
            entry = dict(zip(('ages', 'male_probs'), entry))
        else:
            path, entry = self.path, entry_of(self.table, sample.img_id)
            if entry is None:
                raise SourceError(f'{path}: has no entry for {sample.img_id}')
        return tuple(_per_person(entry, key, len(sample.pred_instances), path, sample.img_id)
                     for key in ('ages', 'male_probs'))


def _per_person(entry, key, count, path, img_id):
    if not isinstance(entry, dict) or key not in entry:
        raise SourceError(f'{path}: {img_id} lacks {key}')
    values = entry[key]
    try:
        # JSON has no nan: null stands for unknown.
        values = [np.nan if value is None else value for value in values] if isinstance(values, list) else values
        values = np.array(values, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise SourceError(f'{path}: {img_id}: {key} is no list of numbers ({error})') from error
    if values.shape != (count, ):
        raise SourceError(f'{path}: {img_id}: {key} has shape {values.shape}, the image has {count} people')
    return torch.from_numpy(values)


def _checked_suffix(suffix):
    if suffix not in MAP_SUFFIXES:
        raise ValueError(f"suffix must be '.png', '.npy' or '.npz', got {suffix!r}")
    return suffix


def _file_of(sample, folder, suffix):
    path = find_map(folder, sample.img_id, suffix)
    if path is None:
        raise SourceError(f'{folder / Path(sample.img_id).with_suffix(suffix)}: not found')
    return path


def _read_arrays(path, *keys):
    """The one array of a ``.npy``, or those of a ``.npz`` by their keys, as a list; of numbers."""
    try:
        if path.suffix.lower() == '.npy':
            arrays = [load_npy(path)]
        else:
            with load_npz(path) as content:
                if missing := [key for key in keys if key not in content]:
                    raise SourceError(f'{path}: has no key {missing[0]!r}, has {sorted(content)}')
                arrays = [content[key] for key in keys]
    except (UnsafeFileError, BrokenFileError) as error:
        raise SourceError(str(error)) from error
    for array in arrays:
        if not isinstance(array, np.ndarray) or array.dtype.kind not in 'biuf':
            raise SourceError(f'{path}: holds {getattr(array, "dtype", type(array).__name__)}, expected numbers')
    return arrays


def _read_map(path, key):
    """The (H, W) array in a file, raw values."""
    if path.suffix.lower() == '.png':
        try:
            return read_values(path)
        except ImageError as error:
            raise SourceError(str(error)) from error
    values, = _read_arrays(path, key)
    if values.ndim != 2 or values.size == 0:
        raise SourceError(f'{path}: has shape {values.shape}, expected (H, W)')
    return values


def _resized(values, size, interpolation, path):
    """``values`` at ``size`` (h, w) of the image."""
    if values.shape == tuple(size):
        return values
    check_proportions(values.shape, size, path)
    return cv2.resize(values, tuple(size)[::-1], interpolation=interpolation)


def check_proportions(shape, size, path, rounding=None):
    """Raise :class:`SourceError` where a map of ``shape`` (h, w) cannot be that of an image of ``size`` (h, w).

    ``rounding`` px that its shorter side may be off, instead of a part of it.
    """
    (have_h, have_w), (h, w) = shape, size
    off = abs(have_w * h / (have_h * w) - 1)
    if off > _ASPECT_TOLERANCE and (rounding is None or off * min(shape) > rounding):
        raise SourceError(f'{path}: shape {tuple(shape)} does not fit the image of {tuple(size)} (height, width)')


def read_json(path):
    """The object in a JSON file.

    Raises:
        FileNotFoundError, ValueError: no such file, or not JSON, or no object; the message names it.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path}: not found')
    table = load_json(path)
    if not isinstance(table, dict):
        raise ValueError(f'{path}: holds a {type(table).__name__}, expected an object by image id')
    return table
