"""Normal equations of variables in time: each shares residuals with its neighbours in time and with a few of all times.

The variables stand in G blocks of B; residuals are of one block or of two that follow each other, and of K shared
variables besides. Factorisation and the part of the inverse that residuals need take time and memory linear in G.
"""
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

#: Part of its diagonal that is added to a block which rounding has left indefinite.
DAMPING = 1e-9


class Pairs(NamedTuple):
    """Where the products of the variables of R residuals, m each, are kept.

    Attributes:
        index: (R, m) of variables: block * B + place, or G * B + k of shared ones.
        places: (R, m, m) of the pairs in a :class:`BlockMatrix`'s numbers.
        shares: (R, m, m) 1, or half where both orders of a pair are kept in one place.
    """
    index: np.ndarray
    places: np.ndarray
    shares: np.ndarray


class Form(NamedTuple):
    """How many blocks, how many variables in each, and how many shared ones."""
    blocks: int
    size: int
    shared: int

    @property
    def _bands(self):
        """Number of blocks that are kept: those of the diagonal and those below it."""
        return self.blocks + max(self.blocks - 1, 0)

    @property
    def local(self):
        """Number of variables in blocks."""
        return self.blocks * self.size

    def pairs(self, index):
        """:class:`Pairs` of residuals whose variables are ``index`` (R, m).

        Raises:
            ValueError: variables of blocks that do not follow each other.
        """
        index = np.asarray(index, np.int64)
        low = np.minimum(index[:, :, None], index[:, None])
        high = np.maximum(index[:, :, None], index[:, None])
        (low_block, low_place), (block, place) = divmod(low, self.size), divmod(high, self.size)
        shared, low_shared = high >= self.local, low >= self.local
        apart = ~shared & (block > low_block)
        if (~shared & (block > low_block + 1)).any():
            raise ValueError('a residual is of variables of blocks that do not follow each other')
        square = self.size**2
        within = (index[:, :, None] // self.size) * square + (
            index[:, :, None] % self.size) * self.size + index[:, None] % self.size
        below = self.blocks * square + low_block * square + place * self.size + low_place
        border = self._bands * square + low * self.shared + high - self.local
        corner = self._bands * square + self.local * self.shared + (
            index[:, :, None] - self.local) * self.shared + index[:, None] - self.local
        places = np.where(low_shared, corner, np.where(shared, border, np.where(apart, below, within)))
        return Pairs(index, places, np.where(apart | (shared & ~low_shared), .5, 1.))


class BlockMatrix:
    """A symmetric matrix of a :class:`Form`: ``within`` (G, B, B), ``below`` (G - 1, B, B) of a block (rows) and the
    one before (columns), ``border`` (G, B, K), ``corner`` (K, K); views of ``numbers``."""

    def __init__(self, form):
        blocks, size, shared = self.form = form
        parts = [(blocks, size, size), (max(blocks - 1, 0), size, size), (blocks, size, shared), (shared, shared)]
        sizes = np.cumsum([0, *(int(np.prod(part)) for part in parts)])
        self.numbers = np.zeros(sizes[-1])
        self.within, self.below, self.border, self.corner = (
            self.numbers[start:stop].reshape(part) for start, stop, part in zip(sizes, sizes[1:], parts))

    def add(self, pairs, jacobian, precision):
        """Add J^T W J of residuals: ``jacobian`` (R, m), ``precision`` (R)."""
        products = (jacobian * precision[:, None])[:, :, None] * jacobian[:, None] * pairs.shares
        self.numbers += np.bincount(pairs.places.ravel(), products.ravel(), len(self.numbers))

    def variance(self, pairs, jacobian):
        """(R) of residuals of ``jacobian`` (R, m), the matrix being a covariance."""
        return np.einsum('ra,rab,rb->r', jacobian, self.numbers[pairs.places], jacobian)

    def diagonal(self):
        """(G * B + K)."""
        return np.concatenate([self.within.diagonal(axis1=1, axis2=2).ravel(), self.corner.diagonal()])

    def add_diagonal(self, values):
        """Add values (G * B + K) to it."""
        blocks, size, _ = self.form
        place = np.arange(size)
        self.within[:, place, place] += values[:blocks * size].reshape(blocks, size)
        self.corner[np.diag_indices(len(self.corner))] += values[blocks * size:]


