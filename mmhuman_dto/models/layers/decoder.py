"""Decoder from learned box queries to people (conditional DETR / DAB-DETR style)."""
import torch
from torch import nn

from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import MODELS

from .decoder_layer import DecoderLayer
from .mlp import MLP, zero_last
from .packed_attention import Packing
from .position import box_encoding, inverse_sigmoid, point_encoding


@MODELS.register_module()
class BoxQueryDecoder(nn.Module):
    """Queries with a content and a reference box, refined layer by layer (Metric-Aware HMR, arXiv 2511.13282).

    Args:
        in_dims: channels of the encoder's tokens.
        num_queries: people that can be found in an image.
        num_layers, dims, num_heads, ffn_dims: of the decoder layers.
        num_levels: token levels that get an embedding; 0: none.
        parts: (rows, columns) of places in their boxes that all layers but the first look at; None: none, as published.
    """

    def __init__(self, in_dims, num_queries=50, num_layers=6, dims=768, num_heads=4, ffn_dims=2048, num_levels=3,
                 parts=None):
        super().__init__()
        self.dims, self.num_queries = dims, num_queries
        self.memory_proj = nn.Linear(in_dims, dims)
        self.level_embed = nn.Parameter(torch.randn(num_levels, dims)) if num_levels else None
        self.query_box = nn.Embedding(num_queries, 4)
        self.query_content = nn.Embedding(num_queries, dims)
        self.layers = nn.ModuleList(DecoderLayer(dims, num_heads, ffn_dims, i == 0, parts)
                                    for i in range(num_layers))
        self.norm = nn.LayerNorm(dims)
        self.position_head = MLP(2 * dims, dims, dims, 2)
        self.sine_scale = MLP(dims, dims, dims, 2)
        self.anchor_head = MLP(dims, dims, 2, 2)
        self.box_heads = nn.ModuleList(MLP(dims, dims, 4, 3) for _ in range(num_layers))
        self._init_from_scratch()

    def _init_from_scratch(self):
        """Spread boxes that look at their surroundings, and layers as DETR's (arXiv 2005.12872)."""
        for linear in (self.memory_proj, *self.layers.modules()):
            if isinstance(linear, nn.Linear):
                nn.init.xavier_uniform_(linear.weight)
                nn.init.zeros_(linear.bias)
        for layer in self.layers:
            layer.cross_attn.look_near()
        for mlp, start in ((self.sine_scale, 1.), (self.anchor_head, -1.4), *((head, 0.) for head in self.box_heads)):
            zero_last(mlp)
            nn.init.constant_(mlp.layers[-1].bias, start)
        with torch.no_grad():
            centers, sizes = self.query_box.weight.split(2, -1)
            centers.copy_(inverse_sigmoid(torch.empty_like(centers).uniform_(.1, .9)))
            sizes.copy_(inverse_sigmoid(torch.tensor([.15, .35])))

    def forward(self, tokens, extra=None):
        """Decode.

        Args:
            tokens: :class:`PackedTokens` of B images; where it has ``people``, of ``dims`` channels, the first learned
                queries start from them, one each.
            extra: queries put before the learned ones, with ``content`` (B, E, D), ``boxes`` (B, E, 4) in (0, 1) and
                ``mask`` (E + Q, E + Q), true where a query (row) may look at another (column); None: no such queries.

        Returns:
            normalised contents (L, B, Q, D), boxes (L, B, Q, 4) cx, cy, w, h in units of ``input_size``, of all layers.
        """
        x, boxes, mask = self._queries(tokens, extra)
        memory = self.memory_proj(tokens.features)
        memory_position = self._memory_position(tokens)
        packings = Packing([x.shape[1]] * len(x)), tokens.packing
        contents, all_boxes = [], []
        for i, (layer, box_head) in enumerate(zip(self.layers, self.box_heads)):
            reference = boxes.detach() if i else boxes
            position, sine = self._query_position(x, reference, first=i == 0)
            x = layer(x, position, sine, reference, memory, memory_position, tokens.centers, packings, mask)
            content = self.norm(x)
            with torch.autocast(x.device.type, enabled=False):
                step = box_head(at_least_single(content))
                all_boxes.append((step + inverse_sigmoid(boxes)).sigmoid())
                # The same box, whose gradient ends at this layer's head: that of the next layer's box reaches two
                # heads ("look forward twice", arXiv 2203.03605).
                boxes = (step + inverse_sigmoid(reference)).sigmoid()
            contents.append(content)
        return torch.stack(contents), torch.stack(all_boxes)

    def _queries(self, tokens, extra):
        images = len(tokens.packing)
        content = self.query_content.weight.expand(images, -1, -1)
        boxes = self.query_box.weight.sigmoid().expand(images, -1, -1)
        if tokens.people is not None:
            content, boxes = tokens.people.fill(content, boxes)
        if extra is None:
            return content, boxes, None
        return torch.cat([extra.content, content], 1), torch.cat([extra.boxes, boxes], 1), extra.mask

    def _memory_position(self, tokens):
        position = point_encoding(tokens.centers, self.dims)
        if self.level_embed is None:
            return position
        # A product: the gradient of indexing a few rows by many tokens is slow on a GPU.
        is_level = tokens.level[:, None] == torch.arange(len(self.level_embed), device=tokens.level.device)
        return position + is_level.to(self.level_embed.dtype) @ self.level_embed

    def _query_position(self, x, boxes, first):
        """Position (B, Q, D) from the box, and its centre's encoding (B, Q, D) made narrow where the box is."""
        position = self.position_head(box_encoding(boxes, self.dims))
        sine = point_encoding(boxes[..., :2], self.dims)
        if not first:
            sine = sine * self.sine_scale(x)
        width, height = (self.anchor_head(x).sigmoid() / boxes[..., 2:]).split(1, -1)
        half = self.dims // 2
        return position, torch.cat([sine[..., :half] * height, sine[..., half:] * width], -1)
