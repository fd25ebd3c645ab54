"""ZoeDepth: 16-bit pictures of m * 256, as ``save_raw_16bit`` writes them."""
from mmhuman_dto.registry import DEPTH_FILES

from .base import DepthMap
from .plain import PlainDepth

_PER_METRE = 256.


@DEPTH_FILES.register_module()
class ZoeDepth(PlainDepth):
    """``b.png`` of image ``b.jpg``, 16 bit: m * 256, 0 unknown.

    A 16-bit picture does not say of what it is, so the layout has to be named. (mm are plain files of kind ``metres``
    with a scale of .001.)
    """
    writer, kinds = 'ZoeDepth', ('metres', )

    def __init__(self, folder):
        super().__init__(folder, '.png')

    @classmethod
    def sniff(cls, folder, names):
        return False

    def stated_kind(self):
        return 'metres', 'its layout was named'

    def read(self, path, sample, kind):
        return DepthMap(super().read(path, sample, kind).values / _PER_METRE)
