"""Predictions of all decoder layers beside the targets they were paired with."""
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mmhuman_dto.geometry.precision import at_least_single

from .targets import Targets


@dataclass
class Matched:
    """M pairs of query and person in each of L layers; the same pairs an image in every layer."""
    #: name -> (L, B, Q, ...) of the decoder's layers, and what is given once (``scale_map``, ...)
    outputs: dict[str, Tensor]
    targets: Targets  # the batch's targets
    query: Tensor  # (L, M) on the host, index into the flattened (B, Q)
    person: Tensor  # (L, M) on the host, index into the T people
    fully_annotated: list[bool]  # per image, whether its unpaired queries are known to be nobody
    #: (M) on the host, groups of people that stand for themselves (denoising); None: one group
    group: Tensor | None = None
    num_groups: int = 1  # copies of each person that are supervised

    @cached_property
    def device(self):
        return self.targets.boxes.device

    @cached_property
    def device_query(self):
        return self.query.to(self.device, non_blocking=True)

    @cached_property
    def device_person(self):
        return self.person.to(self.device, non_blocking=True)

    @cached_property
    def image(self):
        """(M) image of each pair, on the host."""
        return self.targets.image_index()[self.person[0]]

    @cached_property
    def scene(self):
        """(M) on the host: pairs of equal value show people beside each other."""
        return self.image if self.group is None else self.image * self.num_groups + self.group

    @property
    def num_people(self):
        """Supervised people."""
        return self.targets.num_people * self.num_groups

    def pred(self, name):
        """(L, M, ...) predictions, single or double, of the paired queries."""
        if name not in self.outputs:
            raise KeyError(f'the network gives no {name}, it gives {", ".join(sorted(self.outputs))}')
        value = self.outputs[name].flatten(1, 2)
        layer = torch.arange(len(value), device=self.device)[:, None]
        return at_least_single(value[layer, self.device_query])

    def target(self, name):
        """(L, M, ...) targets, or labels, of the paired people; 0 of those who have none."""
        return self.targets.of(name)[self.device_person]

    def known(self, name):
        """(L, M) bool: whether the paired person has that target or label."""
        return self.targets.whose(name)[self.device_person]

    def count(self, name):
        """Supervised people who have that target or label, on the device."""
        return self.targets.whose(name).sum() * self.num_groups
