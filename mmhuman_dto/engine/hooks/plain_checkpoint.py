"""Checkpoints that can be read back without unpickling classes."""
import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer

from mmhuman_dto.registry import HOOKS


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Write the log's state, the only foreign objects in MMEngine's checkpoints, as tensors and plain numbers.

    ``torch.load(weights_only=True)``, the default, refuses the objects: without this hook no run can be resumed.
    """

    def before_save_checkpoint(self, runner, checkpoint):
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {name: [torch.as_tensor(values) for values in buffer.data]
                              for name, buffer in hub['log_scalars'].items()}
        hub['runtime_info'] = {name: value.item() if isinstance(value, np.generic) else value
                               for name, value in hub['runtime_info'].items()}

    def after_load_checkpoint(self, runner, checkpoint):
        hub = checkpoint.get('message_hub')
        if hub is not None:
            hub['log_scalars'] = {name: HistoryBuffer(*(values.cpu().numpy() for values in pair))
                                  for name, pair in hub['log_scalars'].items()}
