"""Bodies of people whom an encoder has found, by a lifting network that stays as it is."""
import torch
from mmengine.model import BaseModule

from mmhuman_dto.geometry.rotation import matrix_to_rotation_6d
from mmhuman_dto.registry import MODELS

from .found_people import Bodies
from .mlp import MLP

#: Largest size in units of half a picture, and least depth, of who is too near to be true.
_LARGEST = 20.


class LiftedStart(BaseModule):
    """Lift the joints that were found, and add what comes out to what is known of each person.

    Args:
        lifter: config of a :class:`~mmhuman_dto.models.lifters.KeypointLifter`; it is not trained.
        dims: of the contents.
    """

    def __init__(self, lifter, dims):
        super().__init__()
        self.lifter = MODELS.build(lifter).requires_grad_(False)
        self.embed = MLP(6 * self.lifter.num_bones + self.lifter.num_betas + 7, dims, dims, 2)

    def train(self, mode=True):
        """The lifter never is in training mode: it would leave out joints."""
        super().train(mode)
        self.lifter.eval()
        return self

    def forward(self, people, intrinsics, input_size):
        """:class:`Bodies` of :class:`FoundPeople`, whose contents are added to.

        ``intrinsics`` (B, 3, 3) are the cameras', px; ``input_size`` is the unit of lengths, px.
        """
        slots = people.known.shape[1]
        with torch.no_grad():
            lifted = self.lifter.lift(people.joints.flatten(0, 1) * input_size, people.scores.flatten(0, 1),
                                      intrinsics.detach().repeat_interleave(slots, 0))
            transl = self.lifter.tables[0].transl(lifted.state)
            focal = intrinsics[:, 0, 0].detach().repeat_interleave(slots)[:, None]
            size = (2 * focal / (transl[:, 2:].clamp(min=.05) * input_size)).clamp(max=_LARGEST)
            pose = matrix_to_rotation_6d(lifted.state.rotations)
            spreads = torch.stack([lifted.log_depth_std, lifted.log_height_std, lifted.log_size_std], 1).log()
        told = torch.cat([pose.flatten(1), lifted.state.betas, size.log(), transl[:, :2] / transl[:, 2:].clamp(min=.05),
                          spreads + 2, lifted.joint_stds.log().mean(1, keepdim=True) + 2], 1)
        people.contents = people.contents + self.embed(told).unflatten(0, (-1, slots))
        return Bodies(*(value.unflatten(0, (-1, slots)) for value in (
            pose, lifted.state.betas, transl[:, :2] * size, size)))
