"""Bodies from their joints in the picture."""
import math
from typing import NamedTuple

import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.geometry import matrix_to_axis_angle

from .kinematics import FitState, JointTables, logarithm
from .solver import Linearised, solve
from .starts import LiftedStarts, PoseBank
from .terms import JointLimits, KnownDepth, PosePrior, Reprojection, ShapePrior

#: A 2D joint's standard deviation: part of the diagonal of its person's joints, and the least, px.
SIGMA, LEAST_SIGMA = .03, 1.5
#: Joints of the face count by this factor: where they are on the head differs between data sets.
FACE = .5
#: Spread of a bone's axis-angle: that of the example poses times the first, at least the second, rad.
WIDER, LEAST_STD = 1.6, .2
#: Bones whose spread is another: of what joints in a picture don't show, and of spines, at most.
END_STD, SPINE_STD = .05, .3
#: The pose prior's weight against the picture.
PRIOR_WEIGHT = .5
#: Child blend of an adult and of a child, with their standard deviations; steps from the adult's fit to the child's.
ADULT, CHILD, CHILD_STEPS = (0., .05), (.8, .2), 6
#: Spread of the first beta, of the child blend and of bones around their pose, rad, in a refit.
REFIT_STD, REFIT_CHILD_STD, REFIT_POSE_STD = 3., .3, .05


class FitResult(NamedTuple):
    """N fitted bodies.

    Attributes:
        state: :class:`~.kinematics.FitState`.
        transl: (N, 3) m, camera frame.
        heights: (N) m, rest pose.
        cost: (N) what was minimised.
        log_depth_std, log_height_std, log_size_std: (N) standard deviations of the logarithms of the pelvis' depth, of
            the rest-pose height and of height over depth, the focal length and the priors being right.
    """
    state: FitState
    transl: torch.Tensor
    heights: torch.Tensor
    cost: torch.Tensor
    log_depth_std: torch.Tensor
    log_height_std: torch.Tensor
    log_size_std: torch.Tensor

    @property
    def pose(self):
        """(N, K, 3) axis-angle, rad."""
        return matrix_to_axis_angle(self.state.rotations)


