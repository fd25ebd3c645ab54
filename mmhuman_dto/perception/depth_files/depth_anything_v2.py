"""Depth Anything V2, metric: what ``metric_depth/run.py --save-numpy`` writes."""
import numpy as np

from mmhuman_dto.registry import DEPTH_FILES

from .arrays import ONLY, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap

_SUFFIX = '_raw_depth_meter.npy'


@DEPTH_FILES.register_module()
class DepthAnythingV2Metric(DepthFiles):
    """``b_raw_depth_meter.npy`` of image ``b.jpg``: (H, W) float32, m, at the image's size.

    What ``run.py`` of the relative networks writes are plain ``.png`` of 8 bits (kind ``disparity``), one value a pixel
    only with ``--pred-only --grayscale``.
    """
    writer, kinds = 'metric Depth Anything V2', ('metres', )

    @classmethod
    def sniff(cls, folder, names):
        return any(name.endswith(_SUFFIX) for name in names)

    def path(self, sample):
        return self.find(sample, _SUFFIX)

    def read(self, path, sample, kind):
        return DepthMap(two_dimensional(read_arrays(path)[ONLY], path).astype(np.float32))
