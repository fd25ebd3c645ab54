"""What every term of the posterior is: a piece of knowledge about a scene, as residuals the solver can weigh."""
import copy
from abc import ABC, abstractmethod
from functools import wraps
from typing import NamedTuple

import torch

#: ``extended_log`` is the logarithm above this and goes on as a straight line below.
LOG_FLOOR = .05


class Normal(NamedTuple):
    """Prior of a scene variable: ``mean`` (S), where the solver starts too, and ``std``, one number or (S).

    With finite degrees of freedom ``dof`` it is Student's t of that scale: a value far off is still thought possible.
    """
    mean: torch.Tensor
    std: torch.Tensor | float
    dof: float = float('inf')


class Site(NamedTuple):
    """What residuals are compared with: ``target`` (S, R) at ``precision`` (S, R) = 1 / variance, 0 to ignore.

    ``noise`` (S, 1) is the variance that a :class:`NoisyTerm` has fitted so far.
    """
    target: torch.Tensor
    precision: torch.Tensor
    noise: torch.Tensor | None = None


def constant(method):
    """Decorator of methods (self, problem) of a term: computed once in a solver's run, see :meth:`Term.remembering`."""
    @wraps(method)
    def remembered(self, problem):
        known = vars(self).get('_known')
        if known is None:
            return method(self, problem)
        if method not in known:
            known[method] = method(self, problem)
        return known[method]

    return remembered


class Term(ABC):
    """One piece of knowledge; register a subclass in ``DTO_TERMS`` and name it in a solver's ``terms``.

    Values are {'log_scale': (S, P), the logarithm of each person's new over initial distance, and every scene variable
    that a term brings: (S)}, float64. Residuals may be any differentiable function of them. In a video
    (:mod:`..temporal`) all people of all frames are one scene, in which a variable that drifts is (S, P), see
    :func:`by_person`.
    """

    #: Whether it reads what depth maps say.
    uses_depth = False
    #: Whether it is about people's bodies, which stay the same through a video; else about where people are in a frame.
    of_bodies = False

    def remembering(self):
        """A copy for one problem, which computes what is :func:`constant` but once."""
        same = copy.copy(self)
        same._known = {}
        return same

    def variables(self, problem):
        """Scene variables this term brings: {name: :class:`Normal`}."""
        return {}

    def metres(self, problem, values, scene, disparity):  # noqa: B027
        """z (*), m, of a scene's disparity (*) where the term reads depth maps in metres by its values; else None."""

    def worth(self, problem):
        """How many independent observations each residual is, (S, R) or one number for all: 1 in a picture."""
        return 1.

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
        """The :class:`Site` for the next round, from the residuals' mean and variance (S, R) by the present posterior.

        ``site`` is the present one. In the first round variance and site are None, and ``mean`` is at the start. The
        posterior has a site's precision times the residuals' :meth:`worth`.
        """


def trust(squared, dof):
    """Weight of a value by its square in variances: the mean precision of Student's t as a mixture of normals."""
    return (1 + 1 / dof) / (1 + squared / dof)


class NoisyTerm(Term):
    """A term whose residuals are 0 but for noise: Student-t among people, of a size fitted in every scene.

    The size is that of a scaled inverse chi-square prior (``std``, worth ``weight`` people) and the residuals seen, by
    expectation maximisation. People far off count little, nobody is dropped.

    Args:
        std: noise expected of a residual.
        weight: people's worth of trust in ``std``; infinite fixes it.
        dof: degrees of freedom of the Student-t distribution; infinite is normal.
        correlation_time: for how long, s, a person's errors stay alike in a video.
    """

    def __init__(self, std, weight, dof, correlation_time=1.):
        self.std, self.weight, self.dof, self.correlation_time = std, weight, dof, correlation_time

    @constant
    def worth(self, problem):
        return problem.worth(self.evidence(problem) > 0, self.correlation_time)

    def evidence(self, problem):
        """How good each person's residual is (S, P): noise variance is the scene's divided by it; 0 where unknown."""
        return problem.mask.to(problem.z)

    def update(self, problem, mean, variance, site):
        quality = self.evidence(problem)
        if site is None:
            noise = torch.full_like(mean[:, :1], self.std**2)
            return Site(torch.zeros_like(mean), trust(0., self.dof) * quality / noise, noise)
        known, squared = quality > 0, (mean.square() + variance) * quality
        known = known * self.worth(problem)
        total = (trust(squared / site.noise, self.dof) * known * squared).sum(-1, keepdim=True)
        noise = (self.std**2 + total / self.weight) / (1 + known.sum(-1, keepdim=True) / self.weight)
        return Site(site.target, trust(squared / noise, self.dof) * quality / noise, noise)


def extended_log(values, floor=LOG_FLOOR):
    """Logarithm that goes on as its tangent below ``floor``: finite, smooth and rising everywhere."""
    return torch.where(values > floor, values.clamp(min=floor).log(), values / floor - 1 + torch.log(
        values.new_tensor(floor)))


def extended_log_derivative(values, floor=LOG_FLOOR):
    """Derivative of :func:`extended_log`."""
    return 1 / values.clamp(min=floor)


def by_person(value):
    """A scene variable for arithmetic with (S, P): (S, 1) of one number a scene (S), (S, P) as it is."""
    return value[:, None] if value.ndim == 1 else value


def masked_mean(values, mask):
    """Mean (S, 1) over the people (S, P) of a mask; 0 where it has none."""
    return (values * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
