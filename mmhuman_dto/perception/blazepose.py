"""BlazePose GHUM full as a plain network: a person's 33 landmarks and mask, looking at that person alone.

The network is Google's (MediaPipe's pose landmark model; Bazarevsky et al., "BlazePose", arXiv 2006.10204): a
MobileNetV2 with a feature pyramid, on which heat maps and a mask are read, and a branch down to 2 x 2 cells that says
the landmarks.
``tools/model_converters/blazepose2mmhuman.py`` read its weights from the published graph; its batch normalisations are
folded into the convolutions there. The graph's metric 3D landmarks are left out.
"""
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

#: Side of the pictures, px, and pixels that a cell of the heat maps covers.
SIDE, STRIDE = 256, 4
#: Landmarks: 33 of the body, then 6 that say where the person is.
NUM_LANDMARKS = 39
#: The landmark of each of COCO's 17 joints.
COCO17 = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
#: MobileNetV2's blocks after the first: kernel, stride, inner channels, channels.
_BLOCKS = ((3, 2, 64, 24), (3, 1, 144, 24), (5, 2, 144, 32), (5, 1, 192, 32), (3, 2, 192, 64), (3, 1, 384, 64),
           (3, 1, 384, 64), (5, 1, 384, 88), (5, 1, 528, 88), (5, 1, 528, 88), (5, 2, 528, 144), (5, 1, 864, 144),
           (5, 1, 864, 144), (5, 1, 864, 144))
#: Blocks whose output the feature pyramid takes, coarsest first, with their channels.
_LATERAL = {10: 88, 4: 32, 2: 24}


class BlazePoseOutput(NamedTuple):
    """What the network says of B people.

    Attributes:
        landmarks: (B, 39, 5) x, y, z, px of the picture, and the logits of being visible and of being in the picture.
        presence: (B,) how likely somebody is there, 0..1.
        heat: (B, 39, 64, 64) how likely a landmark is there, 0..1; cell i lies around pixel 4 i.
        masks: (B, 256, 256) how likely a pixel shows the person, 0..1; None unless asked for.
    """
    landmarks: torch.Tensor
    presence: torch.Tensor
    heat: torch.Tensor
    masks: torch.Tensor | None


class BlazePose(nn.Module):
    """(B, 3, 256, 256) RGB 0..1, each a person upright -> :class:`BlazePoseOutput`, with ``masks`` or without."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 3, 2, padding=1), _relu6())
        self.first = nn.Sequential(*_depthwise(24, 3), nn.Conv2d(24, 16, 1))
        blocks, channels = [], 16
        for kernel, stride, inner, out in _BLOCKS:
            blocks.append(_Bottleneck(channels, inner, out, kernel, stride))
            channels = out
        self.blocks = nn.ModuleList(blocks)
        self.top = nn.Sequential(nn.Conv2d(channels, 864, 1), _relu6(), *_depthwise(864, 3))
        self.lateral = nn.ModuleList([_separable(channels, 48) for channels in (864, *_LATERAL.values())])
        self.down = nn.Sequential(_separable(864, 288), _Halving(288), *(_Residual(288) for _ in range(4)),
                                  _Halving(288), *(_Residual(288) for _ in range(5)))
        self.fine, self.mask_input = _separable(16, 8), _separable(48, 8)
        self.mask_middle = nn.Sequential(_Residual(8), _Residual(8))
        self.mask_last = nn.Sequential(_Residual(8), _Residual(8))
        self.heat = nn.Conv2d(48, NUM_LANDMARKS, 1)
        self.mask = nn.Conv2d(8, 1, 3, padding=1)
        self.presence = nn.Conv2d(288, 1, 2)
        self.landmarks = nn.Conv2d(288, 5 * NUM_LANDMARKS, 2)

    def forward(self, images, masks=False):
        first = features = self.first(self.stem(images))
        lateral = []
        for index, block in enumerate(self.blocks, 1):
            features = block(features)
            if index in _LATERAL:
                lateral.append(features)
        top = self.top(features)
        pyramid = self.lateral[0](top)
        for project, side in zip(self.lateral[1:], lateral[::-1]):
            pyramid = _twice(pyramid) + project(side)
        person = self.down(top)
        return BlazePoseOutput(
            self.landmarks(person).view(-1, NUM_LANDMARKS, 5), self.presence(person).sigmoid().flatten(),
            self.heat(pyramid).sigmoid(), self._masks(first, pyramid) if masks else None)

    def _masks(self, first, pyramid):
        features = self.mask_middle(_twice(self.mask_input(pyramid)) + self.fine(first))
        return self.mask(self.mask_last(_twice(features))).sigmoid()[:, 0]


class _Bottleneck(nn.Module):
    """MobileNetV2's inverted residual block (Sandler et al., arXiv 1801.04381)."""

    def __init__(self, channels, inner, out, kernel, stride):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, inner, 1), _relu6(), *_depthwise(inner, kernel, stride),
                                    nn.Conv2d(inner, out, 1))
        self.residual = stride == 1 and channels == out

    def forward(self, features):
        return features + self.layers(features) if self.residual else self.layers(features)


class _Residual(nn.Module):
    """A separable convolution that is added to its input."""

    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(*_depthwise(channels, 3), nn.Conv2d(channels, channels, 1))

    def forward(self, features):
        return functional.relu6(features + self.layers(features))


class _Halving(_Residual):
    """The same with stride 2, padded as TensorFlow's ``SAME``: on the right and below alone."""

    def __init__(self, channels):
        super().__init__(channels)
        self.layers[0] = nn.Conv2d(channels, channels, 3, 2, groups=channels)

    def forward(self, features):
        padded = functional.pad(features, (0, 1, 0, 1))
        return functional.relu6(functional.max_pool2d(features, 2) + self.layers(padded))


def _relu6():
    return nn.ReLU6(inplace=True)  # a convolution's output is nobody else's: a quarter of the time of a CPU


def _depthwise(channels, kernel, stride=1):
    return nn.Conv2d(channels, channels, kernel, stride, padding=kernel // 2, groups=channels), _relu6()


def _separable(channels, out):
    return nn.Sequential(*_depthwise(channels, 3), nn.Conv2d(channels, out, 1), _relu6())


def _twice(features):
    return functional.interpolate(features, scale_factor=2., mode='bilinear', align_corners=False)
