"""How sure a solver is of where it put people."""
from dataclasses import dataclass

import torch

#: Who is nearer is said to be known from this probability on.
SURE = .9


@dataclass
class Posterior:
    """Normal approximation of S scenes of P people; entries of people who are not there mean nothing."""
    depth: torch.Tensor  # (S, P) z, m, camera frame, of the pelvis
    height: torch.Tensor  # (S, P) rest-pose height, m
    #: (S, P, P) of the logarithms of depth; of the true one, whatever the focal length is
    log_depth_covariance: torch.Tensor
    log_height_std: torch.Tensor  # (S, P) of the logarithm of height
    log_focal_std: torch.Tensor  # (S) of the logarithm of the focal length
    scene: dict  # {name: (S)} scene variables of the terms, such as 'depth_offset'

    @property
    def depths_std(self):
        """(S, P), m."""
        return self.depth * self.log_depth_covariance.diagonal(dim1=-2, dim2=-1).sqrt()

    @property
    def heights_std(self):
        """(S, P), m."""
        return self.height * self.log_height_std

    @property
    def differences_std(self):
        """(S, P, P) std of depth i - depth j, m."""
        z = self.depth
        covariance = z[:, :, None] * self.log_depth_covariance * z[:, None]
        variance = covariance.diagonal(dim1=-2, dim2=-1)
        return (variance[:, :, None] + variance[:, None] - 2 * covariance).clamp(min=0).sqrt()

    @property
    def order_probabilities(self):
        """(S, P, P) probability that person i is nearer than person j."""
        difference = self.depth[:, None, :] - self.depth[:, :, None]
        return torch.special.ndtr(difference / self.differences_std.clamp(min=1e-9))

    def unsure_pairs(self, mask):
        """(K, 3): scene and places i < j of pairs in ``mask`` (S, P) of whom it is not known who is nearer."""
        nearer = self.order_probabilities
        unsure = (torch.maximum(nearer, 1 - nearer) < SURE) & mask[:, :, None] & mask[:, None]
        return unsure.triu(1).nonzero()
