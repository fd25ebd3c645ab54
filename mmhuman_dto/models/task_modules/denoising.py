"""Denoising queries: noisy copies of the true people that the decoder learns to clean (DN-DETR, DINO)."""
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmhuman_dto.geometry.boxes import corners, from_corners
from mmhuman_dto.registry import TASK_UTILS


@dataclass
class NoisyQueries:
    """E queries an image that stand before the learned ones.

    Attributes:
        content: (B, E, D). boxes: (B, E, 4) cx, cy, w, h in (0, 1).
        mask: (E + Q, E + Q), true where a query (row) may look at another (column).
        query, person: (M) host indices, into the flattened (B, E) and into the T people, of the copies to be cleaned.
        group: (M) host, the group of each of them.
        num_groups: groups.
    """
    content: Tensor
    boxes: Tensor
    mask: Tensor
    query: Tensor
    person: Tensor
    group: Tensor
    num_groups: int


@TASK_UTILS.register_module()
class Denoising(nn.Module):
    """Make noisy copies of the people of a batch, in groups that do not see each other.

    A group holds a positive and a negative copy of each person, padded to the largest crowd of the batch (at least 1).
    A positive's box corners are off by less than ``box_noise`` of half a side and it learns to become the person again;
    a negative's are off by more and it learns to be nobody (as in Metric-Aware HMR's first stage, arXiv 2511.13282).

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
        # Where nobody is, there are still copies of a place: every rank of a distributed run must use all parameters.
        most = max(1, *targets.counts)
        boxes, body = self._padded(targets, most)
        negative = torch.arange(2 * most, device=boxes.device)[:, None] >= most
        copies = boxes.shape[0], self.num_groups, 2 * most
        boxes = self._noisy_boxes(boxes.repeat(1, 2, 1)[:, None].expand(*copies, 4), negative)
        body = body.repeat(1, 2, 1)[:, None].expand(*copies, body.shape[-1])
        if self.content_noise is None:
            body = torch.zeros_like(body)
        else:
            body = body + self._noise(body, negative) * self.content_noise
        size = self.num_groups * 2 * most
        return NoisyQueries(
            content=self.embed(body).flatten(1, 2), boxes=boxes.flatten(1, 2),
            mask=self._mask(size, num_queries, 2 * most).to(boxes.device, non_blocking=True),
            **self._positives(targets, most), num_groups=self.num_groups)

    def _padded(self, targets, most):
        """Boxes (B, P, 4) and pose and shape (B, P, 3 J + betas); places without a person hold a plain box."""
        place = (targets.image_index() * most + targets.place_in_image()).to(targets.boxes.device, non_blocking=True)
        boxes = targets.boxes.new_full((len(targets.counts) * most, 4), .5)
        body = targets.boxes.new_zeros(len(targets.counts) * most, self.embed.in_features)
        boxes[place] = targets.boxes
        body[place] = torch.cat([targets.poses, targets.betas], -1)
        return boxes.unflatten(0, (-1, most)), body.unflatten(0, (-1, most))

    @staticmethod
    def _noise(like, negative):
        """Random signs times sizes in [0, 1), for negatives in [1, 2)."""
        size = torch.rand_like(like) + negative
        return torch.where(torch.rand_like(like) < .5, -size, size)

    def _noisy_boxes(self, boxes, negative):
        half = torch.cat([boxes[..., 2:]] * 2, -1) / 2
        noisy = corners(boxes) + self._noise(boxes, negative) * half * self.box_noise
        return from_corners(noisy.clamp(0, 1)).clamp(1e-4, 1 - 1e-4)

    @staticmethod
    def _mask(size, num_queries, group_size):
        group = torch.cat([torch.arange(size) // group_size, torch.full((num_queries, ), -1)])
        # The noisy copies may look at the learned queries; never the other way, which would give the answer away.
        return (group[:, None] == group[None]) | (group[None] == -1)

    def _positives(self, targets, most):
        image = targets.image_index()
        groups = torch.arange(self.num_groups)[:, None]
        person = torch.arange(len(image)).expand(self.num_groups, -1)
        query = (image * self.num_groups + groups) * 2 * most + targets.place_in_image()
        return dict(query=query.flatten(), person=person.flatten(), group=groups.expand_as(person).flatten())
