"""A log line of losses that can be read."""
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook

from mmhuman_dto.registry import HOOKS


@HOOKS.register_module()
class LossSummaryHook(Hook):
    """What is logged: each loss of the last decoder layer, and sums of the others, averaged over all ranks.

    ``loss_aux`` is the sum over the earlier layers, ``loss_dn`` that of the denoising queries. All values come to the
    host in one transfer.
    """

    # Before the hook that puts a step's losses into the log.
    priority = 'HIGHEST'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        summary = {}
        for name, value in outputs.items():
            group = 'loss_dn' if name.startswith('loss_dn_') else 'loss_aux' if '.' in name else name
            summary[group] = summary.get(group, 0.) + value
        values = torch.stack([value.detach().float() for value in summary.values()])
        all_reduce(values, 'mean')
        outputs.clear()
        outputs.update(zip(summary, values.tolist()))
