"""MoveNet's features as inputs of other networks: of like size, at places of a picture or in a grid."""
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from mmhuman_dto.fileio.bundled import bundled_file

from .network import FEATURES

#: Mean and standard deviation of each channel over rendered crowds, by tools/benchmark/measure_movenet.py.
STATISTICS = bundled_file('mmhuman_dto/movenet/data/movenet_features.safetensors')
#: Channels of all features together.
CHANNELS = sum(channels for channels, _ in FEATURES.values())


class MoveNetFeatures(nn.Module):
    """The features of :meth:`~.network.MoveNetMultiPose.look`, side by side, with mean 0 and variance 1 each.

    Nothing of it is trained, nor kept in checkpoints.
    """

    def __init__(self):
        super().__init__()
        statistics = load_file(STATISTICS)
        for name in ('mean', 'std'):
            joined = torch.cat([statistics[f'{feature}.{name}'].float() for feature in FEATURES])
            self.register_buffer(name, joined, persistent=False)

    def at(self, features, image, points):
        """Features (N, ``CHANNELS``) at points (N, 2) x, y, px, of images (N) of a batch, bilinear, the border's
        outside."""
        return self._normalised(torch.cat([
            _bilinear(features[name].movedim(1, -1), image, points / stride - .5)
            for name, (_, stride) in FEATURES.items()], -1))

    def grid(self, features, stride):
        """Features (B, H / stride, W / stride, ``CHANNELS``): means of the finer ones, copies of the coarser ones."""
        return self._normalised(torch.cat([
            _at_stride(features[name], own, stride).movedim(1, -1) for name, (_, own) in FEATURES.items()], -1))

    def _normalised(self, values):
        return (values.float() - self.mean) / self.std


def _at_stride(values, own, wanted):
    if own <= wanted:
        return functional.avg_pool2d(values, wanted // own)
    return functional.interpolate(values, scale_factor=float(own // wanted), mode='nearest')


def _bilinear(values, image, cells):
    """Values (N, C) of maps (B, h, w, C) at cells (N, 2) x, y, of images (N)."""
    height, width = values.shape[1:3]
    x, y = cells[:, 0].clamp(0, width - 1), cells[:, 1].clamp(0, height - 1)
    left, top = x.long().clamp(max=max(width - 2, 0)), y.long().clamp(max=max(height - 2, 0))
    right, below = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    along, down = (x - left)[:, None], (y - top)[:, None]
    upper = torch.lerp(values[image, top, left].float(), values[image, top, right].float(), along)
    lower = torch.lerp(values[image, below, left].float(), values[image, below, right].float(), along)
    return torch.lerp(upper, lower, down)
