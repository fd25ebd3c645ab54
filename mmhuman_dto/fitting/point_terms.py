"""Terms of fits to what is known in space: joints, points, surfaces that points ought to lie on, heights."""
from typing import NamedTuple

import torch

from .terms import Rows


class Surface(NamedTuple):
    """Where points (N, S, 3) of a body ought to be, m, camera frame; nan where nothing is known.

    Attributes:
        targets: (N, S, 3).
        normals: (N, S, 3), along which alone the distance counts, so that points may slide; None: it counts whole.
    """
    targets: torch.Tensor
    normals: torch.Tensor | None = None


class Near:
    """SMPL's joints and the points that follow them in the tables are near their targets.

    Args:
        joints: (N, 24, 3) m, camera frame; nan where they are not known. joint_std: (24) m.
        surface: :class:`Surface` of the points. surface_std: m.
    """

    def __init__(self, joints, joint_std, surface=None, surface_std=1.):
        known, self.joints = _known(joints)
        self.joint_weights = known * joint_std.to(joints)**-2
        self.surface = surface
        if surface is not None:
            known, self.targets = _known(surface.targets)
            self.surface_weights = known.to(joints) * surface_std**-2

    def __call__(self, tables, state, derivatives=True):
        places = tables.places(state) if derivatives else None
        points = places.joints + state.position[:, None] if derivatives else tables.joints(state)
        count = self.joints.shape[1]
        parts = [(points[:, :count] - self.joints, self.joint_weights, None, slice(count))]
        if self.surface is not None:
            parts.append((points[:, count:] - self.targets, self.surface_weights, self.surface.normals,
                          slice(count, None)))
        residual = torch.cat([_along(away, normals) for away, _, normals, _ in parts], 1)
        weights = torch.cat([value if normals is not None else value.repeat_interleave(3, 1)
                             for _, value, normals, _ in parts], 1)
        cost = (weights * residual**2).sum(1)
        if not derivatives:
            return cost
        by_place = _by_place(state)[:, None].expand(-1, points.shape[1], 3, 3)
        jacobian = torch.cat([places.by_rotations, places.by_betas, by_place], -1)
        rows = [jacobian[:, part].flatten(1, 2) if normals is None else
                (normals[:, :, None] @ jacobian[:, part])[:, :, 0] for _, _, normals, part in parts]
        return Rows(residual, torch.cat(rows, 1), weights, cost)


class KnownHeight:
    """The rest-pose height is about known.

    Args:
        heights: (N) m. std: m. measure: betas (N, B) -> heights (N), m.
    """

    def __init__(self, heights, std, measure):
        self.heights, self.weight, self.measure = heights, std**-2, measure

    def __call__(self, tables, state, derivatives=True):
        if not derivatives:
            return self.weight * (self.measure(state.betas) - self.heights)**2
        with torch.enable_grad():
            betas = state.betas.detach().requires_grad_()
            heights = self.measure(betas)
            by_betas, = torch.autograd.grad(heights.sum(), betas)
        residual = (heights.detach() - self.heights)[:, None]
        jacobian = residual.new_zeros(len(residual), 1, 3 * tables.num_bones + tables.num_betas + 3)
        jacobian[:, 0, -3 - tables.num_betas:-3] = by_betas
        weights = torch.full_like(residual, self.weight)
        return Rows(residual, jacobian, weights, self.weight * residual[:, 0]**2)


def _known(points):
    """Which of points (*, 3) are known, and the points, 0 where they are not."""
    known = torch.isfinite(points).all(-1)
    return known, torch.where(known[..., None], points, 0.)


def _along(away, normals):
    """Residuals (N, R) of points that are ``away`` (N, J, 3), whole or along normals (N, J, 3)."""
    return away.flatten(1) if normals is None else (away * normals).sum(-1)


def _by_place(state):
    """How a body's points move with :attr:`FitState.pelvis`: (N, 3, 3)."""
    position = state.position
    matrix = position.new_zeros(*position.shape, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = position[:, 2]
    matrix[:, :, 2] = position
    return matrix