class KeypointFit:
    """Fits a body model to 2D joints by Levenberg-Marquardt, from the known poses that look most like them.

    Args:
        body_model: the body.
        poses: (M, 24, 3) axis-angle, rad, example poses: prior and starts are made of them.
        limits: (2, 24, 3) low and high Euler angles, rad (R = Rx Ry Rz).
        joint_set: of the keypoints. hips: see :class:`~.kinematics.JointTables`.
        num_starts, steps: of a person.
        lift: (keypoints, scores, intrinsics) -> :class:`~.kinematics.FitState`, a network's, of a body a person: the
            only start then; None: a :class:`~.starts.PoseBank` of the poses gives the starts.
        dtype, device: of the computation; float32 is too coarse.
    """

    def __init__(self, body_model, poses, limits, joint_set='coco17', hips=0., num_starts=3, steps=20, lift=None,
                 dtype=torch.float64, device='cpu'):
        self.place = dict(dtype=dtype, device=device)
        poses, limits = poses.to(**self.place), limits.to(**self.place)
        self.joint_set, self.tables = joint_set, JointTables(body_model, joint_set, hips, **self.place)
        self.body_model, self.child = body_model, body_model.child_coefficient
        self.num_starts, self.steps = 1 if lift else num_starts, steps
        # Other bones, such as SMPL-X's fingers, rest.
        body, others = body_model.num_body_joints + 1, (0, 0, 0, self.tables.num_bones - body_model.num_body_joints - 1)
        poses, std = poses[:, :body], spread_of(poses)[:body]
        pad = torch.nn.functional.pad
        self.pose_prior = PosePrior(pad(poses.mean(0), others), pad(std, others, value=END_STD), PRIOR_WEIGHT)
        self.limits = JointLimits(*limits[:, :body])
        self.starts = LiftedStarts(lift, self.heights) if lift else PoseBank(self.tables, pad(poses, others))
        names = JOINT_SETS[joint_set].names
        self.gain = torch.tensor([FACE if name.split('_')[-1] in ('nose', 'eye', 'ear') else 1. for name in names],
                                 **self.place)

    def __call__(self, keypoints, scores, intrinsics, children=None):
        """Fit N people.

        Args:
            keypoints: (N, J, 2) px. scores: (N, J) 0 not seen .. 1. intrinsics: (N, 3, 3).
            children: (N) bool, who is a child; None: nobody. A body model without child blend knows adults only.

        Returns:
            FitResult
        """
        return self.result(*self.found(keypoints, scores, intrinsics, children))

    def found(self, keypoints, scores, intrinsics, children=None):
        """What a call finds, of the same arguments, before it is stated how sure it is: state, cost (N) and terms."""
        keypoints, scores, intrinsics = self.checked(keypoints, scores, intrinsics)
        people, count = len(keypoints), self.num_starts
        picture, priors = self.picture(keypoints, scores, intrinsics), self.priors()
        row = torch.arange(people, device=keypoints.device)
        state = self.starts(keypoints, scores, intrinsics, count)
        terms = [picture.rows(row.repeat_interleave(count)), *priors]
        state, cost = solve(self.tables, terms, state, self.steps)
        winner = cost.view(people, count).argmin(1) + count * row
        state, cost = state.rows(winner), cost[winner]
        blend = ADULT
        if self.child is not None and children is not None and children.any():
            rows = children.to(keypoints.device).nonzero()[:, 0]
            child, cost[rows] = self._as_children(state.rows(rows), [picture.rows(rows), *self.priors(CHILD)])
            state = FitState(*(people.index_copy(0, rows, some) for people, some in zip(state, child)))
            blend = torch.where(children.to(rows.device)[:, None], *(
                torch.tensor(of, **self.place) for of in (CHILD, ADULT))).T
        return state, cost, [picture, *self.priors(blend)]

    def _as_children(self, state, terms):
        """State and cost of bodies that are fitted with a child's shape, of the same size in the picture first."""
        betas = state.betas.clone()
        betas[:, self.child] = CHILD[0]
        shrink = (self.heights(betas) / self.heights(state.betas)).log()
        return solve(self.tables, terms, state.resized(betas, shrink), CHILD_STEPS)

    def refit(self, state, keypoints, scores, intrinsics, depth_std=.01, steps=4):
        """Fit again from N bodies whose pelvis' depth is known to a part ``depth_std``; poses and shapes stay near."""
        keypoints, scores, intrinsics = self.checked(keypoints, scores, intrinsics)
        state = FitState(*(value.to(**self.place) for value in state))
        blend = (0., REFIT_CHILD_STD) if self.child is None else (state.betas[:, self.child], REFIT_CHILD_STD)
        std = torch.full((self.tables.num_bones, 3), REFIT_POSE_STD, **self.place)
        still = PosePrior(logarithm(state.rotations), std)
        _, *priors = self.priors(blend, state.betas, REFIT_STD)
        terms = [self.picture(keypoints, scores, intrinsics), still, *priors,
                 KnownDepth(state.pelvis[:, 2].exp(), depth_std)]
        state, cost = solve(self.tables, terms, state, steps)
        return self.result(state, cost, terms)

    def state(self, pose, betas, transl):
        """:class:`~.kinematics.FitState` of N bodies: pose (N, K, 3) rad, betas (N, B), transl (N, 3) m, camera."""
        pose, betas, transl = (value.to(**self.place) for value in (pose, betas, transl))
        pose = torch.nn.functional.pad(pose, (0, 0, 0, self.tables.num_bones - pose.shape[1]))
        return self.tables.state(pose, betas, transl)

    def checked(self, keypoints, scores, intrinsics):
        keypoints, scores, intrinsics = (value.to(**self.place) for value in (keypoints, scores, intrinsics))
        seen = torch.isfinite(keypoints).all(-1) & (scores > 0)
        return torch.where(seen[..., None], keypoints, 0), torch.where(seen, scores, 0), intrinsics

    def result(self, state, cost, terms):
        by_size = torch.zeros(len(cost), 3 * self.tables.num_bones + self.tables.num_betas + 3, 2, **self.place)
        by_size[:, -1, 0] = 1
        by_size[:, -3 - self.tables.num_betas:-3, 1] = self.log_height_by_betas(state.betas)
        covariance = by_size.transpose(1, 2) @ Linearised(self.tables, terms, state).solve(
            by_size, torch.full_like(cost, 1e-6))
        depth, height = covariance.diagonal(dim1=1, dim2=2).unbind(-1)
        spreads = (value.clamp(min=0).sqrt() for value in (depth, height, depth + height - 2 * covariance[:, 0, 1]))
        return FitResult(state, self.tables.transl(state), self.heights(state.betas), cost, *spreads)

    def heights(self, betas):
        """(N) rest-pose heights, m."""
        return self.body_model.height(betas.to(self.body_model.faces.device, torch.float32)).to(**self.place)

    def log_height_by_betas(self, betas):
        """(N, B) derivatives of the logarithm of the rest-pose height."""
        with torch.enable_grad():
            betas = betas.detach().requires_grad_()
            return torch.autograd.grad(self.heights(betas).log().sum(), betas)[0]

    def priors(self, blend=ADULT, mean=0., first=1.):
        """Priors with betas around ``mean``; ``blend`` is mean and std of the child blend, numbers or (N)."""
        shape = (*torch.as_tensor(blend[0]).shape, self.tables.num_betas)
        mean, std = mean + torch.zeros(shape, **self.place), torch.ones(shape, **self.place)
        std[..., 0] = first
        if self.child is not None:
            mean[..., self.child], std[..., self.child] = blend
        return [self.pose_prior, self.limits, ShapePrior(mean, std)]

    def picture(self, keypoints, scores, intrinsics):
        seen = scores > 0
        low = torch.where(seen[..., None], keypoints, math.inf).amin(1)
        high = torch.where(seen[..., None], keypoints, -math.inf).amax(1)
        sigma = (SIGMA * (high - low).norm(dim=-1)).nan_to_num(0., 0., 0.).clamp(min=LEAST_SIGMA)
        return Reprojection(keypoints, scores * self.gain, intrinsics, sigma)


def spread_of(poses):
    """Standard deviations (24, 3), rad, of a prior around example poses (M, 24, 3)."""
    std = (WIDER * poses.std(0)).clamp(min=LEAST_STD)
    for bone, name in enumerate(JOINT_SETS['smpl24'].names):
        if name.endswith(('foot', 'hand')):
            std[bone] = END_STD
        elif name.startswith('spine'):
            std[bone] = std[bone].clamp(max=SPINE_STD)
    return std
