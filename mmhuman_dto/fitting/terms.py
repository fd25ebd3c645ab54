"""What a fit knows: each term is a sum of squares, with its derivatives.

A term says either a few rows that depend on everything (:class:`Rows`: the picture) or something about each bone,
coefficient or place by itself (:class:`Blocks`: priors); the solver keeps the two apart, which makes its systems small.
"""
import copy
from typing import NamedTuple

import torch

from .kinematics import logarithm, tangent_inverse


class Rows(NamedTuple):
    """Residuals (N, R), their Jacobians (N, R, P) and weights (N, R) of their squares; cost: (N) what is minimised."""
    residuals: torch.Tensor
    jacobians: torch.Tensor
    weights: torch.Tensor
    cost: torch.Tensor


class Blocks(NamedTuple):
    """Half the gradient and half the Hessian of a cost (N) by bone, (N, K, 3) and (N, K, 3, 3), and by beta, (N, B)."""
    bones: torch.Tensor | None
    bone_hessians: torch.Tensor | None
    betas: torch.Tensor | None
    beta_hessians: torch.Tensor | None
    cost: torch.Tensor


class Reprojection:
    """Joints in the picture, robust against wrong ones (Geman-McClure: at most weight * (c / sigma)^2 each).

    Args:
        keypoints: (N, J, 2) px. weights: (N, J) 0 not seen .. 1. intrinsics: (N, 3, 3). sigma: (N,) px.
        scale: c in units of sigma; a joint that is c away counts for half.
    """

    def __init__(self, keypoints, weights, intrinsics, sigma, scale=3.):
        self.focal = intrinsics.diagonal(dim1=1, dim2=2)[:, None, :2] / sigma[:, None, None]
        center = intrinsics[:, None, :2, 2] / sigma[:, None, None]
        self.target = torch.where(weights[..., None] > 0, keypoints / sigma[:, None, None] - center, 0)
        self.weights, self.scale = weights, scale

    def rows(self, index):
        """The term for the people of an index (M,), who may come again."""
        part = copy.copy(self)
        part.focal, part.target, part.weights = self.focal[index], self.target[index], self.weights[index]
        return part

    def __call__(self, tables, state, derivatives=True):
        places = tables.places(state) if derivatives else None
        pelvis = state.position[:, None]
        joints = places.joints + pelvis if derivatives else tables.joints(state)
        depth = joints[..., 2].clamp(min=1e-2)
        ray = joints[..., :2] / depth[..., None]
        residual = self.focal * ray - self.target  # (N, J, 2), sigmas
        square, limit = (residual**2).sum(-1), self.scale**2
        cost = (self.weights * limit * square / (limit + square)).sum(-1)
        if not derivatives:
            return cost
        robust = self.weights * (limit / (limit + square))**2
        # d(f x / z) = f / z (dx - x / z dz)
        gain = (self.focal / depth[..., None])[..., None]  # (N, J, 2, 1)

        def project(change):
            return gain * (change[:, :, :2] - ray[..., None] * change[:, :, 2:])

        size = len(depth)
        by_place = torch.cat([
            (gain * pelvis[..., 2:, None]) * torch.eye(2, dtype=ray.dtype, device=ray.device),
            project(pelvis[..., None].expand(size, depth.shape[1], 3, 1))], -1)
        jacobian = torch.cat([project(places.by_rotations), project(places.by_betas), by_place], -1)
        return Rows(residual.flatten(1), jacobian.flatten(1, 2), robust.repeat_interleave(2, 1), cost)


class KnownDepth:
    """The pelvis' depth is about known: normal in its logarithm. depth: (N,) m. std: relative, a number or (N,)."""

    def __init__(self, depth, std):
        self.log_depth, self.weights = depth.log(), (std**-2 * torch.ones_like(depth))[:, None]

    def __call__(self, tables, state, derivatives=True):
        residual = state.pelvis[:, 2:] - self.log_depth[:, None]
        cost = (self.weights * residual**2)[:, 0]
        if not derivatives:
            return cost
        jacobian = residual.new_zeros(len(residual), 1, 3 * tables.num_bones + tables.num_betas + 3)
        jacobian[..., -1] = 1
        return Rows(residual, jacobian, self.weights, cost)


