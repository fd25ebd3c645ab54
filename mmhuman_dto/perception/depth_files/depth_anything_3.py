"""Depth Anything 3: all images of a run in one file."""
from pathlib import Path, PurePosixPath

import numpy as np

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.fileio.finding import find_pictures
from mmhuman_dto.registry import DEPTH_FILES

from ..base import SourceError
from .arrays import array_of, read_arrays
from .base import DepthFiles, DepthMap, intrinsics_of, known_intrinsics, pixel_intrinsics

_FILE = 'results.npz'
#: Focal length, px of the image fed, at which DA3METRIC answers in metres.
_CANONICAL_FOCAL = 300.
#: Sides fed are multiples of this, px.
_PATCH = 14
#: Mean colours of one picture at two sizes differ by less than this, of 255.
_COLOUR = 16
#: Networks whose answers are metres, or become them.
_METRIC = 'nested', 'metric'


@DEPTH_FILES.register_module()
class DepthAnything3(DepthFiles):
    """``exports/npz/results.npz`` or ``exports/mini_npz/results.npz``: ``depth`` (N, h, w) at the size that the network
    saw (longer side 504 px) of N images in the order of their names, and, where the network says them, ``intrinsics``
    (N, 3, 3), px of the same size.

    Which network wrote it is not in the file. Those of any number of views and DA3MONO give ``depth``; DA3NESTED gives
    ``metres``, and DA3METRIC what becomes metres times focal / 300.

    Args:
        folder: that of ``results.npz``, or one above it.
        network: 'nested' or 'metric', for kind ``metres``.
        images: folder of the images that were fed; None: that of the image that is asked for.
        focal: focal length, px of the image, for 'metric' where the file has no intrinsics; None: the sample's camera.
    """
    writer, kinds = 'Depth Anything 3', ('depth', 'metres')

    def __init__(self, folder, network=None, images=None, focal=None):
        super().__init__(folder)
        if network is not None and network not in _METRIC:
            raise ValueError(f"network must be 'nested' or 'metric', got {network!r}")
        self.network, self.images, self.focal = network, images, focal
        self._path, self._arrays, self._orders = None, None, {}

    @classmethod
    def sniff(cls, folder, names):
        return any(_is_results(folder, name) for name in names)

    def path(self, sample):
        if self._path is None:
            found = sorted(self.folder.rglob(_FILE), key=lambda path: (len(path.parts), path))
            if not found:
                raise SourceError(f'{self.folder}: has no {_FILE}')
            self._path = found[0]
        return self._path

    def check(self, kind):
        super().check(kind)
        if kind == 'metres' and self.network is None:
            raise ValueError(
                f'{self.folder}: files of Depth Anything 3 do not say which of its networks wrote them; for metres '
                'give layout.network=nested (DA3NESTED: in metres) or metric (DA3METRIC: times focal / 300), such as '
                'stages.depth.source.layout.network=nested')

    def read(self, path, sample, kind):
        if self._arrays is None:
            self._arrays = _of_file(path)
        depth = self._arrays['depth']
        row = self._row(path, sample, len(depth))
        values, (height, width) = depth[row].astype(np.float32), depth.shape[1:]
        intrinsics = None
        if 'intrinsics' in self._arrays:
            intrinsics = pixel_intrinsics(self._arrays['intrinsics'][row], path, width, height)
        self._check_picture(path, sample, row)
        if kind == 'metres' and self.network == 'metric':
            fed = self._fed(intrinsics, sample, values.shape, path)
            values = values * ((fed[0, 0] + fed[1, 1]) / 2 / _CANONICAL_FOCAL)
        return DepthMap(values, intrinsics, _PATCH)

    def _fed(self, intrinsics, sample, shape, path):
        if intrinsics is not None:
            return intrinsics
        if self.focal is not None:
            return intrinsics_of(self.focal * shape[1] / sample.ori_shape[1], shape, path)
        return known_intrinsics(sample, shape, 'DA3METRIC')

    def _row(self, path, sample, count):
        """The image's row among the N: its place among the sorted names of its folder."""
        if count == 1:
            return 0
        folder = Path(self.images or Path(sample.img_path).parent)
        if folder not in self._orders:
            self._orders[folder] = {PurePosixPath(name).name: row for row, name in enumerate(
                name for name in find_pictures(folder) if '/' not in name)}
        order, name = self._orders[folder], PurePosixPath(sample.img_id).name
        if len(order) != count or name not in order:
            raise SourceError(f'{path}: holds {count} maps, in the order of the names of the images fed; {folder} has '
                              f'{len(order)} pictures, {name} {"" if name in order else "not "}among them; '
                              'layout.images must be the folder that was fed')
        return order[name]

    def _check_picture(self, path, sample, row):
        """Refuse a map whose own picture, where it was saved too, is another one."""
        if 'colours' not in self._arrays or 'image' not in sample:
            return
        theirs, ours = self._arrays['colours'][row], np.asarray(sample.image).mean((0, 1))
        if np.abs(theirs - ours).max() > _COLOUR:
            raise SourceError(f'{path}: picture {row} in it is not {sample.img_id}: its mean colour is '
                              f'{theirs.round().tolist()}, not {ours.round().tolist()}. layout.images must be the '
                              'folder that was fed, with nothing added since')


def _of_file(path):
    """``depth`` and, where they are there, ``intrinsics`` and the mean ``colours`` (N, 3) of the pictures."""
    arrays = read_arrays(path)
    kept = dict(depth=array_of(arrays, 'depth', path))
    if kept['depth'].ndim != 3:
        raise SourceError(f'{path}: depth has shape {kept["depth"].shape}, expected (N, H, W)')
    if 'intrinsics' in arrays:
        kept['intrinsics'] = arrays['intrinsics']
    if arrays.get('image', kept['depth']).ndim == 4:
        kept['colours'] = np.array([picture.mean((0, 1)) for picture in arrays['image']])
    count = len(kept['depth'])
    if wrong := [name for name, array in kept.items() if len(array) != count]:
        raise SourceError(f'{path}: holds {count} maps and {len(kept[wrong[0]])} {wrong[0]}')
    return kept


def _is_results(folder, name):
    if PurePosixPath(name).name != _FILE:
        return False
    try:
        with load_npz(folder / name) as content:
            return 'depth' in content
    except (OSError, ValueError):
        return False