class Factored:
    """A positive definite :class:`BlockMatrix` in the form in which equations are solved.

    Attributes:
        schur: (K, K), what is left of the shared variables once all others are eliminated.
    """

    def __init__(self, matrix):
        self.matrix = matrix
        self.inverses = np.empty_like(matrix.within)  # of each block once those before are eliminated
        self.borders = matrix.border.copy()
        self.schur = matrix.corner.copy()
        border = self.borders
        for g in range(len(matrix.within)):
            block = matrix.within[g]
            if g:
                onward = matrix.below[g - 1] @ self.inverses[g - 1]
                block = block - onward @ matrix.below[g - 1].T
                border[g] -= onward @ border[g - 1]
            inverse = self.inverses[g] = positive_inverse(block)
            self.schur -= border[g].T @ inverse @ border[g]

    def eliminated(self, right):
        """``right`` (G * B + K) of the equations: of blocks (G, B) once those before are eliminated, of shared (K)."""
        local, shared = self._split(right)
        local, shared = local.copy(), shared.copy()
        for g, inverse in enumerate(self.inverses):
            shared -= self.borders[g].T @ (inverse @ local[g])
            if g + 1 < len(local):
                local[g + 1] -= self.matrix.below[g] @ (inverse @ local[g])
        return local, shared

    def local_solution(self, local, shared):
        """(G, B) of the blocks' variables, the shared ones (K) being known; ``local`` of :meth:`eliminated`."""
        solution = np.empty_like(local)
        for g in reversed(range(len(local))):
            right = local[g] - self.borders[g] @ shared
            if g + 1 < len(local):
                right = right - self.matrix.below[g].T @ solution[g + 1]
            solution[g] = self.inverses[g] @ right
        return solution

    def covariance(self, shared):
        """The inverse as a :class:`BlockMatrix`, as far as the form has room for it, where the shared variables have
        the covariance ``shared`` (K, K)."""
        found, matrix = BlockMatrix(self.matrix.form), self.matrix
        along = np.empty_like(self.borders)  # how the blocks' variables follow the shared ones, negative
        for g in reversed(range(len(self.inverses))):
            inverse = self.inverses[g]
            along[g], found.within[g] = inverse @ self.borders[g], inverse
            if g + 1 < len(self.inverses):
                backward = inverse @ matrix.below[g].T
                later = backward @ found.within[g + 1]
                found.within[g] += later @ backward.T
                found.below[g] = -later.T
                along[g] -= backward @ along[g + 1]
        by_shared = along @ shared
        found.within += by_shared @ along.transpose(0, 2, 1)
        found.below += by_shared[1:] @ along[:-1].transpose(0, 2, 1)
        found.border[:], found.corner[:] = -by_shared, shared
        return found

    def _split(self, values):
        form = self.matrix.form
        return values[:form.local].reshape(form.blocks, form.size), values[form.local:]


def positive_inverse(matrix):
    """Inverse of a symmetric positive definite matrix (B, B); damped where rounding has made it indefinite.

    Raises:
        FloatingPointError: it has none.
    """
    for damping in (0., DAMPING, 1e3 * DAMPING):
        factor, failed = dpotrf(matrix + damping * np.diag(matrix.diagonal()) if damping else matrix, lower=1)
        if not failed and np.isfinite(factor.diagonal()).all():
            inverse, failed = dpotri(factor, lower=1, overwrite_c=1)
            lower = np.tril(inverse)
            return lower + np.tril(lower, -1).T
    raise FloatingPointError('normal equations without a solution: their numbers are not finite, or of no curvature')
