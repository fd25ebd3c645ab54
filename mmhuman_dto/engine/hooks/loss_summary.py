"""A log line of losses that can be read, and the end of a training whose losses or weights are not finite."""
import math

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from torch.nn.utils import get_total_norm

from mmhuman_dto.registry import HOOKS

from ..divergence import stop_all_ranks


@HOOKS.register_module()
class LossSummaryHook(Hook):
    """What is logged: each loss of the last decoder layer, and sums of the others, averaged over all ranks.

    ``loss_aux`` is the sum over the earlier layers, ``loss_dn`` that of the denoising queries. All values come to the
    host in one transfer, and with them whether the weights are finite.

    Raises:
        DivergedError: a loss, the norm of the gradients or a weight is nan or infinite after a step, on all ranks and
            before a checkpoint is written. Gradients that a loss scaler (float16) finds too large it skips itself: they
            are no reason.
    """

    # Before the hook that puts a step's losses into the log, and the one that writes checkpoints.
    priority = 'HIGHEST'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        summary = {}
        for name, value in outputs.items():
            group = 'loss_dn' if name.startswith('loss_dn_') else 'loss_aux' if '.' in name else name
            summary[group] = summary.get(group, 0.) + value
        values = [value.detach().float() for value in summary.values()]
        values = torch.stack([*values, _largest_weight(runner.model).to(values[0])])
        all_reduce(values, 'mean')
        *losses, largest = values.tolist()
        norm = _gradient_norm(runner)
        if not all(map(math.isfinite, (*losses, largest, norm))):
            found = {name.split('.')[0]: value.item() for name, value in outputs.items() if not math.isfinite(value)}
            if not found and all(map(math.isfinite, losses)):
                found = {'the norm of the gradients': norm, 'the weights': largest}
            values = {name: str(value) for name, value in found.items() if not math.isfinite(value)}
            stop_all_ranks(runner.iter + 1, [f'{kind} in {", ".join(name for name in values if values[name] == kind)}'
                                             for kind in sorted(set(values.values()))],
                           [sample.get('img_id', '?') for sample in data_batch['data_samples']])
        outputs.clear()
        outputs.update(zip(summary, losses))


def _largest_weight(model):
    """The largest absolute value of the parameters; of sharded ones, of this rank's part."""
    parts = [param.to_local() if hasattr(param, 'to_local') else param for param in model.parameters()]
    return get_total_norm([part.detach() for part in parts if part.numel()], math.inf)


def _gradient_norm(runner):
    """The step's norm of all gradients where they are clipped, without a loss scaler; else 0."""
    optim, hub = runner.optim_wrapper, runner.message_hub
    name = f'train/{getattr(optim, "grad_name", "")}'
    if hasattr(optim, 'loss_scaler') or name not in hub.log_scalars:
        return 0.
    return hub.get_scalar(name).current()
