"""The last step of a pipeline: from a sample with its image to what the network takes."""
import numpy as np
import torch

from mmhuman_dto.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackHumanInputs:
    """Split a sample into ``inputs`` (3, H, W) uint8 RGB and ``data_samples``, the sample without the image.

    Args:
        drop: data of the sample that the network does not need, so that it is not sent between processes.
    """

    def __init__(self, drop=('gt_maps', )):
        self.drop = drop

    def __call__(self, sample):
        inputs = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))
        for name in ('image', *self.drop):
            if name in sample:
                delattr(sample, name)
        return dict(inputs=inputs, data_samples=sample)
