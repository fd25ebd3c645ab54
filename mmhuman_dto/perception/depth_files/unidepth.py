"""UniDepth, versions 1 and 2: what ``infer`` answers, saved."""
import numpy as np

from mmhuman_dto.registry import DEPTH_FILES

from .arrays import NAMED, array_of, names_and_shapes, read_arrays, two_dimensional
from .base import DepthFiles, DepthMap, pixel_intrinsics


@DEPTH_FILES.register_module()
class UniDepth(DepthFiles):
    """``b.npz`` or ``b.pt`` of image ``b.jpg``: ``depth`` (1, 1, H, W), m, and ``intrinsics`` (1, 3, 3), px."""
    writer, kinds = 'UniDepth', ('metres', )

    @classmethod
    def sniff(cls, folder, names):
        first = next((name for name in names if name.lower().endswith(NAMED)), None)
        shapes = names_and_shapes(folder / first) if first else {}
        return len(shapes.get('depth', ())) == 4 and shapes.get('intrinsics', ())[1:] == (3, 3)

    def path(self, sample):
        return self.find(sample, *NAMED)

    def read(self, path, sample, kind):
        arrays = read_arrays(path)
        values = two_dimensional(array_of(arrays, 'depth', path), path)
        intrinsics = pixel_intrinsics(array_of(arrays, 'intrinsics', path), path, *values.shape[::-1])
        return DepthMap(values.astype(np.float32), intrinsics)
