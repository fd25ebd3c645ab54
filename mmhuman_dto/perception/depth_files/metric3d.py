"""Metric3D: depth of its canonical camera, saved."""
from mmhuman_dto.registry import DEPTH_FILES

from .base import DepthMap, intrinsics_of, known_intrinsics
from .plain import PlainDepth

#: Focal length, px, of the canonical camera.
_CANONICAL_FOCAL = 1000.


@DEPTH_FILES.register_module()
class Metric3D(PlainDepth):
    """What ``inference`` answers, padding cut off, as plain files: m = value * focal / 1000, focal px of the map.

    Nothing in such files says what they are, so the layout has to be named.

    Args:
        folder, suffix: see :class:`~.plain.PlainDepth`.
        focal: focal length, px of the image; None: that of the sample's camera.
    """
    writer, kinds = 'Metric3D', ('metres', )

    def __init__(self, folder, suffix=None, focal=None):
        super().__init__(folder, suffix)
        self.focal = focal

    @classmethod
    def sniff(cls, folder, names):
        return False

    def stated_kind(self):
        return 'metres', 'its layout was named'

    def read(self, path, sample, kind):
        values = super().read(path, sample, kind).values
        if self.focal is None:
            intrinsics = known_intrinsics(sample, values.shape, self.writer)
        else:
            intrinsics = intrinsics_of(self.focal * values.shape[1] / sample.ori_shape[1], values.shape, path)
        return DepthMap(values * (intrinsics[0, 0] / _CANONICAL_FOCAL))
