"""A file an image, named like it, of one array: what any program saves."""
from pathlib import Path

import numpy as np

from mmhuman_dto.registry import DEPTH_FILES

from ..base import SourceError
from .arrays import NAMED, ONLY, SUFFIXES, array_of, names_and_shapes, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap, first_names, intrinsics_of, pixel_intrinsics

#: What values of each kind are called in files of several arrays, ``arr_0`` by ``np.savez`` without a name.
#: ``predicted_depth`` is what transformers calls anything that a depth network answers, disparity too.
_ANY = ('predicted_depth', 'arr_0', ONLY)
_KEYS = dict(disparity=('disparity', *_ANY), depth=('depth', *_ANY), metres=('metres', 'depth', *_ANY))


@DEPTH_FILES.register_module()
class PlainDepth(DepthFiles):
    """``FOLDER/a/b.npy`` of image ``a/b.jpg``, or with another suffix: .npz, .png (8 or 16 bit), .exr, .pfm, .pt.

    ``.npz`` and ``.pt`` hold the values under the name of their kind (``disparity``, ``metres``, ``depth`` for both
    kinds of depth) or ``predicted_depth`` and, where known, ``intrinsics`` (3, 3) or ``focallength_px``, px of the map.
    A key or a folder called ``disparity`` says that it is.

    Args:
        folder: the folder.
        suffix: of its files; None: all files there are of one.
    """
    writer = 'files of one array an image'

    def __init__(self, folder, suffix=None):
        super().__init__(folder)
        if suffix is not None and suffix not in SUFFIXES:
            raise ValueError(f'suffix must be one of {", ".join(SUFFIXES)}, got {suffix!r}')
        self.suffix = suffix

    @classmethod
    def sniff(cls, folder, names):
        return True

    def path(self, sample):
        if self.suffix is None:
            self.suffix = self._only_suffix()
        return self.find(sample, self.suffix)

    def _only_suffix(self):
        found = sorted({Path(name).suffix.lower() for name in first_names(self.folder)} & set(SUFFIXES))
        if len(found) != 1:
            raise SourceError(f'{self.folder}: expected depth maps that are all of one of {", ".join(SUFFIXES)}, found '
                              f'{", ".join(found) or "none"}; say suffix=')
        return found[0]

    def stated_kind(self):
        if self.folder.resolve().name == 'disparity':
            return 'disparity', 'the folder is called so'
        first = next((name for name in first_names(self.folder) if name.lower().endswith(NAMED)), None)
        if first and 'disparity' in names_and_shapes(self.folder / first):
            return 'disparity', f'{first} has a key called so'
        return None, ''

    def read(self, path, sample, kind):
        arrays = read_arrays(path)
        values = two_dimensional(_values(arrays, path, kind), path).astype(np.float32)
        return DepthMap(values, _intrinsics(arrays, path, values.shape))

    def stored(self, path, kind):
        """The values of a file as they are (h, w), of any type."""
        return two_dimensional(_values(read_arrays(path), path, kind), path)


def _values(arrays, path, kind):
    return array_of(arrays, next((name for name in _KEYS[kind] if name in arrays), _KEYS[kind][0]), path)


def _intrinsics(arrays, path, shape):
    if 'intrinsics' in arrays:
        return pixel_intrinsics(arrays['intrinsics'], path, *shape[::-1])
    if 'focallength_px' in arrays:
        return intrinsics_of(float(arrays['focallength_px'].squeeze()), shape, path)
    return None
