"""Attention over sequences of different lengths packed along one axis, without padding and without a mask.

The kernel is the fastest the device has: one batched call where all sequences are equally long, flash attention over
the packed axis on CUDA in half precision, else one ``scaled_dot_product_attention`` a sequence.
"""
from functools import cached_property

import torch
from torch.nn.functional import scaled_dot_product_attention

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:  # torch < 2.10
    varlen_attn = None

#: Largest head width of the flash kernel.
_FLASH_MAX_WIDTH = 256


class Packing:
    """Lengths of the sequences packed along one axis, in order: integers on the host, nothing waits for the device."""

    def __init__(self, lens):
        self.lens = [int(n) for n in lens]

    def __len__(self):
        return len(self.lens)

    @cached_property
    def total(self):
        """Tokens altogether."""
        return sum(self.lens)

    @cached_property
    def longest(self):
        """Tokens of the longest sequence."""
        return max(self.lens, default=0)

    @cached_property
    def uniform(self):
        """Whether all sequences are equally long."""
        return len(set(self.lens)) <= 1

    @cached_property
    def starts(self):
        """Index of each sequence's first token, and the total: (B + 1) int32 on the host."""
        return torch.tensor([0, *self.lens], dtype=torch.int32).cumsum(0, dtype=torch.int32)

    def offsets(self, device):
        """:attr:`starts` on a device, copied once."""
        if getattr(self, '_offsets', None) is None or self._offsets.device != device:
            self._offsets = self.starts.to(device, non_blocking=True)
        return self._offsets


def packed_attention(q, k, v, q_packing, k_packing=None, scale=None):
    """Attention (Tq, H, Dv) of q (Tq, H, D) to k (Tk, H, D) and v (Tk, H, Dv) within each sequence only.

    Args:
        q_packing: :class:`Packing` of the queries. k_packing: of keys and values; None: the same.
        scale: factor before the softmax; None: D^-.5.
    """
    k_packing = k_packing or q_packing
    if q_packing.uniform and k_packing.uniform:
        q, k, v = (x.unflatten(0, (max(len(p), 1), p.longest)).transpose(1, 2)
                   for x, p in ((q, q_packing), (k, k_packing), (v, k_packing)))
        return scaled_dot_product_attention(q, k, v, scale=scale).transpose(1, 2).flatten(0, 1)
    if _flash_fits(q, k, v):
        return varlen_attn(q, k, v, q_packing.offsets(q.device), k_packing.offsets(q.device), q_packing.longest,
                           k_packing.longest, scale=scale)
    sequences = zip(q.split(q_packing.lens), k.split(k_packing.lens), v.split(k_packing.lens))
    return torch.cat([_attend(*qkv, scale) for qkv in sequences])


def _attend(q, k, v, scale):
    q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
    return scaled_dot_product_attention(q, k, v, scale=scale)[0].transpose(0, 1)


def _flash_fits(q, k, v):
    return (varlen_attn is not None and q.is_cuda and q.dtype in (torch.float16, torch.bfloat16)
            and q.shape[-1] == v.shape[-1] <= _FLASH_MAX_WIDTH)
