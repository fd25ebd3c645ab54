"""What every term of the posterior is: a piece of knowledge about a scene, as residuals the solver can weigh."""
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch

#: Rounds in which a scene's noise and the weights of its people are fitted to each other.
NOISE_ROUNDS = 4
#: ``extended_log`` is the logarithm above this and goes on as a straight line below.
LOG_FLOOR = .05


class Normal(NamedTuple):
    """Prior of a scene variable: ``mean`` (S), where the solver starts too, and ``std``, one number or (S)."""
    mean: torch.Tensor
    std: torch.Tensor | float


class Site(NamedTuple):
    """What residuals are compared with: ``target`` (S, R) at ``precision`` (S, R) = 1 / variance, 0 to ignore."""
    target: torch.Tensor
    precision: torch.Tensor


class Term(ABC):
    """One piece of knowledge; register a subclass in ``DTO_TERMS`` and name it in a solver's ``terms``.

    Values are {'log_scale': (S, P), the logarithm of each person's new over initial distance, and every scene variable
    that a term brings: (S)}, float64. Residuals may be any differentiable function of them.
    """

    def variables(self, problem):
        """Scene variables this term brings: {name: :class:`Normal`}."""
        return {}

    @abstractmethod
    def residuals(self, problem, values):
        """(S, R), finite also where nobody is."""

    @abstractmethod
    def jacobian(self, problem, values):
        """Derivatives of the residuals by name of the value.

        By a scene variable (S, R). By ``log_scale`` (S, R, P), or (S, P) where residual i depends on person i alone.
        """

    @abstractmethod
    def update(self, problem, mean, variance, site):
        """The :class:`Site` for the next round.

        Args:
            mean, variance: (S, R) of the residuals under the present posterior.
            site: the present one. In the first round variance and site are None, and ``mean`` is at the start.
        """


class NoisyTerm(Term):
    """A term whose residuals are 0 but for noise: Student-t among people, of a size fitted in every scene.

    The size is that of a scaled inverse chi-square prior (``std``, worth ``weight`` people) and the residuals seen, by
    expectation maximisation. People far off count little, nobody is dropped.

    Args:
        std: noise expected of a residual.
        weight: people's worth of trust in ``std``; infinite fixes it.
        freedom: degrees of freedom of the Student-t distribution; infinite is normal.
    """

    def __init__(self, std, weight, freedom):
        self.std, self.weight, self.freedom = std, weight, freedom

    @abstractmethod
    def evidence(self, problem):
        """How good each person's residual is (S, P): noise variance is the scene's divided by it; 0 where unknown."""

    def update(self, problem, mean, variance, site):
        quality = self.evidence(problem)
        known = quality > 0
        squared = (mean.square() + (variance if site else 0.)) * quality
        noise = torch.full_like(mean[:, :1], self.std**2)
        for _ in range(NOISE_ROUNDS if site else 0):
            trust = self._trust(squared / noise) * known
            total = (trust * squared).sum(-1, keepdim=True)
            noise = (self.std**2 + total / self.weight) / (1 + known.sum(-1, keepdim=True) / self.weight)
        return Site(torch.zeros_like(mean), self._trust(squared / noise if site else 0 * squared) * quality / noise)

    def _trust(self, squared):
        """Weight of a residual by its square in variances of the noise; its mean under the Student-t scale mixture."""
        return (1 + 1 / self.freedom) / (1 + squared / self.freedom)


def extended_log(values, floor=LOG_FLOOR):
    """Logarithm that goes on as its tangent below ``floor``: finite, smooth and rising everywhere."""
    return torch.where(values > floor, values.clamp(min=floor).log(), values / floor - 1 + torch.log(
        values.new_tensor(floor)))


def extended_log_derivative(values, floor=LOG_FLOOR):
    """Derivative of :func:`extended_log`."""
    return 1 / values.clamp(min=floor)


def masked_mean(values, mask):
    """Mean (S, 1) over the people (S, P) of a mask; 0 where it has none."""
    return (values * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
