"""Levenberg-Marquardt for many bodies at once.

Priors say something about each bone and coefficient by itself, the picture says few rows about all of them: so the
damped system (D + J^T W J) step = -gradient, with D block-diagonal, is solved by Woodbury's identity in the space of
the rows (34 for 17 joints, instead of 86).
"""
import torch

from .terms import Rows

#: Damping's first value and how it changes after a step that helped or did not.
DAMPING, BETTER, WORSE = 1e-2, .3, 6.
#: A bone turns by this much in a step at most, rad.
MAX_TURN = .6


def cost_of(tables, terms, state):
    """(N) sum of the terms' costs."""
    return sum(term(tables, state, derivatives=False) for term in terms)


def solve(tables, terms, state, steps):
    """Bodies whose cost is lower.

    Args:
        tables: :class:`JointTables`. terms: list. state: :class:`FitState` of N bodies.
        steps: tried; one that does not lower a body's cost is not taken by it.

    Returns:
        tuple: state and cost (N).
    """
    cost = cost_of(tables, terms, state)
    damping = torch.full_like(cost, DAMPING)
    for _ in range(steps):
        step = Linearised(tables, terms, state).step(damping)
        turns = step[:, :3 * tables.num_bones].unflatten(1, (-1, 3))
        largest = turns.norm(dim=-1).amax(-1).clamp(min=1e-9)
        tried = state.moved(step * (MAX_TURN / largest).clamp(max=1)[:, None])
        new_cost = cost_of(tables, terms, tried)
        better = new_cost < cost
        state = type(state)(*(torch.where(better.view(-1, *[1] * (old.ndim - 1)), new, old)
                              for old, new in zip(state, tried)))
        cost = torch.where(better, new_cost, cost)
        damping = torch.where(better, damping * BETTER, damping * WORSE).clamp(1e-7, 1e7)
    return state, cost


class Linearised:
    """The terms around a state: rows J, W, and D by bone and coefficient."""

    def __init__(self, tables, terms, state):
        size, bones, num_betas = len(state.betas), tables.num_bones, tables.num_betas
        self.bones, self.num_betas = bones, num_betas
        place = dict(dtype=state.betas.dtype, device=state.betas.device)
        turn, turn_hessian = torch.zeros(size, bones, 3, **place), torch.zeros(size, bones, 3, 3, **place)
        rest, rest_hessian = torch.zeros(size, num_betas + 3, **place), torch.zeros(size, num_betas + 3, **place)
        rows = []
        for term in terms:
            part = term(tables, state)
            if isinstance(part, Rows):
                rows.append(part)
                continue
            if part.bones is not None:
                turn, turn_hessian = turn + part.bones, turn_hessian + part.bone_hessians
            if part.betas is not None:
                rest[:, :num_betas] += part.betas
                rest_hessian[:, :num_betas] += part.beta_hessians
        self.jacobian = torch.cat([part.jacobians for part in rows], 1)
        self.weights = torch.cat([part.weights for part in rows], 1)
        residuals = torch.cat([part.residuals for part in rows], 1)
        self.gradient = torch.cat([turn.flatten(1), rest], 1) + (
            (self.weights * residuals)[:, None] @ self.jacobian)[:, 0]
        self.turn_hessian, self.rest_hessian = turn_hessian, rest_hessian

    def step(self, damping):
        """(N, P) of the system damped by (N)."""
        return -self.solve(self.gradient[..., None], damping)[..., 0]

    def solve(self, right, damping):
        """(D + J^T W J + damping)^-1 right, of right (N, P, M)."""
        curvature = (self.weights[..., None] * self.jacobian**2).sum(1)
        extra = damping[:, None] * (curvature + 1)
        count = 3 * self.bones
        blocks = self.turn_hessian + torch.diag_embed(extra[:, :count].unflatten(1, (self.bones, 3)))
        inverse = torch.linalg.inv(blocks)
        scales = 1 / (self.rest_hessian + extra[:, count:])

        def through(matrix):
            """D^-1 matrix, (N, P, M)."""
            turned = inverse @ matrix[:, :count].unflatten(1, (self.bones, 3))
            return torch.cat([turned.flatten(1, 2), scales[..., None] * matrix[:, count:]], 1)

        root = self.weights.sqrt()[..., None] * self.jacobian
        thin = through(root.transpose(1, 2))
        small = root @ thin
        small.diagonal(dim1=1, dim2=2).add_(1)
        first = through(right)
        answer = torch.cholesky_solve(root @ first, torch.linalg.cholesky(small))
        return first - thin @ answer
