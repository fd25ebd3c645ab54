"""Optimal one-to-one pairing of queries with people, all layers and images in one device round trip."""
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn

from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import TASK_UTILS

#: A cost below all others.
_FIRST = -1e30


@TASK_UTILS.register_module()
class HungarianAssigner(nn.Module):
    """Pair each person with one query of its image, at the least total cost.

    Where an image has more people than queries the costliest people stay without a query.

    Args:
        costs: name -> config of a cost (:class:`MatchCost`), which are summed; None: left out.
    """

    def __init__(self, costs):
        super().__init__()
        self.costs = nn.ModuleDict({name: TASK_UTILS.build(cost) for name, cost in costs.items() if cost is not None})

    @torch.no_grad()
    def forward(self, pred, targets):
        """Assign.

        Args:
            pred: name -> (L, B, Q, ...) predictions of all layers, at least those that the costs name.
            targets: :class:`Targets` with T people.

        Returns:
            (query, person): two (L, M) host tensors, M = sum over images of min(Q, people); ``query`` counts over the
            flattened (B, Q), ``person`` over T. Within a layer, sorted by image, then by query.
        """
        wanted = {name: pred[name] for cost in self.costs.values() for name in cost.predictions}
        layers, _, queries = next(iter(wanted.values())).shape[:3]
        if targets.num_people == 0:
            return torch.zeros(2, layers, 0, dtype=torch.long).unbind()
        image = targets.image_index().to(targets.boxes.device, non_blocking=True)
        of_person = {name: at_least_single(value[:, image]) for name, value in wanted.items()}
        cost = sum(cost(of_person, targets) for cost in self.costs.values())
        # The step's one wait for the device. What is not finite is paired first, so that the losses say so, see
        # LossSummaryHook: as the worst pair a diverged prediction would never be noticed.
        cost = cost.nan_to_num(_FIRST, _FIRST, _FIRST).cpu().numpy()
        return torch.stack([self._solve(layer, targets.counts, queries) for layer in cost], 1).unbind()

    @staticmethod
    def _solve(cost, counts, queries):
        pairs, start = [], 0
        for image, count in enumerate(counts):
            query, person = linear_sum_assignment(cost[start:start + count].T)
            pairs.append(np.stack([query + image * queries, person + start]))
            start += count
        return torch.from_numpy(np.concatenate(pairs, 1))


@TASK_UTILS.register_module()
class InOrder(nn.Module):
    """Query i is person i of the batch: for networks that are told who is where."""

    costs = nn.ModuleDict()

    def forward(self, pred, targets):
        """(query, person): two (L, T) host tensors, as :class:`HungarianAssigner` gives them."""
        layers = len(next(iter(pred.values())))
        everybody = torch.arange(targets.num_people).expand(layers, -1)
        return everybody, everybody
