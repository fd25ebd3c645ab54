"""ViT encoder that spends its tokens where people are small (SAT-HMR, arXiv 2411.19824)."""
from functools import lru_cache

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from mmhuman_dto.geometry.morton import morton_order
from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import MODELS

from ..layers.mlp import MLP
from ..layers.packed_attention import Packing
from ..layers.position import resize_positions
from .vit import PATCH, VisionTransformer, check_sides, pick

#: The 2 x 2 cells of level 0 in a cell of level 1, y and x.
_CHILDREN = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])


@lru_cache(maxsize=256)
def morton_cells(rows, columns):
    """Cells of a grid in Z order, (rows * columns, 2) int64 of y, x, on the host; not to be written to.

    In a grid with even sides any four cells from a multiple of 4 on are the 2 x 2 cells of one of half the size.
    """
    order = morton_order(rows, columns)
    return torch.stack([order // columns, order % columns], -1)


@MODELS.register_module()
class ScaleAdaptiveViT(VisionTransformer):
    """Encoder with tokens of three sizes, chosen by a scale map it predicts.

    All 28-px cells (level 1) go through ``additional_blocks`` first; a head tells for each whether someone is there and
    how large. Cells with small people become four 14-px tokens (level 0, run through the first blocks), quads of cells
    with nobody become one token (level 2). All tokens of an image then go through the remaining blocks together.

    Args:
        arch, input_size, patch_embed, layer_scale, with_cp, init_cfg: as in :class:`VisionTransformer`.
        num_additional_blocks: blocks that level 1 runs through (and level 0, its own, the first of the main ones).
        num_levels: 3, or 2 to keep the cells with nobody at level 1.
        confidence_threshold: a cell holds someone above it.
        scale_threshold: people whose box diagonal is below this share of ``input_size`` are small.
        batch_dependent: in a batch without a quad to join, split cells stay at level 1 too, as in the public release;
            what an image gives then depends on the others of its batch.
    """

    #: what losses can look at besides the answers of the queries
    outputs = ('scale_map', )

    def __init__(self, arch='base', input_size=1288, num_additional_blocks=3, num_levels=3, confidence_threshold=.3,
                 scale_threshold=.5, batch_dependent=False, patch_embed='linear', layer_scale=1e-5, with_cp=False,
                 init_cfg=None):
        super().__init__(arch, input_size, patch_embed, layer_scale, with_cp, init_cfg)
        if num_levels not in (2, 3):
            raise ValueError(f'num_levels {num_levels} is not 2 or 3; without scale adaptation use VisionTransformer')
        if not 0 < num_additional_blocks < len(self.blocks):
            raise ValueError(f'num_additional_blocks {num_additional_blocks} must lie between 0 and the '
                             f'{len(self.blocks)} blocks')
        self.num_levels, self.batch_dependent = num_levels, batch_dependent
        self.confidence_threshold, self.scale_threshold = confidence_threshold, scale_threshold
        self.additional_blocks = nn.ModuleList(self.make_block() for _ in range(num_additional_blocks))
        self.inter_norm = nn.LayerNorm(self.embed_dims, eps=1e-6)
        self.scale_head = MLP(self.embed_dims, self.embed_dims, 2, 4)

    def _build_patch_embed(self, make):
        self.patch_embed = nn.ModuleList(make() for _ in range(2))

    def forward(self, images):
        """Encode; see :meth:`VisionTransformer.forward`. Waits for the device once, to learn how many tokens there are.
        """
        check_sides(images)
        cells, image, packing = self._grid(images)
        camera, coarse, scale_map = self._coarse(images, cells, image)
        split, keep, quads = self._choose(scale_map)

        first = len(self.additional_blocks)
        fine, fine_image, fine_cells = self._fine(images, split, cells, image, self.blocks[:first])
        parts = [(fine, fine_image), (pick(coarse, keep), image[keep])]
        part_cells = [fine_cells, cells[keep]]
        if self.num_levels == 3:
            parts.append((pick(coarse.unflatten(0, (-1, 4)), quads).amax(1), image[::4][quads]))
            part_cells.append(cells[::4][quads] // 2)
        level = torch.cat([torch.full_like(part[1], i) for i, part in enumerate(parts)])
        camera, x, image, index = self._run(self.blocks[first:], camera, *parts)
        tokens = self._pack(camera, x, image, level[index], torch.cat(part_cells)[index], len(images))
        tokens.scale_map, tokens.scale_map_cells, tokens.scale_map_packing = scale_map, cells, packing
        return tokens

    @staticmethod
    def _grid(images):
        """Level-1 cells (N, 2) in Z order, the image of each, and their packing."""
        cells = [morton_cells(image.shape[1] // (2 * PATCH), image.shape[2] // (2 * PATCH)) for image in images]
        packing = Packing([len(c) for c in cells])
        return torch.cat(cells), torch.repeat_interleave(torch.arange(len(images)), torch.tensor(packing.lens)), packing

    def _coarse(self, images, cells, image):
        """Level 1 through its own blocks: camera token, cell tokens, scale map."""
        device = images[0].device
        # Halving a 28-px patch bilinearly (corners not aligned, no antialias) is averaging 2 x 2 px.
        size = self.input_size // (2 * PATCH)
        x = self._embed(self.patch_embed[1], [avg_pool2d(x, 2) for x in images], cells, image)
        x = x + self._positions(resize_positions(self.pos_embed, size), cells.to(device, non_blocking=True))
        camera, x, _, _ = self._run(self.additional_blocks, self.camera_token.expand(len(images), -1), (x, image))
        return camera, x, at_least_single(self.scale_head(self.inter_norm(x))).sigmoid()

    def _choose(self, scale_map):
        """Indices (host) of the cells to split, of those to keep, and of the quads to join."""
        confidence, scale = scale_map.detach().cpu().unbind(-1)
        valid = confidence > self.confidence_threshold
        split = valid & (scale < self.scale_threshold)
        keep = ~split
        empty = ~valid.view(-1, 4).any(1)
        if self.num_levels == 3:
            keep &= ~empty.repeat_interleave(4)
            if self.batch_dependent and not empty.any():
                keep[:] = True
        return (mask.nonzero()[:, 0] for mask in (split, keep, empty))

    def _fine(self, images, split, cells, image, blocks):
        """Level 0 through the first main blocks: tokens, image of each, cells.

        Runs also when nothing is split, so that every parameter has a gradient on every rank.
        """
        fine_cells = (2 * cells[split][:, None] + _CHILDREN).flatten(0, 1)
        fine_image = image[split].repeat_interleave(4)
        x = self._embed(self.patch_embed[0], images, fine_cells, fine_image)
        x = x + self._positions(self.pos_embed, fine_cells.to(x.device, non_blocking=True))
        _, x, fine_image, index = self._run(blocks, self.camera_token.expand(len(images), -1), (x, fine_image))
        return x, fine_image, fine_cells[index]

    @staticmethod
    def _embed(patch_embed, images, cells, image):
        """Tokens (N, C) of 14-px cells, sorted by image."""
        y, x = cells.to(images[0].device, non_blocking=True).unbind(-1)
        counts = image.bincount(minlength=len(images)).tolist()
        grids = zip(patch_embed.grids(images), y.split(counts), x.split(counts))
        return patch_embed(torch.cat([grid[rows, columns] for grid, rows, columns in grids]))
