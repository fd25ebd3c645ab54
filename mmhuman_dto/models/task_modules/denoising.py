"""Denoising queries: noisy copies of the true people that the decoder learns to clean (DN-DETR, DINO)."""
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmhuman_dto.geometry.boxes import corners, from_corners
from mmhuman_dto.registry import TASK_UTILS

from ..layers.position import inverse_sigmoid


@dataclass
class NoisyQueries:
    """E queries an image that stand before the learned ones."""
    content: Tensor  # (B, E, D)
    boxes: Tensor  # (B, E, 4) cx, cy, w, h in (0, 1)
    mask: Tensor  # (E + Q, E + Q), true where a query (row) may look at another (column)
    #: query, person: (M) host indices, into the flattened (B, E) and into the T people, of the copies to be cleaned
    query: Tensor
    person: Tensor
    group: Tensor  # (M) host, the group of each of them
    num_groups: int


@TASK_UTILS.register_module()
class Denoising(nn.Module):
    """Make noisy copies of the people of a batch, in groups that do not see each other.

    A group holds a positive and a negative copy of each person, padded to the largest crowd of the batch (at least 1).
    A positive's box corners are off by less than ``box_noise`` of half a side and it learns to become the person again;
    a negative's are off by more and it learns to be nobody (as in Metric-Aware HMR's first stage, arXiv 2511.13282).
    Padding has no content; its group sees it, and it too learns to be nobody. Its box, and that copied of people whose
    own is unknown, is .5.

    Args:
        dims: of the decoder.
        num_betas: shape coefficients of the body model.
        num_joints: rotations of the body model, the root's included.
        num_groups: groups.
        box_noise: of half a side.
        content_noise: of pose and shape parameters; None: the copies know the box alone, the rest has to be seen.
    """

    def __init__(self, dims, num_betas, num_joints=24, num_groups=10, box_noise=.4, content_noise=.2):
        super().__init__()
        self.embed = nn.Linear(3 * num_joints + num_betas, dims)
        self.num_groups, self.box_noise, self.content_noise = num_groups, box_noise, content_noise

    def forward(self, targets, num_queries):
        """Noisy copies of ``targets`` (:class:`Targets`) to stand before ``num_queries``."""
        true = torch.where(targets.whose('boxes')[:, None], targets.boxes, .5)
        half = torch.cat([true[:, 2:]] * 2, -1) / 2
        noisy = corners(true) + self.noise(true) * half * self.box_noise
        # Through a logit, as the learned boxes are: none is empty.
        boxes = inverse_sigmoid(from_corners(noisy.clamp(0, 1))).sigmoid()
        body = torch.cat([targets.poses, targets.betas], -1)
        if self.content_noise is None:
            body = body.new_zeros(*boxes.shape[:-1], body.shape[-1])
        else:
            body = body + self.noise(body) * self.content_noise
        # Where nobody is, there is still padding: every rank of a distributed run must use all parameters.
        most = max(1, *targets.counts)
        place = self._places(targets, most)
        device_place, size = place.flatten().to(boxes.device, non_blocking=True), self.num_groups * 2 * most

        def padded(values, filler):
            everywhere = values.new_full((len(targets.counts) * size, values.shape[-1]), filler)
            return everywhere.index_copy(0, device_place, values.flatten(0, 2)).unflatten(0, (-1, size))

        positive = place[:, 0]
        return NoisyQueries(
            content=padded(self.embed(body), 0.), boxes=padded(boxes, .5),
            mask=self._mask(size, num_queries, 2 * most).to(boxes.device, non_blocking=True), query=positive.flatten(),
            person=torch.arange(targets.num_people).repeat(self.num_groups),
            group=torch.arange(self.num_groups).repeat_interleave(targets.num_people), num_groups=self.num_groups)

    def noise(self, values):
        """For T people's values (T, C): (G, 2, T, C) sizes in [0, 1) for positives, [1, 2) for negatives, any sign."""
        size = values.new_empty(self.num_groups, 2, *values.shape).uniform_()
        size[:, 1] += 1
        return torch.where(torch.rand_like(size) < .5, -size, size)

    def _places(self, targets, most):
        """Indices (G, 2, T), host, of the copies in the flattened (B, G, 2, ``most``)."""
        group, negative = torch.arange(self.num_groups)[:, None, None], torch.arange(2)[:, None]
        row = (targets.image_index() * self.num_groups + group) * 2 + negative
        return row * most + targets.place_in_image()

    @staticmethod
    def _mask(size, num_queries, group_size):
        group = torch.cat([torch.arange(size) // group_size, torch.full((num_queries, ), -1)])
        # The noisy copies may look at the learned queries; never the other way, which would give the answer away.
        return (group[:, None] == group[None]) | (group[None] == -1)
