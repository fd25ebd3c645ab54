"""The sum of the losses: pairs once, every layer supervised, counts averaged over ranks in one message."""
import torch
from mmengine.dist import all_reduce, get_world_size
from torch import nn

from mmhuman_dto.models.task_modules.matched import Matched
from mmhuman_dto.registry import MODELS, TASK_UTILS

LAYERED = ('pred_confs', 'pred_boxes', 'pred_poses', 'pred_betas', 'pred_j3ds', 'pred_j2ds', 'pred_depths')


def stack_layers(outputs):
    """Decoder outputs -> name -> (L, B, Q, ...), the last layer last; what is given once stays as it is."""
    layers = [*outputs.get('aux_outputs', ()), outputs]
    stacked = {name: value for name, value in outputs.items() if torch.is_tensor(value)}
    for name in LAYERED:
        if name in outputs:
            stacked[name] = torch.stack([layer[name] for layer in layers])
    return stacked


def split_queries(stacked, first):
    """Answers of the first queries and of the others; what is given once goes to the others."""
    head = {name: stacked[name][:, :, :first] for name in LAYERED if name in stacked}
    return head, dict(stacked, **{name: stacked[name][:, :, first:] for name in head})


@MODELS.register_module()
class SetCriterion(nn.Module):
    """Pair queries with people in each layer and sum the losses of the pairs.

    Args:
        assigner: config of the assigner.
        losses: name -> config of a loss (:class:`MatchedLoss`), logged as ``loss_{name}``; None: left out.
    """

    def __init__(self, assigner, losses):
        super().__init__()
        self.assigner = TASK_UTILS.build(assigner)
        self.losses = nn.ModuleDict({name: MODELS.build(loss) for name, loss in losses.items() if loss is not None})

    def forward(self, outputs, targets, noisy=None):
        """Losses of a batch.

        Args:
            outputs: the network's answer, with ``aux_outputs`` for all layers but the last.
            targets: :class:`Targets`.
            noisy: :class:`NoisyQueries` whose answers stand before those of the learned queries, or None.

        Returns:
            ``loss_{name}`` of the last layer and ``loss_{name}.{i}`` of the others, ``loss_dn_{name}`` likewise of the
            noisy queries; weighted scalars with gradients.
        """
        stacked = stack_layers(outputs)
        cleaned, stacked = split_queries(stacked, 0 if noisy is None else noisy.boxes.shape[1])
        query, person = self.assigner(stacked, targets)
        people = Matched(stacked, targets, query, person, targets.detect_all)
        parts = [(name, loss, people) for name, loss in self.losses.items()]
        if noisy is not None:
            pairs = (rows.expand(len(query), -1) for rows in (noisy.query, noisy.person))
            everyone = [True] * len(targets.counts)
            copies = Matched(cleaned, targets, *pairs, everyone, noisy.group, noisy.num_groups)
            parts += [(f'dn_{name}', loss, copies) for name, loss in self.losses.items() if not loss.once]
        return self._weighted(parts)

    def _weighted(self, parts):
        totals, counts = zip(*(loss(matched) for _, loss, matched in parts))
        logged = {}
        for (name, loss, _), total, count in zip(parts, totals, self._shared_counts(totals, counts)):
            values = loss.weight * total / count
            *early, last = values if values.dim() else (values, )
            logged[f'loss_{name}'] = last
            logged.update({f'loss_{name}.{i}': value for i, value in enumerate(early)})
        return logged

    @staticmethod
    def _shared_counts(totals, counts):
        """Each loss's count averaged over the ranks and never below one in all, shaped like its total."""
        # Counts known to the host are filled in on the device: copying them there would wait for it.
        flat = torch.cat([
            count.float().expand(total.shape).reshape(-1) if torch.is_tensor(count) else
            torch.full((total.numel(), ), float(count), device=total.device) for total, count in zip(totals, counts)
        ])
        all_reduce(flat, 'mean')
        flat = flat.clamp(min=1 / get_world_size())
        return [part.reshape(total.shape) for part, total in zip(flat.split([t.numel() for t in totals]), totals)]
