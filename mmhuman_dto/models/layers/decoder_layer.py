"""One layer of the conditional-DETR style decoder."""
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from mmhuman_dto.geometry.precision import at_least_single

from .box_parts import BoxParts
from .packed_attention import packed_attention
from .position import moved_encoding


class QuerySelfAttention(nn.Module):
    """Attention among an image's queries; content and position are projected apart and added."""

    def __init__(self, dims, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.query_content, self.query_position = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.key_content, self.key_position = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.value, self.out = nn.Linear(dims, dims), nn.Linear(dims, dims)

    def forward(self, x, position, mask):
        q = self.query_content(x) + self.query_position(position)
        k = self.key_content(x) + self.key_position(position)
        q, k, v = (y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for y in (q, k, self.value(x)))
        return self.out(scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2))


class MemoryCrossAttention(nn.Module):
    """Attention of queries to the packed tokens of their image; each head sees content and position side by side.

    The ``first`` layer's contents hold nothing yet, so positions are added to contents too.
    """

    def __init__(self, dims, num_heads, first):
        super().__init__()
        self.num_heads = num_heads
        self.query_content, self.query_sine = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.query_position = nn.Linear(dims, dims) if first else None
        self.key_content, self.key_position = nn.Linear(dims, dims), nn.Linear(dims, dims)
        self.value, self.out = nn.Linear(dims, dims), nn.Linear(dims, dims)

    def look_near(self, gain=4., spread=.08):
        """Start with each head attending to a place of its own, in two columns, around the queries' reference points.

        Attention near a box from the start makes training several times shorter (Gao et al., arXiv 2101.07448); heads
        that look at different parts tell apart how the parts lie. ``gain`` is how narrow a place is, ``spread`` lies
        between the heads' places, in units of the image; medium people are .3 tall.
        """
        dims, rows = self.query_sine.in_features, -(-self.num_heads // 2)
        turns = [nn.init.orthogonal_(torch.empty(dims // self.num_heads, dims), gain) for _ in range(self.num_heads)]
        places = [(.75 * spread * (head % 2 - .5), spread * (head // 2 - (rows - 1) / 2))
                  for head in range(self.num_heads)]
        with torch.no_grad():
            self.key_position.weight.copy_(torch.cat(turns))
            self.query_sine.weight.copy_(
                torch.cat([turn @ moved_encoding(place, dims) for turn, place in zip(turns, places)]))
        for linear in (self.query_sine, self.key_position):
            nn.init.zeros_(linear.bias)

    def forward(self, x, position, sine, memory, memory_position, packings):
        q, q_position = self.query_content(x), self.query_sine(sine)
        k, k_position = self.key_content(memory), self.key_position(memory_position)
        if self.query_position is not None:
            q, k = q + self.query_position(position), k + k_position
        out = packed_attention(self._heads(q, q_position).flatten(0, 1), self._heads(k, k_position),
                               self._heads(self.value(memory)), *packings)
        return self.out(out.flatten(1)).view_as(x)

    def _heads(self, *parts):
        return torch.cat([part.unflatten(-1, (self.num_heads, -1)) for part in parts], -1)


class DecoderLayer(nn.Module):
    """Pre-norm layer: self attention, cross attention, parts of the box, feed-forward with ReLU.

    Args:
        dims, num_heads, ffn_dims: width, heads and hidden width of the feed-forward.
        first: whether it is the decoder's first layer.
        parts: (rows, columns) of :class:`BoxParts`, or None: left out, as published. The first layer, whose boxes are
            not of the image yet, has none.
    """

    def __init__(self, dims, num_heads, ffn_dims, first, parts=None):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dims) for _ in range(3))
        self.self_attn = QuerySelfAttention(dims, num_heads)
        self.cross_attn = MemoryCrossAttention(dims, num_heads, first)
        self.parts = None if first or parts is None else BoxParts(dims, parts)
        self.ffn1, self.ffn2 = nn.Linear(dims, ffn_dims), nn.Linear(ffn_dims, dims)

    def forward(self, x, position, sine, boxes, memory, memory_position, centers, packings, mask):
        """The queries' new contents (B, Q, D).

        Args:
            x, position, sine: contents, positions and centre encodings of the queries, (B, Q, D).
            boxes: (B, Q, 4) of the queries. memory, memory_position: (T, D) packed tokens of all images.
            centers: (T, 2) of the tokens.
            packings: :class:`Packing` of queries and of tokens.
            mask: (Q, Q) bool, who may look at whom, or None.
        """
        x = x + self.self_attn(self.norm1(x), position, mask)
        x = x + self.cross_attn(self.norm2(x), position, sine, memory, memory_position, packings)
        if self.parts is not None:
            with torch.autocast(x.device.type, enabled=False):  # differences of large numbers
                x = x + self.parts(boxes, at_least_single(memory), centers, packings[1])
        return x + self.ffn2(self.ffn1(self.norm3(x)).relu())
