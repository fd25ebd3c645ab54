"""MiDaS and DPT: what ``run.py`` writes."""
import glob
import re

import numpy as np

from mmhuman_dto.registry import DEPTH_FILES

from .arrays import ONLY, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap

#: Its names end in the network's.
_NAME = re.compile(r'-(dpt|midas|openvino_midas)_\w+(\.pfm|\.png)$')


@DEPTH_FILES.register_module()
class MiDaS(DepthFiles):
    """``b-dpt_beit_large_512.pfm`` of image ``b.jpg``: inverse depth, rows from the bottom up. Where only the ``.png``
    beside it is left, that counts: the same from its least to its largest value, of 16 bits with ``--grayscale``, else
    a picture in colours.
    """
    writer, kinds = 'MiDaS', ('disparity', )

    @classmethod
    def sniff(cls, folder, names):
        return any(_NAME.search(name) for name in names)

    def path(self, sample):
        whole = (self.folder / sample.img_id).with_suffix('')
        found = [path for path in sorted(whole.parent.glob(f'{glob.escape(whole.name)}-*.p*'))
                 if _NAME.fullmatch(path.name.removeprefix(whole.name))]
        if not found:
            raise self.missing(sample, '-NETWORK.pfm')
        return min(found, key=lambda path: path.suffix)

    def read(self, path, sample, kind):
        return DepthMap(two_dimensional(read_arrays(path)[ONLY], path).astype(np.float32))
