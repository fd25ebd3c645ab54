"""What the network should answer for a batch: people of all images in flat tensors, counts kept on the host."""
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Targets:
    """Targets of a batch of B images with T people altogether, image after image.

    Not everybody has every target: ``known`` says who has which, the rest is 0.

    Attributes:
        counts: people of each image (host integers, so that no loss has to ask the device).
        boxes: (T, 4) cx, cy, w, h in units of ``input_size``.
        poses: (T, 3 (1 + P)) axis-angle of root and P body joints, rad. betas: (T, B).
        j3ds: (T, J, 3) m, camera. j2ds: (T, J, 2) px of the resized image.
        j3ds_mask, j2ds_mask: of their shapes, which entries are annotated and seen.
        depths: (T, 2) pelvis z in m, and that / focal.
        focals: (B) px, nan where unknown.
        fully_annotated: per image, whether everyone in it is annotated.
        input_size: px, long side of the resized images.
        known: name of a target or label -> (T) bool, who has it; everybody has what is not named.
        labels: name -> (T, ...), other fields of people that a loss or a cost asks for.
        scale_map: (C, 2) confidence and scale of all images' cells in Z order; map_cells: cells of each image;
            map_known: per image, whether everybody in it is on the map.
    """
    counts: list[int]
    boxes: Tensor
    poses: Tensor
    betas: Tensor
    j3ds: Tensor
    j2ds: Tensor
    j3ds_mask: Tensor
    j2ds_mask: Tensor
    depths: Tensor
    focals: Tensor
    fully_annotated: list[bool]
    input_size: float
    known: dict[str, Tensor] = field(default_factory=dict)
    labels: dict[str, Tensor] = field(default_factory=dict)
    scale_map: Tensor | None = None
    map_cells: list[int] = field(default_factory=list)
    map_known: list[bool] = field(default_factory=list)

    @property
    def num_people(self):
        """T, people of the batch."""
        return sum(self.counts)

    def of(self, name):
        """(T, ...) the target or label of that name."""
        return self.labels[name] if name in self.labels else getattr(self, name)

    def whose(self, name):
        """(T) bool, who has the target or label of that name."""
        if name in self.known:
            return self.known[name]
        return torch.ones(self.num_people, dtype=torch.bool, device=self.boxes.device)

    def image_index(self):
        """Image of each person, (T) on the host."""
        return torch.repeat_interleave(torch.arange(len(self.counts)), torch.tensor(self.counts, dtype=torch.long))

    def place_in_image(self):
        """Place of each person among those of its image, from 0, (T) on the host."""
        return torch.cat([torch.arange(0), *(torch.arange(count) for count in self.counts)])
