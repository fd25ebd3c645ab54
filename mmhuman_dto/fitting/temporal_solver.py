"""Levenberg-Marquardt for people through time: poses and places a row, one shape a track.

Around a state each row has a block of its own unknowns, chained to the next two rows by the motion's terms, and its
part in the betas that it shares with all rows of its track. The chained blocks are banded, so a track's system is
solved in a time linear in its rows; the shared betas are a border of the band, solved by its Schur complement.
"""
import torch

from .banded import solve_chain
from .solver import BETTER, DAMPING, MAX_TURN, WORSE, Linearised


class Problem:
    """Bodies of N rows in T tracks.

    Args:
        tables: :class:`~.kinematics.JointTables`.
        terms: of each row by itself, as :func:`~.solver.solve` takes them.
        motion: :class:`~.motion_terms.Motion`, whose chains say what the tracks are.
        shape: term of the betas (T, B) of each track.
        held: (N) bool, rows that stay. betas_held: (T) bool, tracks whose betas stay.
    """

    def __init__(self, tables, terms, motion, shape, held, betas_held):
        self.tables, self.terms, self.motion, self.shape = tables, terms, motion, shape
        self.chains, self.held, self.betas_held = motion.chains, held, betas_held
        track = self.chains.track
        self.first = torch.searchsorted(track, torch.arange(self.chains.count, device=track.device))
        ends = torch.cat([self.first[1:], self.first.new_tensor([len(track)])])
        self.slices = [slice(*ends) for ends in zip(self.first.tolist(), ends.tolist())]

    def cost(self, state):
        """(T) cost of each track."""
        rows = sum(term(self.tables, state, derivatives=False) for term in self.terms)
        rows = rows + self.motion(self.tables, state, derivatives=False)
        return self.chains.sums(rows) + self.shape(self.tables, state.rows(self.first), derivatives=False)

    def step(self, state, damping):
        """Step (N, 3 K + B + 3) of each row, those of a track with the same betas, damped by (T)."""
        parts, count = Linearised(self.tables, self.terms, state), 3 * self.tables.num_bones
        links, shape = self.motion(self.tables, state), self.shape(self.tables, state.rows(self.first))
        root = parts.weights.sqrt()[..., None] * parts.jacobian
        matrix = root.transpose(1, 2) @ root
        for_betas = slice(count, count + self.tables.num_betas)
        kept = torch.tensor([*range(count), *range(count + self.tables.num_betas, matrix.shape[1])],
                            device=matrix.device)
        curvature = matrix.diagonal(dim1=1, dim2=2)
        own, border = matrix[:, kept[:, None], kept], matrix[:, kept, for_betas]
        gradient = parts.gradient[:, kept] + links.gradient.flatten(1)
        own.diagonal(dim1=1, dim2=2).add_(damping[self.chains.track, None] * (curvature[:, kept] + 1))
        groups = own.unflatten(1, (-1, 3)).unflatten(3, (-1, 3)).diagonal(dim1=1, dim2=3)  # (N, 3, 3, L)
        groups += (links.own + torch.nn.functional.pad(parts.turn_hessian, (0, 0, 0, 0, 0, 1))).permute(0, 2, 3, 1)
        next_links, after_links = links.next, links.after
        own, gradient, border, next_links, after_links = self._without_held(
            own, gradient, border, next_links, after_links)
        right = torch.cat([gradient[..., None], border], -1).cpu()
        solved = torch.cat([solve_chain(*(values[rows].cpu() for values in (own, next_links, after_links, right)))
                            for rows in self.slices]).to(gradient)
        corner = self.chains.sums(matrix[:, for_betas, for_betas])
        corner.diagonal(dim1=1, dim2=2).add_(
            shape.beta_hessians + damping[:, None] * (self.chains.sums(curvature[:, for_betas]) + 1))
        by_rows = self.chains.sums(border.transpose(1, 2) @ solved)  # (T, B, 1 + B)
        downhill = self.chains.sums(parts.gradient[:, for_betas]) + shape.betas
        shape_step = -torch.linalg.solve(corner - by_rows[..., 1:], downhill - by_rows[..., 0])
        shape_step = torch.where(self.betas_held[:, None], 0, shape_step)
        rows_step = -solved[..., 0] - (solved[..., 1:] @ shape_step[self.chains.track][..., None])[..., 0]
        return torch.cat([rows_step[:, :count], shape_step[self.chains.track], rows_step[:, count:]], 1)

    def _without_held(self, own, gradient, border, next_links, after_links):
        """The system in which held rows don't move and move nothing."""
        free = (~self.held).to(gradient)
        size = own.shape[1]
        own = own * free[:, None, None] + torch.eye(size, dtype=own.dtype, device=own.device) * (
            1 - free)[:, None, None]
        later = [free * torch.nn.functional.pad(free[apart:], (0, apart)) for apart in (1, 2)]
        return (own, gradient * free[:, None], border * free[:, None, None],
                next_links * later[0][:, None, None, None], after_links * later[1][:, None, None, None])


def solve_tracks(problem, state, steps):
    """State of lower cost and cost (T); as :func:`~.solver.solve`, where a step is taken by whole tracks."""
    cost = problem.cost(state)
    damping = torch.full_like(cost, DAMPING)
    track, bones = problem.chains.track, problem.tables.num_bones
    for _ in range(steps):
        step = problem.step(state, damping)
        largest = step[:, :3 * bones].unflatten(1, (bones, 3)).norm(dim=-1).amax(-1).clamp(min=1e-9)
        scale = (MAX_TURN / largest).clamp(max=1)
        scale = scale.new_ones(len(cost)).scatter_reduce_(0, track, scale, 'amin')
        tried = state.moved(step * scale[track, None])
        new_cost = problem.cost(tried)
        better = new_cost < cost
        state = type(state)(*(torch.where(better[track].view(-1, *[1] * (old.ndim - 1)), new, old)
                              for old, new in zip(state, tried)))
        cost = torch.where(better, new_cost, cost)
        damping = torch.where(better, damping * BETTER, damping * WORSE).clamp(1e-7, 1e7)
    return state, cost
