"""Checkpoints that can be read back without unpickling classes."""
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader

from mmhuman_dto.fileio import load_tensors
from mmhuman_dto.registry import HOOKS

from ..checkpoint import CheckpointError, weights_to_go_on_with, weights_to_start_from
from ..divergence import nonfinite_part


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_local(filename, map_location=None):
    """What MMEngine reads for ``load_from``, ``--resume`` and ``init_cfg``: files, by our guarded reader.

    Raises:
        CheckpointError: it holds weights or an optimizer's state that are not finite.
    """
    content = load_tensors(Path(filename).expanduser())
    if bad := nonfinite_part(content):
        raise CheckpointError(f'{filename}: {bad}; take an earlier one')
    return content


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Write the log's state, the only foreign objects in MMEngine's checkpoints, as tensors and plain numbers.

    ``torch.load(weights_only=True)``, the default, refuses the objects: without this hook no run can be resumed. Of
    what is read, ``--resume`` takes the checkpoints of runs of the same network alone, ``load_from`` any weights of
    which some fit; MMEngine alone would start from random ones where none does.

    Raises:
        CheckpointError: no such checkpoint.
    """

    def before_save_checkpoint(self, runner, checkpoint):
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {name: [torch.as_tensor(values) for values in buffer.data]
                              for name, buffer in hub['log_scalars'].items()}
        hub['runtime_info'] = {name: value.item() if isinstance(value, np.generic) else value
                               for name, value in hub['runtime_info'].items()}

    def after_load_checkpoint(self, runner, checkpoint):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        ours = model.state_dict()
        take = weights_to_go_on_with if runner._resume else weights_to_start_from
        # What does not fit was named, at a length that can be read; MMEngine would list it all.
        checkpoint['state_dict'] = {**ours, **take(ours, checkpoint, runner._load_from)}
        hub = checkpoint.get('message_hub')
        if hub is not None:
            hub['log_scalars'] = {name: HistoryBuffer(*(values.cpu().numpy() for values in pair))
                                  for name, pair in hub['log_scalars'].items()}
