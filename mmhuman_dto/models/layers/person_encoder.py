"""What is known of a person whom an encoder has found, as one vector."""
import torch
from torch import nn

from mmhuman_dto.geometry.precision import at_least_single

from .mlp import MLP

#: Features, of variance 1, count up to this.
LARGEST = 5.


class PersonEncoder(nn.Module):
    """Joints and the features at them -> (N, ``dims``).

    Joints count by where they lie in the person's box, the box by where it lies in the picture and its size: this
    carries over to pictures of another kind, while what people look like does so less.

    Args:
        feature_dims: channels of the features at a joint.
        dims: of the result. joint_dims: of what is taken of each joint's features. num_joints: joints.
        blind: probability of a person in training to be seen by the joints alone.
    """

    def __init__(self, feature_dims, dims, joint_dims=48, num_joints=17, blind=.2):
        super().__init__()
        self.blind = blind
        self.of_joint = nn.Linear(feature_dims, joint_dims)
        self.join = MLP(num_joints * (joint_dims + 4) + 5, 2 * dims, dims, 3)
        self.norm = nn.LayerNorm(dims)

    def forward(self, joints, scores, seen, features, boxes, middle):
        """Encode; all lengths in the same unit.

        Args:
            joints: (N, J, 2); scores: (N, J); seen: (N, J) bool. features: (N, J, F) at the joints.
            boxes: (N, 4) cx, cy, w, h. middle: (N, 2) of the picture.
        """
        side = boxes[:, 2:].amax(1, keepdim=True)
        placed = (joints - boxes[:, None, :2]) / side[..., None]
        looks = at_least_single(self.of_joint(features.clamp(-LARGEST, LARGEST)))
        if self.training:
            looks = looks * (torch.rand_like(looks[:, :1, :1]) >= self.blind)
        known = seen[..., None].to(placed.dtype)
        of_joints = torch.cat([looks, placed.clamp(-2, 2) * known, known, scores[..., None] * known], -1)
        of_box = torch.cat([boxes[:, :2] - middle, side.log() + 1, boxes[:, 2:] / side], -1)
        return self.norm(self.join(torch.cat([of_joints.flatten(1), of_box], -1)))
