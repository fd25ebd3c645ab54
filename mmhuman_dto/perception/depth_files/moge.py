"""MoGe, versions 1 and 2: a folder an image of its command line, or what ``infer`` answers, saved."""
import math

import numpy as np

from mmhuman_dto.fileio import BrokenFileError, UnsafeFileError, load_json
from mmhuman_dto.fileio.images import ImageError, read_values
from mmhuman_dto.registry import DEPTH_FILES

from ..base import SourceError
from .arrays import NAMED, array_of, names_and_shapes, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap, pixel_intrinsics

_DEPTH, _MASK, _FOV = 'depth.exr', 'mask.png', 'fov.json'


@DEPTH_FILES.register_module()
class MoGe(DepthFiles):
    """``b/depth.exr``, ``b/mask.png`` and ``b/fov.json`` (``fov_x``, ``fov_y`` in degrees) of image ``b.jpg``, or
    ``b.npz`` or ``b.pt`` of ``depth`` (H, W), ``mask`` and ``intrinsics`` in shares of width and height.

    What the mask leaves out is infinite: unknown here. Version 1 is ``depth`` (up to a factor), version 2 ``metres``;
    the files do not say which.
    """
    writer, kinds = 'MoGe', ('depth', 'metres')

    @classmethod
    def sniff(cls, folder, names):
        if any(name.endswith(f'/{_DEPTH}') or name == _DEPTH for name in names):
            return True
        first = next((name for name in names if name.lower().endswith(NAMED)), None)
        shapes = names_and_shapes(folder / first) if first else {}
        return {'depth', 'intrinsics', 'mask'} <= set(shapes) and shapes['intrinsics'] == (3, 3)

    def path(self, sample):
        whole = self.folder / sample.img_id
        for base in (whole, whole.with_suffix(''), self.folder):
            if (base / _DEPTH).is_file() and base.name in (whole.name, whole.stem):
                return base / _DEPTH
        try:
            return self.find(sample, *NAMED)
        except SourceError:
            raise self.missing(sample, f'/{_DEPTH}') from None

    def read(self, path, sample, kind):
        return _of_folder(path) if path.name == _DEPTH else _of_arrays(path)


def _of_folder(path):
    values, intrinsics = two_dimensional(read_arrays(path)[''], path), None
    mask, fov = path.parent / _MASK, path.parent / _FOV
    if mask.is_file():
        try:
            values = _masked(values, read_values(mask), mask)
        except ImageError as error:
            raise SourceError(str(error)) from error
    if fov.is_file():
        height, width = values.shape
        fx, fy = (side / 2 / math.tan(_angle(fov, name) / 2) for side, name in ((width, 'fov_x'), (height, 'fov_y')))
        intrinsics = np.array([[fx, 0, width / 2], [0, fy, height / 2], [0, 0, 1]])
    return DepthMap(values.astype(np.float32), intrinsics)


def _of_arrays(path):
    arrays = read_arrays(path)
    values = two_dimensional(array_of(arrays, 'depth', path), path)
    if 'mask' in arrays:
        values = _masked(values, two_dimensional(arrays['mask'], path), path)
    intrinsics = pixel_intrinsics(array_of(arrays, 'intrinsics', path), path, *values.shape[::-1])
    return DepthMap(values.astype(np.float32), intrinsics)


def _masked(values, mask, path):
    if mask.shape != values.shape:
        raise SourceError(f'{path}: the mask is {mask.shape}, the depth {values.shape}')
    return np.where(mask > 0, values, np.float32(np.inf))


def _angle(path, name):
    """An angle of ``fov.json`` in rad; SourceError unless it is between 0 and 180 degrees."""
    try:
        content = load_json(path)
    except (UnsafeFileError, BrokenFileError) as error:
        raise SourceError(str(error)) from error
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, (int, float)) or not 0 < value < 180:
        raise SourceError(f'{path}: {name} is {value!r}, expected degrees')
    return math.radians(value)
