"""What is known of a video as residuals with derivatives: the terms of pictures, and what holds drifts and sizes."""
import numpy as np
import torch

from .variables import normal_precision

#: A normal that stands for a mixture has its mean at most so many of the first standard deviations away.
WIDEST = 3.


class Part:
    """Residuals of one kind, compared with a target at a precision.

    Attributes:
        pairs: :class:`~.equations.Pairs` of their variables.
        target, precision: (R), set by :meth:`update`.
    """
    pairs = target = precision = None

    def linearise(self, point):
        """Residuals (R) and their derivatives (R, m) at the values ``point`` (n) of all variables."""
        raise NotImplementedError

    def update(self, residuals, variance):
        """Refit target and precision by residuals (R) and their variance (R); None in the first round."""

    def pull(self, residuals, jacobian, size):
        """What all of it asks of each variable, (``size``): J^T W (target - residuals)."""
        pull = jacobian * (self.precision * (self.target - residuals))[:, None]
        return np.bincount(self.pairs.index.ravel(), pull.ravel(), size)


class RowsOfTerm(Part):
    """A :class:`~mmhuman_dto.dto.terms.Term` about where people are: a residual of each row.

    Raises:
        TypeError: a term whose residual i depends on others than person i.
    """

    def __init__(self, term, variables):
        self.term, self.variables = term, variables
        self.problem, self.site = variables.clip.rows, None

    def linearise(self, point):
        values = self.variables.values(point)
        residuals = self.term.residuals(self.problem, values)
        columns = self._columns({name: self._of_rows(derivative, residuals)
                                 for name, derivative in self.term.jacobian(self.problem, values).items()})
        return residuals[0].numpy(), self._jacobian(columns)

    def _jacobian(self, columns):
        """(M, m) of :meth:`_columns`, whose variables are :attr:`pairs` from then on."""
        if self.pairs is None:
            self.pairs = self.variables.form.pairs(np.stack([index for index, _ in columns], 1))
        return np.stack([values for _, values in columns], 1)

    def _of_rows(self, derivative, residuals):
        if derivative.shape != residuals.shape or residuals.shape[1] != len(self.problem.person):
            raise TypeError(f'{type(self.term).__name__}: videos take terms with one residual a person, which depends '
                            'on nobody else')
        return derivative[0].numpy()

    def _columns(self, derivatives):
        """[(index (M), derivative (M))] of all variables that a residual depends on."""
        variables, frame = self.variables, self.variables.clip.frame.numpy()
        size, zero = derivatives.pop('log_size', None), np.zeros(len(frame))
        columns = [(variables.log_scale, derivatives.pop('log_scale', zero) - (zero if size is None else size))]
        if size is not None:
            columns.append((variables.height[variables.clip.person.numpy()], size))
        for name, derivative in derivatives.items():
            columns.append((np.full(len(frame), variables.scene[name]), derivative))
            if name in variables.drift:
                columns.append((variables.drift[name][frame], derivative))
        return columns

    def update(self, residuals, variance):
        mean = torch.from_numpy(residuals)[None]
        self.site = self.term.update(self.problem, mean, None if variance is None else torch.from_numpy(variance)[None],
                                     self.site)
        self.target = self.site.target[0].numpy()
        self.precision = (self.site.precision * self.term.worth(self.problem) * self.problem.mask)[0].numpy()


class PeopleOfTerm(RowsOfTerm):
    """A term about bodies: a residual of each person.

    Args:
        spread: (K) variance of the log heights that the solver starts from; None: nothing is known of them.
    """

    def __init__(self, term, variables, spread=None):
        self.term, self.variables, self.problem, self.site = term, variables, variables.people, None
        self.spread, self.gain = spread, None

    def linearise(self, point):
        values = self.variables.body_values(point)
        residuals = self.term.residuals(self.problem, values)
        derivatives = self.term.jacobian(self.problem, values)
        if set(derivatives) != {'log_scale', 'log_size'} or residuals.shape != self.problem.mask.shape:
            raise TypeError(f'{type(self.term).__name__}: videos take terms of bodies with one residual a person, '
                            'which depends on its height alone')
        if self.pairs is None:
            self.pairs = self.variables.form.pairs(self.variables.height[:, None])
        self.gain = derivatives['log_scale'][0].numpy()
        return residuals[0].numpy(), self.gain[:, None]

    def update(self, residuals, variance):
        super().update(residuals, variance)
        if self.spread is None:
            return
        if variance is None:
            super().update(residuals, self.gain**2 * self.spread)
        # Where a mixture is flat or bends away its normal is wide and far off, and would pull everybody with it.
        away = WIDEST * np.sqrt(self.gain**2 * self.spread)
        self.target = np.clip(self.target, residuals - away, residuals + away)


class Sizes(Part):
    """Meshes are about as large in the picture as people are: the error of each row's size is normal.

    Args:
        std: (M) of the logarithm of (true / initial mesh's) size, how much each is worth included.
    """

    def __init__(self, variables, std):
        self.variables, clip = variables, variables.clip
        self.pairs = variables.form.pairs(np.stack([variables.log_scale, variables.height[clip.person.numpy()]], 1))
        self.jacobian = np.tile([-1., 1.], (len(std), 1))
        self.target, self.precision = np.zeros(len(std)), normal_precision(std) * clip.seen.numpy()

    def linearise(self, point):
        return self.variables.values(point)['log_size'][0].numpy(), self.jacobian


class Drifts(Part):
    """A drifting variable is AR(1) in time around its mean: its first value, and each change."""

    def __init__(self, variables, name, drift):
        places, times = variables.drift[name], variables.clip.times.numpy()
        self.places, self.alike = places, np.exp(-np.diff(times) / drift.time)
        before = np.concatenate([places[:1], places[:-1]])
        self.pairs = variables.form.pairs(np.stack([places, before], 1))
        alike = np.concatenate([[0.], self.alike])
        self.jacobian = np.stack([np.ones(len(places)), -alike], 1)
        self.target = np.zeros(len(places))
        self.precision = normal_precision(drift.std * np.sqrt(np.maximum(1 - alike**2, 1e-12)))

    def linearise(self, point):
        return self.jacobian[:, 0] * point[self.places] + self.jacobian[:, 1] * point[np.roll(self.places, 1)], (
            self.jacobian)
