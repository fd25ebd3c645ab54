"""Counting floating-point operations, attention on the CPU included."""
from contextlib import nullcontext

import torch
from torch.utils.flop_counter import FlopCounterMode


def _attention_flops(q, k, v, *args, out_shape=None, **kwargs):
    """Of a product of queries and keys, and one of weights and values."""
    return 2 * q[0] * q[1] * q[2] * k[2] * (q[3] + v[3])


def _attention_backward_flops(gradient, q, k, v, *args, out_shape=None, **kwargs):
    """The weights once more, and two gradients of each product."""
    return 2 * q[0] * q[1] * q[2] * k[2] * (3 * q[3] + 2 * v[3])


#: torch counts the attention kernels of GPUs only.
_CPU_ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
}


class _NoModules(nullcontext):
    """Stands in for torch's tracker of modules, which stumbles over views of parameters under ``no_grad``."""

    parents = ('Global', )


def flop_counter():
    """A context that counts FLOPs of what runs in it, forward and backward: ``get_total_flops()``."""
    counter = FlopCounterMode(display=False, custom_mapping=_CPU_ATTENTION)
    counter.mod_tracker = _NoModules()
    return counter
