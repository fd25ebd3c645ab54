"""A depth network imitated where the exact depth is known."""
import numpy as np
import torch

from mmhuman_dto.registry import SOURCES
from mmhuman_dto.synthetic import DisparityErrors, Picture
from mmhuman_dto.synthetic.corruption import fresh, imitated_disparity

from .base import DepthSource, SourceError


@SOURCES.register_module()
class ImitatedDepth(DepthSource):
    """Disparity of rendered crowds: their exact depth with the errors of monocular depth, drawn from the image's id.

    Args:
        **errors: what differs from the defaults of :class:`mmhuman_dto.synthetic.DisparityErrors`.

    Raises:
        SourceError: a sample without ``gt_maps`` (depth, id_map).
    """

    def __init__(self, **errors):
        self.errors = DisparityErrors(**errors)

    def __call__(self, samples):
        return [self._imitate(sample) for sample in samples]

    def _imitate(self, sample):
        if 'gt_maps' not in sample:
            raise SourceError(f'{sample.img_id}: has no exact depth (gt_maps) to imitate a network on')
        maps, rng = sample.gt_maps, np.random.default_rng([*sample.img_id.encode()])
        picture = Picture(None, maps.depth.numpy(), maps.id_map.numpy())
        return torch.from_numpy(imitated_disparity(picture, len(sample.gt_instances), fresh(rng), self.errors))
