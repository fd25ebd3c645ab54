"""Vision transformer over packed 14-px tokens; its parameters are named as DINOv2's."""
from dataclasses import dataclass
from functools import partial

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.functional import interpolate, linear
from torch.utils.checkpoint import checkpoint

from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import MODELS

from ..layers.found_people import FoundPeople
from ..layers.packed_attention import Packing, packed_attention
from ..layers.position import point_encoding

PATCH = 14
#: Images are padded to multiples of this, so that four cells of every level but the last make one of the next.
PAD_MULTIPLE = 4 * PATCH
#: embed_dims, depth, num_heads of the sizes in use; S, B and L have DINOv2 weights.
ARCHITECTURES = {
    'nano': (128, 6, 4), 'tiny': (192, 12, 3), 'small': (384, 12, 6), 'base': (768, 12, 12), 'large': (1024, 24, 16),
    'huge': (1280, 32, 16),
}


@dataclass
class PackedTokens:
    """What an encoder makes of B images."""
    features: Tensor  # (T, C), image after image
    packing: Packing  # tokens of each image
    level: Tensor  # (T) 0, 1, 2: the token stands for 14, 28 or 56 px
    cells: Tensor  # (T, 2) y, x in the grid of its level
    centers: Tensor  # (T, 2) x, y of the token's centre in units of ``input_size``
    camera: Tensor  # (B, C) camera token
    #: (N, 2) confidence and scale of all images' 28-px cells in Z order; None without scale adaptation
    scale_map: Tensor | None = None
    scale_map_cells: Tensor | None = None  # (N, 2) y, x of these cells, on the host
    scale_map_packing: Packing | None = None  # cells of each image
    people: FoundPeople | None = None  # who the encoder has found, which queries start from


class Attention(nn.Module):
    """Multi-head self attention within each packed sequence."""

    def __init__(self, dims, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dims, 3 * dims)
        self.proj = nn.Linear(dims, dims)

    def forward(self, x, packing):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).unbind(1)
        return self.proj(packed_attention(q, k, v, packing).flatten(1))


class LayerScale(nn.Module):
    """Learned factor a channel."""

    def __init__(self, dims, init=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dims, ), init))

    def forward(self, x):
        return x * self.gamma


class FeedForward(nn.Module):
    """Two linear layers with exact GELU between."""

    def __init__(self, dims, hidden_dims):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(dims, hidden_dims), nn.GELU(), nn.Linear(hidden_dims, dims)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """DINOv2's transformer block over packed tokens (T, C)."""

    def __init__(self, dims, num_heads, layer_scale=1e-5):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dims, eps=1e-6), nn.LayerNorm(dims, eps=1e-6)
        self.attn, self.mlp = Attention(dims, num_heads), FeedForward(dims, 4 * dims)
        self.ls1, self.ls2 = LayerScale(dims, layer_scale), LayerScale(dims, layer_scale)

    def forward(self, x, packing):
        x = x + self.ls1(self.attn(self.norm1(x), packing))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Linear projection of 14-px patches, stored as the convolution it is in DINOv2."""

    def __init__(self, dims):
        super().__init__()
        self.proj = nn.Conv2d(3, dims, PATCH, PATCH)

    @staticmethod
    def grids(images):
        """Images (3, H, W) -> (H / 14, W / 14, 3 * 14 * 14), copies in the order of a convolution's weights."""
        patches = (image.unflatten(1, (-1, PATCH)).unflatten(3, (-1, PATCH)) for image in images)
        return [patch.permute(1, 3, 0, 2, 4).flatten(2) for patch in patches]

    def forward(self, patches):
        return linear(patches, self.proj.weight.flatten(1), self.proj.bias)


