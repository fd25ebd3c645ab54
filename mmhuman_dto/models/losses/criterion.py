"""The sum of the losses: pairs once, every layer supervised, counts averaged over ranks in one message."""
from dataclasses import fields

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import nn

from mmhuman_dto.models.task_modules import Targets
from mmhuman_dto.models.task_modules.matched import Matched
from mmhuman_dto.registry import MODELS, TASK_UTILS
from mmhuman_dto.structures import FIELDS

#: What a loss or a cost may ask of :class:`Targets`; any other target is a field of people.
OWN_TARGETS = frozenset(field.name for field in fields(Targets))


def split_queries(layers, first):
    """Predictions (L, B, Q, ...) of all layers, by name: those of the first queries and those of the others."""
    return tuple({name: value[:, :, part] for name, value in layers.items()}
                 for part in (slice(first), slice(first, None)))


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

    @property
    def labels(self):
        """Fields of people that costs and losses need besides the targets that every network of this kind has."""
        return sorted({name for part in self._parts() for name in part.targets} - OWN_TARGETS)

    def check(self, predictions):
        """Raise ValueError where a cost or a loss needs what is not among ``predictions``, or no field of people."""
        for part in self._parts():
            for name in part.predictions:
                if name not in predictions:
                    raise ValueError(f'{type(part).__name__} needs {name}; this network gives '
                                     f'{", ".join(sorted(predictions))}: a head names what it gives in `outputs`')
            for name in part.targets:
                if name not in OWN_TARGETS and name not in FIELDS:
                    raise ValueError(f'{type(part).__name__} needs {name}, which is neither a target nor a field of '
                                     'people: register it, see mmhuman_dto.structures.register_field')

    def _parts(self):
        return *self.assigner.costs.values(), *self.losses.values()

    def forward(self, outputs, targets, noisy=None):
        """Losses of a batch.

        Args:
            outputs: the network's answer, with ``layers``: name -> (L, B, Q, ...) of all layers, the last one last.
            targets: :class:`Targets`.
            noisy: :class:`NoisyQueries` whose answers stand before those of the learned queries, or None.

        Returns:
            ``loss_{name}`` of the last layer and ``loss_{name}.{i}`` of the others, ``loss_dn_{name}`` likewise of the
            noisy queries; weighted scalars with gradients.
        """
        cleaned, learned = split_queries(outputs['layers'], 0 if noisy is None else noisy.boxes.shape[1])
        query, person = self.assigner(learned, targets)
        people = Matched({**outputs, **learned}, targets, query, person, targets.fully_annotated)
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
            count.to(total).expand(total.shape).reshape(-1) if torch.is_tensor(count) else
            total.new_full((total.numel(), ), float(count)) for total, count in zip(totals, counts)
        ])
        all_reduce(flat, 'mean')
        flat = flat.clamp(min=1 / get_world_size())
        return [part.reshape(total.shape) for part, total in zip(flat.split([t.numel() for t in totals]), totals)]
