"""Depth Pro: what its command line writes, and what transformers answers, saved."""
import math

import numpy as np

from mmhuman_dto.registry import DEPTH_FILES

from .arrays import NAMED, array_of, names_and_shapes, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap, intrinsics_of

#: What Apple's program, and transformers after post-processing, call the focal length, px.
_FOCALS = ('focallength_px', 'focal_length')
#: Range of inverse depth, 1/m, that both clamp to.
_RANGE = 1e-4, 1e4


@DEPTH_FILES.register_module()
class DepthPro(DepthFiles):
    """``b.npz`` or ``b.pt`` of image ``b.jpg``: ``depth`` (H, W), m, and, where it was saved, ``focallength_px``; or of
    transformers ``predicted_depth`` and ``field_of_view`` (degrees).

    With ``focal_length`` beside it ``predicted_depth`` was post-processed and is in m. Without, it is inverse depth at
    the field of view for which width is 1: times width / focal it is in 1/m.
    """
    writer, kinds = 'Depth Pro', ('metres', )

    @classmethod
    def sniff(cls, folder, names):
        first = next((name for name in names if name.lower().endswith(NAMED)), None)
        shapes = names_and_shapes(folder / first) if first else {}
        return 'depth' in shapes and 'focallength_px' in shapes or {'predicted_depth', 'field_of_view'} <= set(shapes)

    def path(self, sample):
        return self.find(sample, *NAMED)

    def read(self, path, sample, kind):
        arrays = read_arrays(path)
        key = 'predicted_depth' if 'predicted_depth' in arrays else 'depth'
        values = two_dimensional(array_of(arrays, key, path), path)
        focal = next((float(arrays[name].squeeze()) for name in _FOCALS if name in arrays), None)
        if focal is None and key == 'predicted_depth':
            return _unprocessed(values, array_of(arrays, 'field_of_view', path), sample, path)
        intrinsics = None if focal is None else intrinsics_of(focal, values.shape, path)
        return DepthMap(values.astype(np.float32), intrinsics)


def _unprocessed(values, angle, sample, path):
    """The :class:`DepthMap` of inverse depth for a width of one focal length, ``angle`` being that of the width.

    The network sees a square whatever the image is.
    """
    share = .5 / math.tan(math.radians(float(angle.squeeze())) / 2)  # focal length over width
    (height, width), (h, w) = sample.ori_shape, values.shape
    intrinsics = intrinsics_of(share * w, values.shape, path)
    intrinsics[1, 1] *= width * h / (height * w)
    return DepthMap(1 / np.clip(values.astype(np.float64) / share, *_RANGE), intrinsics, math.inf)