class PosePrior:
    """Each bone's axis-angle is normal around a mean; the root is free. mean, std: (K, 3) or (N, K, 3) rad."""

    def __init__(self, mean, std, weight=1.):
        self.mean, self.weights = mean[..., 1:, :], weight * std[..., 1:, :]**-2

    def shared(self, shares):
        """The prior of N people whose bones count for shares (N, K)."""
        part = copy.copy(self)
        part.weights = shares[:, 1:, None] * self.weights
        return part

    def __call__(self, tables, state, derivatives=True):
        vectors = logarithm(state.rotations[:, 1:])
        away = vectors - self.mean
        cost = (self.weights * away**2).sum((1, 2))
        if not derivatives:
            return cost
        jacobian = tangent_inverse(vectors)
        weighted = jacobian.transpose(-1, -2) * self.weights[..., None, :]
        return _bone_blocks((weighted @ away[..., None])[..., 0], weighted @ jacobian, 0, cost)


def _bone_blocks(gradient, hessian, missing, cost):
    """:class:`Blocks` of bones after the root, of which the last ``missing`` are not there."""
    pad = torch.nn.functional.pad
    return Blocks(pad(gradient, (0, 0, 1, missing)), pad(hessian, (0, 0, 0, 0, 1, missing)), None, None, cost)


class JointLimits:
    """Bones stay within ranges of Euler angles (R = Rx Ry Rz); what is beyond counts in units of ``sigma`` rad.

    Args:
        low, high: (K, 3) rad; the root is free.
    """

    def __init__(self, low, high, sigma=.06):
        self.low, self.high, self.sigma = low[1:], high[1:], sigma

    def __call__(self, tables, state, derivatives=True):
        rotations = state.rotations[:, 1:1 + len(self.low)]
        x = torch.atan2(-rotations[..., 1, 2], rotations[..., 2, 2])
        y = torch.asin(rotations[..., 0, 2].clamp(-.9999, .9999))
        z = torch.atan2(-rotations[..., 0, 1], rotations[..., 0, 0])
        angles = torch.stack([x, y, z], -1)
        beyond = (angles - self.high).clamp(min=0) + (angles - self.low).clamp(max=0)
        cost = (beyond**2).sum((1, 2)) / self.sigma**2
        if not derivatives:
            return cost
        # A turn on the right by w changes (x, y, z) by: w = Rz^T (Ry^T ex x' + ey y') + ez z'.
        cosine, secant = (z.cos(), z.sin()), 1 / y.cos().clamp(min=.02)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        jacobian = torch.stack([
            torch.stack([cosine[0] * secant, -cosine[1] * secant, zero], -1),
            torch.stack([cosine[1], cosine[0], zero], -1),
            torch.stack([-cosine[0] * y.sin() * secant, cosine[1] * y.sin() * secant, one], -1)], -2)
        active = (beyond != 0).to(beyond) / self.sigma**2
        weighted = jacobian.transpose(-1, -2) * active[..., None, :]
        gradient, hessian = (weighted @ beyond[..., None])[..., 0], weighted @ jacobian
        return _bone_blocks(gradient, hessian, tables.num_bones - 1 - len(self.low), cost)


class ShapePrior:
    """Betas are normal. mean: (N, B) or (B,). std: the same."""

    def __init__(self, mean, std):
        self.mean, self.weights = mean, std**-2

    def __call__(self, tables, state, derivatives=True):
        away = state.betas - self.mean
        cost = (self.weights * away**2).sum(-1)
        if not derivatives:
            return cost
        return Blocks(None, None, self.weights * away, self.weights.expand_as(away), cost)
