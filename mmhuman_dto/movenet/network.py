"""MoveNet MultiPose Lightning as a plain network: people's centres and 17 COCO joints in one look at a picture.

The network is Google's (``tfhub.dev/google/tfjs-model/movenet/multipose/lightning/1``): MobileNetV2 (width 1.75), a
feature pyramid up to stride 4 and heads after CenterNet (Zhou et al., "Objects as Points", arXiv 1904.07850).
``tools/model_converters/movenet2mmhuman.py`` read its weights from the published graph; its batch normalisations are
folded into the convolutions there.
"""
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from mmhuman_dto.fileio.bundled import bundled_file

#: The published weights; NOTICE says where from.
WEIGHTS = bundled_file('mmhuman_dto/movenet/data/movenet_multipose.safetensors')
#: Pixels of the picture a cell of the outputs covers, in x and in y.
STRIDE = 4
#: Sides of pictures must be multiples of this.
MULTIPLE = 32
#: 2 / 255 as the published graph has it, in half precision.
_SCALE = 0.00784301757812
#: MobileNetV2's blocks after the first: channels, stride.
_BLOCKS = ((40, 2), (40, 1), (48, 2), (48, 1), (48, 1), (96, 2), (96, 1), (96, 1), (96, 1), (144, 1), (144, 1),
           (144, 1), (240, 2), (240, 1), (240, 1), (480, 1))
#: Channels of each head.
_HEADS = dict(centers=1, sizes=2, offsets=2, heat=17, joints=34, joint_offsets=34)
#: Blocks whose output the feature pyramid takes, finest first, with their channels.
_LATERAL = {1: 40, 4: 48, 8: 96}
#: Blocks whose output is a feature, by its name.
_KEPT = {4: 'block8', 11: 'block16', 14: 'block32'}
#: Heads whose hidden layer is a feature.
_HIDDEN = ('heat', 'joints')
#: What the network makes of a picture on the way to its maps: name -> (channels, stride).
FEATURES = dict(block8=(48, 8), block16=(144, 16), block32=(240, 32), pyramid16=(32, 16), pyramid8=(24, 8),
                pyramid4=(24, 4), hidden_heat=(96, 4), hidden_joints=(96, 4))


class MoveNetMaps(NamedTuple):
    """What the network says of each cell (h, w) = (H, W) / 4 of B pictures; positions in cells, y before x.

    Attributes:
        centers: (B, 1, h, w) how likely a person's centre is there, 0..1.
        sizes: (B, 2, h, w) height and width of the person's box.
        offsets: (B, 2, h, w) of the box's centre from the cell.
        joints: (B, 17, 2, h, w) of the person's joints from the cell, coarse.
        heat: (B, 17, h, w) how likely a joint of anybody is there, 0..1.
        joint_offsets: (B, 17, 2, h, w) of that joint from the cell.
    """
    centers: torch.Tensor
    sizes: torch.Tensor
    offsets: torch.Tensor
    joints: torch.Tensor
    heat: torch.Tensor
    joint_offsets: torch.Tensor


class MoveNetMultiPose(nn.Module):
    """(B, 3, H, W) RGB 0..255, sides multiples of 32 -> :class:`MoveNetMaps`."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(_Convolution(3, 48, 3, stride=2), _relu6())
        blocks, channels = [_Bottleneck(48, 24, 1, expand=False)], 24
        for out, stride in _BLOCKS:
            blocks.append(_Bottleneck(channels, out, stride))
            channels = out
        self.blocks = nn.ModuleList(blocks)
        self.top = nn.Sequential(nn.Conv2d(channels, 1280, 1), _relu6(), nn.Conv2d(1280, 64, 1))
        self.lateral = nn.ModuleList([nn.Conv2d(channels, out, 1)
                                      for channels, out in zip(_LATERAL.values(), (24, 32, 64))][::-1])
        self.smooth = nn.ModuleList([_separable(64, 32), _separable(32, 24), _separable(24, 24)])
        self.heads = nn.ModuleDict({name: nn.Sequential(_separable(24, 96), nn.Conv2d(96, out, 1))
                                    for name, out in _HEADS.items()})

    def forward(self, images):
        return self.look(images)[0]

    def look(self, images):
        """The :class:`MoveNetMaps` of images (B, 3, H, W), and a dict of the :data:`FEATURES` (B, C, H / s, W / s)."""
        x, lateral, kept = self.blocks[0](self.stem(images * _SCALE - 1)), [], {}
        for index, block in enumerate(self.blocks[1:]):
            x = block(x)
            if index in _LATERAL:
                lateral.append(x)
            if index in _KEPT:
                kept[_KEPT[index]] = x
        x = self.top(x)
        for stride, side, project, smooth in zip((16, 8, 4), lateral[::-1], self.lateral, self.smooth):
            larger = functional.interpolate(x, scale_factor=2., mode='bilinear', align_corners=False)
            x = kept[f'pyramid{stride}'] = smooth(larger + project(side))
        hidden = {name: head[0](x) for name, head in self.heads.items()}
        kept.update({f'hidden_{name}': hidden[name] for name in _HIDDEN})
        return self._maps({name: head[1](hidden[name]) for name, head in self.heads.items()}), kept

    @staticmethod
    def _maps(out):
        return MoveNetMaps(out['centers'].sigmoid(), out['sizes'].relu(), out['offsets'],
                           out['joints'].unflatten(1, (17, 2)), out['heat'].sigmoid(),
                           out['joint_offsets'].unflatten(1, (17, 2)))


def published_movenet():
    """The network with its published weights, to look with: nothing of it is trained, nor kept in checkpoints."""
    network = MoveNetMultiPose().eval()
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    for module in network.modules():
        for name, weights in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            # Channels last: convolutions on a CPU are a third faster so.
            layout = torch.channels_last if weights.dim() == 4 else torch.contiguous_format
            module.register_buffer(name, weights.detach().contiguous(memory_format=layout), persistent=False)
    return network


class _Convolution(nn.Conv2d):
    """A 3 x 3 convolution padded as TensorFlow's ``SAME``: with stride 2, on the right and below alone."""

    def __init__(self, channels, out, size, stride=1, groups=1, bias=True):
        super().__init__(channels, out, size, stride, padding=2 - stride, groups=groups, bias=bias)

    def forward(self, images):
        return super().forward(functional.pad(images, (0, 1, 0, 1)) if self.stride[0] == 2 else images)


class _Bottleneck(nn.Module):
    """MobileNetV2's inverted residual block (Sandler et al., arXiv 1801.04381)."""

    def __init__(self, channels, out, stride, expand=True):
        super().__init__()
        inner = 6 * channels if expand else channels
        layers = [nn.Conv2d(channels, inner, 1), _relu6()] if expand else []
        layers += [_Convolution(inner, inner, 3, stride, groups=inner), _relu6(), nn.Conv2d(inner, out, 1)]
        self.layers, self.residual = nn.Sequential(*layers), stride == 1 and channels == out

    def forward(self, features):
        return features + self.layers(features) if self.residual else self.layers(features)


def _relu6():
    return nn.ReLU6(inplace=True)  # a convolution's output is nobody else's: a tenth of the time of a CPU


def _separable(channels, out):
    return nn.Sequential(_Convolution(channels, channels, 3, groups=channels, bias=False), nn.Conv2d(channels, out, 1),
                         nn.ReLU(inplace=True))
