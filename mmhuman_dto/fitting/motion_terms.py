"""What a fit knows about people through time: bones and pelvis neither move nor change their speed at will.

Rows of a state are people in frames; :class:`Chains` says which follow one another. A term here is a sum of squares of
differences between two or three rows in a row, by bone, so that its Hessian has blocks of 3 x 3 beside the diagonal.
"""
from typing import NamedTuple

import torch

from .kinematics import logarithm, tangent_inverse

#: Steps longer than this, s, tie nothing.
MAX_STEP = 2.
#: Costs count by time, one such step, s, as one: the same motion costs the same at any frame rate.
STEP = 1 / 30


class Chains:
    """Which of N rows follow one another in time.

    Args:
        track: (N) int64, rising: whose row it is. times: (N) s, rising within a track.

    Attributes:
        pairs, triples: (M, 2) and (L, 3) rows that follow one another by at most :data:`MAX_STEP` each.
        pair_steps, triple_steps: (M, 1) and (L, 2) s between them.
    """

    def __init__(self, track, times):
        self.track, self.count = track, int(track[-1]) + 1 if len(track) else 0
        step = times.diff()
        tied = (track.diff() == 0) & (step <= MAX_STEP)
        first = tied.nonzero()[:, 0]
        self.pairs, self.pair_steps = torch.stack([first, first + 1], 1), step[first, None]
        middle = first[:0] if len(track) < 3 else (tied[:-1] & tied[1:]).nonzero()[:, 0]
        self.triples = torch.stack([middle, middle + 1, middle + 2], 1)
        self.triple_steps = torch.stack([step[middle], step[middle + 1]], 1)

    def sums(self, values):
        """(T, *) sums over each track's rows of values (N, *)."""
        return values.new_zeros(self.count, *values.shape[1:]).index_add_(0, self.track, values)


class Links(NamedTuple):
    """Half the gradient (N, L, 3) and half the Hessian of a cost by L groups of three unknowns of each row: ``own``
    (N, L, 3, 3) within a row, ``next`` and ``after`` with the row after it and the one after that; cost (N), at the
    first of the rows it is about."""
    gradient: torch.Tensor
    own: torch.Tensor
    next: torch.Tensor
    after: torch.Tensor
    cost: torch.Tensor


def linked(rows, residuals, jacobians, size):
    """:class:`Links` of ``size`` rows for residuals (M, L, 3) in standard deviations, each about rows (M, 2 or 3), with
    a Jacobian (M, L, 3, 3) a row."""
    links = residuals.shape[1]
    gradient = residuals.new_zeros(size, links, 3)
    blocks = residuals.new_zeros(3, size, links, 3, 3)
    for i, ours in enumerate(jacobians):
        gradient.index_add_(0, rows[:, i], (ours.transpose(-1, -2) @ residuals[..., None])[..., 0])
        for j in range(i, len(jacobians)):
            blocks[j - i].index_add_(0, rows[:, i], ours.transpose(-1, -2) @ jacobians[j])
    return Links(gradient, *blocks, cost_at(rows, residuals, size))


def cost_at(rows, residuals, size):
    """(N) squares of residuals (M, L, 3) at the first of their rows."""
    return residuals.new_zeros(size).index_add_(0, rows[:, 0], (residuals**2).sum((1, 2)))


class Motion:
    """Bones' angular velocities and accelerations, and the pelvis' acceleration, are normal around none.

    A bone's velocity is the logarithm of the rotation between two rows over the time between them, in the bone's own
    frame; its acceleration the difference of two of them over the time between their middles.

    Args:
        chains: :class:`Chains`.
        turn_speed, turn_acceleration: (K, 1) or (K, 3) standard deviations of bones, the root's first, rad/s, rad/s^2.
        speed, acceleration: of the pelvis in camera space, m/s, m/s^2.
    """

    def __init__(self, chains, turn_speed, turn_acceleration, speed, acceleration):
        self.chains = chains
        self.turn_weights = turn_speed, turn_acceleration
        self.weights = speed, acceleration

    def __call__(self, tables, state, derivatives=True):
        """:class:`Links` of the bones, then the pelvis; the costs (N) alone without ``derivatives``."""
        parts = [part for make in (self._speeds, self._accelerations) for part in make(state, derivatives)]
        size = len(state.betas)
        if not derivatives:
            return sum(cost_at(rows, residuals, size) for rows, residuals, _ in parts)
        velocity, place, bend, sway = (linked(*part, size) for part in parts)
        turns, moves = (Links(*(one + two for one, two in zip(*pair))) for pair in ((velocity, bend), (place, sway)))
        return Links(*(torch.cat(both, 1) for both in zip(turns[:4], moves[:4])), turns.cost + moves.cost)

    def _speeds(self, state, derivatives):
        rows, step = self.chains.pairs, self.chains.pair_steps[:, :, None]
        gain = (step / STEP).sqrt() / step
        turn, by_turn = _turns(state.rotations, rows[:, 0], rows[:, 1], derivatives)
        scale = gain / self.turn_weights[0]
        yield rows, scale * turn, [scale[..., None] * by for by in by_turn]
        place, by_place = _places(state)
        scale = gain / self.weights[0]
        yield rows, scale * (place[rows[:, 1]] - place[rows[:, 0]])[:, None], [
            sign * (scale[..., None] * by_place[row][:, None]) for sign, row in zip((-1, 1), rows.T)]

    def _accelerations(self, state, derivatives):
        rows, (first, second) = self.chains.triples, self.chains.triple_steps[:, :, None, None].unbind(1)
        apart = (first + second) / 2
        gain = (apart / STEP).sqrt() / apart
        before, by_before = _turns(state.rotations, rows[:, 0], rows[:, 1], derivatives)
        later, by_later = _turns(state.rotations, rows[:, 1], rows[:, 2], derivatives)
        scale = gain / self.turn_weights[1]
        jacobians = []
        if derivatives:
            to_first, to_second = (scale / step for step in (first, second))
            jacobians = [-to_first[..., None] * by_before[0],
                         to_second[..., None] * by_later[0] - to_first[..., None] * by_before[1],
                         to_second[..., None] * by_later[1]]
        yield rows, scale * (later / second - before / first), jacobians
        place, by_place = _places(state)
        scale = gain / self.weights[1]
        factors = scale / first, -scale / first - scale / second, scale / second
        yield rows, sum(factor * place[row][:, None] for factor, row in zip(factors, rows.T)), [
            factor[..., None] * by_place[row][:, None] for factor, row in zip(factors, rows.T)]


def _turns(rotations, before, after, derivatives):
    """Axis-angle (M, K, 3) from rows to rows, and how it changes as the one and the other are turned on the right."""
    vectors = logarithm(rotations[before].transpose(-1, -2) @ rotations[after])
    if not derivatives:
        return vectors, []
    inverse = tangent_inverse(vectors)
    return vectors, [-inverse.transpose(-1, -2), inverse]


def _places(state):
    """Pelves (N, 3), m, and how they change with ``state.pelvis``, (N, 3, 3)."""
    place = state.position
    jacobian = torch.diag_embed(place[:, 2:].expand(-1, 3))
    jacobian = torch.cat([jacobian[..., :2], place[..., None]], -1)
    return place, jacobian
