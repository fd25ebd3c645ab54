"""What the network should answer for a batch: people of all images in flat tensors, counts kept on the host."""
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Targets:
    """Targets of a batch of B images with T people altogether, image after image.

    Attributes:
        counts: people of each image (host integers, so that no loss has to ask the device).
        boxes: (T, 4) cx, cy, w, h in units of ``input_size``.
        poses: (T, 72) axis-angle, rad. betas: (T, 10 or 11).
        j3ds: (T, J, 3) m, camera. j2ds: (T, J, 2) px of the resized image. j2ds_mask: (T, J, 2) visible.
        depths: (T, 2) pelvis z in m, and that / focal.
        focals: (B) px, nan where unknown.
        depth_ids: (T) order of the person's depth layer, -1 unknown; None where no set gives layers.
        valid_3d: per image, whether poses, betas, j3ds and depths are targets.
        detect_all: per image, whether everyone in it is annotated.
        scale_map: (C, 2) confidence and scale of all images' cells in Z order; map_cells: cells of each image.
        input_size: px, long side of the resized image.
    """
    counts: list[int]
    boxes: Tensor
    poses: Tensor
    betas: Tensor
    j3ds: Tensor
    j2ds: Tensor
    j2ds_mask: Tensor
    depths: Tensor
    focals: Tensor
    valid_3d: list[bool]
    detect_all: list[bool]
    input_size: float
    depth_ids: Tensor | None = None
    scale_map: Tensor | None = None
    map_cells: list[int] = field(default_factory=list)

    @property
    def num_people(self):
        """T, people of the batch."""
        return sum(self.counts)

    @property
    def num_people_3d(self):
        """People whose 3D is a target."""
        return sum(n for n, valid in zip(self.counts, self.valid_3d) if valid)

    def image_index(self):
        """Image of each person, (T) on the host."""
        return torch.repeat_interleave(torch.arange(len(self.counts)), torch.tensor(self.counts, dtype=torch.long))

    def place_in_image(self):
        """Place of each person among those of its image, from 0, (T) on the host."""
        return torch.cat([torch.arange(0), *(torch.arange(count) for count in self.counts)])
