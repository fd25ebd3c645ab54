"""A network spread over the GPUs, parameters, gradients and optimizer state alike (FSDP)."""
import re

import torch
from mmengine._strategy import DDPStrategy
from mmengine.dist import get_world_size, is_main_process
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map_only

from mmhuman_dto.registry import STRATEGIES

from .device import pick_device


@STRATEGIES.register_module()
class FullyShardedStrategy(DDPStrategy):
    """PyTorch's ``fully_shard`` for MMEngine's ``FlexibleRunner``.

    Names and optimizer groups stay those of the whole network, gradients are clipped by their norm over all ranks, and
    checkpoints are those of a run that shards nothing: each kind of run goes on from the other's.

    Args:
        unit_pattern: regular expression of names of modules, each of which is a unit: its parameters are gathered when
            it runs and given back after it. What is in no unit is gathered for the whole step.
        param_dtype: name of the type in which units are gathered, e.g. ``'bfloat16'``; None: their own. It suits units
            that compute in it anyway, matrix products under autocast, and no norms. Gradients are summed in float32.
        **kwargs: of MMEngine's ``BaseStrategy``.

    Raises:
        ValueError: the network has no such module.
    """

    def __init__(self, *, unit_pattern, param_dtype=None, **kwargs):
        super().__init__(**kwargs)
        self.unit_pattern = unit_pattern
        self.precision = MixedPrecisionPolicy(
            param_dtype and getattr(torch, param_dtype), reduce_dtype=torch.float32, cast_forward_inputs=False)

    def _wrap_model(self, model):
        device = pick_device()
        model = model.to(device)
        mesh = init_device_mesh(device.type, (get_world_size(), ))
        units = [module for name, module in model.named_modules() if re.fullmatch(self.unit_pattern, name)]
        if not units:
            raise ValueError(f'unit_pattern {self.unit_pattern!r} is the name of no module of {type(model).__name__}')
        for unit in units:
            fully_shard(unit, mesh=mesh, mp_policy=self.precision)
        return fully_shard(model, mesh=mesh)

    def save_checkpoint(self, filename, *, save_optimizer=True, **kwargs):
        """Write the whole network and optimizer state, on the first rank; see MMEngine's strategies."""
        if is_main_process():
            super().save_checkpoint(filename, save_optimizer=save_optimizer, **kwargs)
        else:  # all ranks have to take part in gathering
            self.model_state_dict()
            if save_optimizer:
                self.optim_state_dict()

    def model_state_dict(self):
        """Names -> whole tensors, in memory of the host; on the other ranks they are empty."""
        return tree_map_only(torch.Tensor, _gather, self.model.state_dict())

    def optim_state_dict(self):
        """State of the optimizer as if nothing was sharded; see :meth:`model_state_dict`."""
        return tree_map_only(torch.Tensor, _gather, super().optim_state_dict())

    def load_model_state_dict(self, state_dict, **kwargs):
        """Take this rank's part of whole tensors; MMEngine warns of unknown names and other shapes."""
        ours = self.model.state_dict()
        parts = {name: _part_of(value, ours.get(name)) for name, value in state_dict.items()}
        super().load_model_state_dict(parts, **kwargs)

    def load_optim_state_dict(self, state_dict):
        """Take this rank's part of the state of an optimizer of the whole network."""
        params = [param for group in self.optim_wrapper.param_groups for param in group['params']]
        state = {index: {name: _part_of(value, params[index]) for name, value in values.items()}
                 for index, values in state_dict['state'].items()}
        super().load_optim_state_dict(dict(state_dict, state=state))


def _gather(tensor):
    """The whole of a tensor, on the host of the first rank; the other ranks need no memory for it."""
    whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return whole.cpu() if is_main_process() else whole.new_empty(0)


def _part_of(whole, ours):
    """This rank's part of a tensor, cut as ``ours`` is; the tensor itself where it or ours is not cut so."""
    if isinstance(whole, DTensor) or not isinstance(ours, DTensor) or whole.shape != ours.shape:
        return whole
    # Every rank has read the file, so nothing has to be sent.
    return distribute_tensor(whole.to(ours.device), ours.device_mesh, ours.placements, src_data_rank=None)
