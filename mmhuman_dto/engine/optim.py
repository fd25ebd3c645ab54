"""Mixed precision on any device, and learning rates that fall with a layer's depth."""
import re
from contextlib import contextmanager

import torch
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper

from mmhuman_dto.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """bfloat16 autocast in the forward pass, on CPU too; bfloat16 needs no loss scaling.

    Args:
        **kwargs: of MMEngine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model):
        device = next(model.parameters()).device
        with super().optim_context(model), torch.autocast(device.type, dtype=torch.bfloat16):
            yield


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayConstructor(DefaultOptimWrapperConstructor):
    """Layer-wise learning-rate decay for the ViT: the deeper below the heads, the smaller the rate.

    With n blocks, block i gets ``decay ** (n - i)`` of the rate, what lies before the blocks ``decay ** (n + 1)``, and
    all else the whole rate. Parameters of one dimension (norms, biases, layer scales) have no weight decay.
    ``paramwise_cfg``: ``layer_decay`` (factor a layer), ``num_layers`` (n), ``block_pattern`` (a regular expression
    whose only group is the block's number), ``before_pattern`` (names of what lies before the blocks).
    """

    def add_params(self, params, module, **kwargs):
        cfg = self.paramwise_cfg
        groups = {}
        for name, param in module.named_parameters():
            if param.requires_grad:
                scale = cfg['layer_decay']**self._depth(name, cfg)
                groups.setdefault((scale, param.dim() <= 1), []).append(param)
        for (scale, plain), members in groups.items():
            decay = 0. if plain else self.base_wd
            params.append(dict(params=members, lr=self.base_lr * scale, weight_decay=decay))

    @staticmethod
    def _depth(name, cfg):
        block = re.search(cfg['block_pattern'], name)
        if block:
            return cfg['num_layers'] - int(block.group(1))
        return cfg['num_layers'] + 1 if re.search(cfg['before_pattern'], name) else 0
