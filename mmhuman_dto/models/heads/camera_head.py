"""The camera of an image: a predicted or a fixed field of view."""
import math

import torch
from mmengine.model import BaseModule
from torch import nn

from mmhuman_dto.geometry import focal_from_fov, intrinsics_from_fov
from mmhuman_dto.registry import MODELS

from ..layers.mlp import MLP, zero_last


@MODELS.register_module()
class FoVHead(BaseModule):
    """Vertical field of view from the camera token (the camera branch of Metric-Aware HMR, arXiv 2511.13282).

    Args:
        in_dims: channels of the camera token.
        min_fov: rad, smallest field of view.
    """

    def __init__(self, in_dims, min_fov=.08, init_cfg=None):
        super().__init__(init_cfg)
        self.min_fov = min_fov
        self.mlp = MLP(in_dims, in_dims, 1, 4)
        zero_last(self.mlp)  # far from the clamp, below which there is no gradient
        nn.init.constant_(self.mlp.layers[-1].bias, math.pi / 6)

    def forward(self, camera, sizes):
        """Camera tokens (B, C) and image sizes (B, 2) as h, w without padding, px -> intrinsics (B, 3, 3), px."""
        fov = self.mlp(camera)[:, 0].clamp(min=self.min_fov)
        return intrinsics_from_fov(fov, sizes[:, 1], sizes[:, 0])


@MODELS.register_module()
class FixedFoV(BaseModule):
    """The same focal length for every image: the long side, ``input_size``, is seen under ``fov``.

    ``input_size`` is in px, ``fov`` in rad.
    """

    def __init__(self, input_size, fov=math.pi / 3, init_cfg=None):
        super().__init__(init_cfg)
        self.focal = float(focal_from_fov(fov, input_size))

    def forward(self, camera, sizes):
        """As :meth:`FoVHead.forward`; the camera tokens are not looked at."""
        intrinsics = torch.eye(3, dtype=sizes.dtype, device=sizes.device).repeat(len(sizes), 1, 1)
        intrinsics[:, :2, :2] *= self.focal
        intrinsics[:, :2, 2] = sizes.flip(-1) / 2
        return intrinsics