class StandardizedConv2d(nn.Conv2d):
    """Convolution with stride 2 whose filters have mean 0 and a length of their own (weight standardization).

    Before GroupNorm it trains as fast as BatchNorm does and depends neither on the batch nor on the number of processes
    (Qiao et al., arXiv 1903.10520).
    """

    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels, 3, 2, 1)
        self.gain = nn.Parameter(torch.full((out_channels, 1, 1, 1), 2**.5))

    def forward(self, x):
        centered = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        weight = centered / (centered.square().sum((1, 2, 3), keepdim=True) + 1e-4).sqrt() * self.gain
        return self._conv_forward(x, weight, self.bias)


class ConvPatchEmbed(nn.Module):
    """Convolutions with stride over the whole picture, 16 px to a patch, then a linear projection.

    Where people are and what they look like is learnt many times faster from scratch than by attention over raw patches
    (early convolutions: Xiao et al. 2021, arXiv 2106.14881).
    """

    def __init__(self, dims, widths=(16, 32, 64, 128)):
        super().__init__()
        self.stages = nn.Sequential(*(nn.Sequential(StandardizedConv2d(a, b), nn.GroupNorm(8, b), nn.ReLU())
                                      for a, b in zip((3, *widths), widths)))
        self.proj = nn.Linear(widths[-1], dims)

    def grids(self, images):
        """Images (3, H, W) -> (H / 14, W / 14, C) features of their patches; those of one size go together."""
        grids = [None] * len(images)
        for shape in {image.shape for image in images}:
            index = [i for i, image in enumerate(images) if image.shape == shape]
            resized = interpolate(torch.stack([images[i] for i in index]), [16 * side // PATCH for side in shape[1:]],
                                  mode='bilinear')
            for i, features in zip(index, self.stages(resized).permute(0, 2, 3, 1)):
                grids[i] = features
        return grids

    def forward(self, patches):
        return self.proj(patches)


#: What makes tokens of patches; DINOv2's weights are for the linear one.
PATCH_EMBEDS = {'linear': PatchEmbed, 'conv': ConvPatchEmbed}


def check_sides(images):
    """ValueError unless all sides are multiples of ``PAD_MULTIPLE``."""
    for i, image in enumerate(images):
        if image.shape[1] % PAD_MULTIPLE or image.shape[2] % PAD_MULTIPLE:
            raise ValueError(f'image {i} of the batch is {image.shape[1]} x {image.shape[2]} px, the encoder takes '
                             f'sides that are multiples of {PAD_MULTIPLE}: pad it (HMRDataPreprocessor does)')


def pick(tokens, index):
    """Rows of tokens (T, ...) by an index on the host."""
    return tokens.index_select(0, index.to(tokens.device, non_blocking=True))


def _initial_positions(grid, dims):
    """Positions (grid, grid, dims) to start from, large enough beside the patches for attention to see them."""
    centers = (torch.arange(grid) + .5) / grid
    y_x = torch.stack(torch.meshgrid(centers, centers, indexing='ij'), -1)
    return point_encoding(y_x.flip(-1), dims) / 2


@MODELS.register_module()
class VisionTransformer(BaseModule):
    """Plain ViT encoder: 14-px tokens in row order, a camera token (DINOv2's class token) in front.

    Args:
        arch: a name in ``ARCHITECTURES``, or dict(embed_dims, depth, num_heads).
        input_size: long side of the images, px.
        patch_embed: ``'linear'``, as DINOv2's, or ``'conv'``, which learns faster from scratch.
        layer_scale: initial factor of the residual branches; 1e-5 suits pretrained weights, 1 training from scratch.
        with_cp: recompute activations in the backward pass (less memory, a third more time).
        init_cfg: MMEngine's, e.g. ``dict(type='Pretrained', checkpoint=..., prefix='backbone.')``.
    """

    def __init__(self, arch='base', input_size=1288, patch_embed='linear', layer_scale=1e-5, with_cp=False,
                 init_cfg=None):
        super().__init__(init_cfg)
        if isinstance(arch, str):
            if arch not in ARCHITECTURES:
                raise ValueError(f'unknown ViT arch {arch!r}, expected one of {list(ARCHITECTURES)} or a dict')
            arch = dict(zip(('embed_dims', 'depth', 'num_heads'), ARCHITECTURES[arch]))
        if patch_embed not in PATCH_EMBEDS:
            raise ValueError(f'unknown patch_embed {patch_embed!r}, expected one of {list(PATCH_EMBEDS)}')
        if input_size % PATCH:
            raise ValueError(f'input_size {input_size} is not a multiple of {PATCH}')
        self.embed_dims, self.input_size, self.with_cp = arch['embed_dims'], input_size, with_cp
        self.make_block = partial(Block, self.embed_dims, arch['num_heads'], layer_scale)
        self._build_patch_embed(partial(PATCH_EMBEDS[patch_embed], self.embed_dims))
        self.pos_embed = nn.Parameter(_initial_positions(input_size // PATCH, self.embed_dims))
        self.camera_token = nn.Parameter(torch.randn(1, self.embed_dims) * 1e-6)
        self.blocks = nn.ModuleList(self.make_block() for _ in range(arch['depth']))
        self.norm = nn.LayerNorm(self.embed_dims, eps=1e-6)

    def _build_patch_embed(self, make):
        self.patch_embed = make()

    def forward(self, images):
        """:class:`PackedTokens` of B images (3, H, W), normalised; ValueError unless sides are multiples of 56 px."""
        check_sides(images)
        patches = self.patch_embed.grids(images)
        counts = torch.tensor([p.shape[0] * p.shape[1] for p in patches])
        cells = torch.cat([torch.cartesian_prod(torch.arange(p.shape[0]), torch.arange(p.shape[1])) for p in patches])
        image = torch.repeat_interleave(torch.arange(len(images)), counts)
        x = self.patch_embed(torch.cat([p.flatten(0, 1) for p in patches]))
        y_x = cells.to(x.device, non_blocking=True)
        x = x + self._positions(self.pos_embed, y_x)
        camera, x, image, _ = self._run(self.blocks, self.camera_token.expand(len(images), -1), (x, image))
        return self._pack(camera, x, image, torch.zeros_like(image), cells, len(images))

    @staticmethod
    def _positions(grid, cells):
        """Positions of cells (T, 2); cells beyond the grid, which only padding reaches, get its border's."""
        y, x = cells.clamp(max=len(grid) - 1).unbind(-1)
        return grid.flatten(0, 1).index_select(0, y * len(grid) + x)

    def _run(self, blocks, camera, *parts):
        """Run blocks over camera (B, C) and parts (tokens (N, C), image of each (N) on the host) of each image.

        Returns:
            camera (B, C), tokens (T, C) sorted by image, image of each token, and their indices in the joined parts.
        """
        image = torch.cat([torch.arange(len(camera)), *(part[1] for part in parts)])
        order = image.argsort(stable=True)
        image = image[order]
        x = pick(torch.cat([camera, *(part[0] for part in parts)]), order)
        packing = Packing(image.bincount(minlength=len(camera)).tolist())
        for block in blocks:
            x = checkpoint(block, x, packing, use_reentrant=False) if self.with_cp and self.training else block(
                x, packing)
        is_camera = order < len(camera)
        at_camera, at_token = (m.nonzero()[:, 0] for m in (is_camera, ~is_camera))
        return pick(x, at_camera), pick(x, at_token), image[at_token], order[at_token] - len(camera)

    def _pack(self, camera, x, image, level, cells, num_images):
        """Final norm, and host bookkeeping to the device in one go."""
        level_cells = torch.cat([level[:, None], cells], -1).to(x.device, non_blocking=True)
        level, cells = level_cells[:, 0], level_cells[:, 1:]
        size = self.input_size / (PATCH * 2**at_least_single(level[:, None].to(x.dtype)))
        return PackedTokens(self.norm(x), Packing(image.bincount(minlength=num_images).tolist()), level, cells,
                            (cells.flip(-1) + .5) / size, camera)
