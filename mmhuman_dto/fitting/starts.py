"""Where a fit starts: known poses that look like the joints in the picture, or what a network lifts from them."""
import math

import torch

from mmhuman_dto.geometry import axis_angle_to_matrix

from .kinematics import FitState

#: Poses are seen from this far, m, at heights that make the camera's pitch normal with mean and std, rad.
DISTANCE, PITCH = 4., (.14, .2)
#: What a roll of this many rad costs is as bad as a misfit of ``ROLL_COST`` (part of the joints' spread).
ROLL, ROLL_COST = .6, .02
#: Starts of one person differ by at least this much in orientation, rad, where so many of the best are tried.
APART, TRIED = math.radians(45), 200


class PoseBank:
    """Bodies of mean shape in many poses, turned at random.

    Args:
        tables: :class:`~.kinematics.JointTables`.
        poses: (M, K, 3) axis-angle, rad; the root's is kept and seen from anywhere around.
        seed: of the orientations.
    """

    def __init__(self, tables, poses, seed=0):
        generator = torch.Generator().manual_seed(seed)
        place = dict(dtype=tables.table.dtype, device=tables.table.device)
        size = len(poses)
        yaw = 2 * math.pi * torch.rand(size, generator=generator, dtype=torch.float64)
        pitch = PITCH[0] + PITCH[1] * torch.randn(size, generator=generator, dtype=torch.float64)
        zero = torch.zeros_like(yaw)
        turn = axis_angle_to_matrix(torch.stack([math.pi + pitch, zero, zero], -1)) @ axis_angle_to_matrix(
            torch.stack([zero, yaw, zero], -1))
        self.rotations = axis_angle_to_matrix(poses.double()).to(**place)
        self.rotations[:, 0] = turn.to(**place) @ self.rotations[:, 0]
        self.num_betas = tables.num_betas
        state = FitState(self.rotations, torch.zeros(size, self.num_betas, **place),
                         torch.tensor([0, 0, math.log(DISTANCE)], **place).expand(size, 3))
        joints = tables.joints(state)
        self.rays = torch.view_as_complex((joints[..., :2] / joints[..., 2:]).contiguous())

    def __call__(self, keypoints, weights, intrinsics, count):
        """``count`` starts a person, best first.

        A pose fits as well as its joints do after the best shift, scale and roll in the picture; the scale says how far
        away it is.

        Args:
            keypoints: (N, J, 2) px. weights: (N, J). intrinsics: (N, 3, 3).

        Returns:
            FitState: of N * count bodies, those of a person together.
        """
        rays = torch.view_as_complex(((keypoints - intrinsics[:, None, :2, 2])
                                      / intrinsics.diagonal(dim1=1, dim2=2)[:, None, :2]).contiguous())
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
        wide = weights.to(rays.dtype)
        middle, middles = (wide * rays).sum(1), wide @ self.rays.T
        product = (wide * rays) @ self.rays.conj().T - middle[:, None] * middles.conj()
        spread = (weights * rays.abs()**2).sum(1) - middle.abs()**2
        spreads = (weights @ (self.rays.abs()**2).T - middles.abs()**2).clamp(min=1e-12)
        similarity = product / spreads
        misfit = 1 - product.abs()**2 / (spreads * spread[:, None].clamp(min=1e-12))
        misfit = misfit + ROLL_COST * (similarity.angle() / ROLL)**2
        best = misfit.topk(min(TRIED, misfit.shape[1]), largest=False).indices
        chosen = torch.stack([self._apart(row, count) for row in best]) if len(best) else best[:, :count]
        rows = torch.arange(len(best), device=best.device)[:, None]
        similarity = similarity[rows, chosen]
        rotations = self.rotations[chosen].clone()
        roll = torch.nn.functional.pad(similarity.angle()[..., None], (2, 0))
        rotations[..., 0, :, :] = axis_angle_to_matrix(roll) @ rotations[..., 0, :, :]
        pelvis = middle[:, None] - similarity * middles[rows, chosen]
        log_depth = (DISTANCE / similarity.abs().clamp(min=1e-3)).log()
        place = torch.stack([pelvis.real, pelvis.imag, log_depth], -1)
        return FitState(rotations.flatten(0, 1), place.new_zeros(chosen.numel(), self.num_betas), place.flatten(0, 1))

    def _apart(self, best, count):
        """The first ``count`` of ranked poses that face different ways; where there are fewer, the best of the rest."""
        roots, chosen = self.rotations[best, 0], []
        cosines = ((torch.einsum('aij,bij->ab', roots, roots) - 1) / 2).cpu()
        for candidate in range(len(best)):
            if all(cosines[candidate, other] < math.cos(APART) for other in chosen):
                chosen.append(candidate)
            if len(chosen) == count:
                break
        chosen += [rank for rank in range(len(best)) if rank not in chosen][:count - len(chosen)]
        return best[torch.tensor(chosen, device=best.device)]


class LiftedStarts:
    """One start a person: the pose that a lifting network gives, of mean shape, as large in the picture.

    Shapes are left to the fit's prior, which knows of ages; the network's follow the people that it was trained on.

    Args:
        lift: (keypoints (N, J, 2) px, scores (N, J), intrinsics (N, 3, 3)) -> :class:`~.kinematics.FitState` of N.
        heights: betas (N, B) -> rest-pose heights (N), m.
    """

    def __init__(self, lift, heights):
        self.lift, self.heights = lift, heights

    def __call__(self, keypoints, weights, intrinsics, count):
        """:class:`FitState` of N bodies, as :meth:`PoseBank.__call__` gives them; ``count`` is 1."""
        state = self.lift(keypoints, weights, intrinsics)
        state = FitState(*(value.to(keypoints.dtype) for value in state))
        mean = torch.zeros_like(state.betas)
        shrink = (self.heights(mean) / self.heights(state.betas)).log()
        return state.resized(mean, shrink)
