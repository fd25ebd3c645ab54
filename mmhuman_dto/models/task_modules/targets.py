"""What the network should answer for a batch: people of all images in flat tensors, counts kept on the host."""
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Targets:
    """Targets of a batch of B images with T people altogether, image after image.

    Not everybody has every target: ``known`` says who has which, the rest is 0.
    """
    counts: list[int]  # people of each image (host integers, so that no loss has to ask the device)
    boxes: Tensor  # (T, 4) cx, cy, w, h in units of ``input_size``
    poses: Tensor  # (T, 3 (1 + P)) axis-angle of root and P body joints, rad
    betas: Tensor  # (T, B)
    j3ds: Tensor  # (T, J, 3) m, camera
    j2ds: Tensor  # (T, J, 2) px of the resized image
    #: j3ds_mask, j2ds_mask: of their shapes, which entries are annotated and seen
    j3ds_mask: Tensor
    j2ds_mask: Tensor
    depths: Tensor  # (T, 2) pelvis z in m, and that / focal
    focals: Tensor  # (B) px, nan where unknown
    fully_annotated: list[bool]  # per image, whether everyone in it is annotated
    input_size: float  # px, long side of the resized images
    #: name of a target or label -> (T) bool, who has it; everybody has what is not named
    known: dict[str, Tensor] = field(default_factory=dict)
    #: name -> (T, ...), other fields of people that a loss or a cost asks for
    labels: dict[str, Tensor] = field(default_factory=dict)
    scale_map: Tensor | None = None  # (C, 2) confidence and scale of all images' cells in Z order
    map_cells: list[int] = field(default_factory=list)  # cells of each image
    map_known: list[bool] = field(default_factory=list)  # per image, whether everybody in it is on the map

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
