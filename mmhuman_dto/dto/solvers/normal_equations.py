"""One Gauss-Newton step over all variables of padded scenes, and the posterior covariance that comes with it."""
from typing import NamedTuple

import torch

from ..terms.base import trust

#: Std of a prior is never taken smaller, so that a variable can be held by a std of 0.
MIN_STD = 1e-6
#: Part of its diagonal that is added to a Hessian which rounding has left indefinite: far above the rounding of sums of
#: thousands of double products, far below what a step would show.
DAMPING = 1e-9


class Linear(NamedTuple):
    """Residuals (S, R) of a term and their Jacobian (S, R, V) by all variables."""
    residuals: torch.Tensor
    jacobian: torch.Tensor


class Layout:
    """Where each value is among the V variables of a scene: one a scene variable, then P = ``people`` a person value.

    ``scene`` has their :class:`~mmhuman_dto.dto.terms.Normal` priors, ``person`` the std, a number or (S, P), of
    values (S, P) of mean 0.
    """

    def __init__(self, scene, person, people):
        self.places = {name: i for i, name in enumerate(scene)}
        for i, name in enumerate(person):
            first = len(scene) + i * people
            self.places[name] = slice(first, first + people)
        means = torch.stack([prior.mean for prior in scene.values()], -1)
        stds = [torch.as_tensor(prior.std).to(means).expand(len(means)) for prior in scene.values()]
        stds = [torch.stack(stds, -1)] + [torch.as_tensor(std).to(means).expand(len(means), people)
                                          for std in person.values()]
        self.mean = torch.cat([means, means.new_zeros(len(means), people * len(person))], -1)
        normal = [float('inf')] * people * len(person)
        self.dof = means.new_tensor([prior.dof for prior in scene.values()] + normal)
        self.precision = torch.cat(stds, -1).clamp(min=MIN_STD).square().reciprocal()

    def prior_precision(self, point, covariance):
        """(S, V) of the priors, those of Student's t as far as the present posterior believes in them."""
        if covariance is None:
            return self.precision
        squared = (point - self.mean).square() + covariance.diagonal(dim1=-2, dim2=-1)
        return self.precision * trust(squared * self.precision, self.dof)

    def values(self, point):
        """{name: (S) or (S, P)} of variables (S, V)."""
        return {name: point[:, place] for name, place in self.places.items()}

    def jacobian(self, derivatives, shape):
        """Dense (S, R, V) of derivatives by name, see :meth:`Term.jacobian`; ``shape`` is (S, R)."""
        dense = self.mean.new_zeros(*shape, self.mean.shape[-1])
        for name, derivative in derivatives.items():
            place = dense[..., self.places[name]]
            if place.ndim == 3 and derivative.ndim == 2:
                place = place.diagonal(dim1=-2, dim2=-1)
            place.copy_(derivative)
        return dense


def linearise(term, problem, values, layout):
    """:class:`Linear` of a term at the values."""
    residuals = term.residuals(problem, values)
    return Linear(residuals, layout.jacobian(term.jacobian(problem, values), residuals.shape))


def residual_variance(jacobian, covariance):
    """(S, R) of the residuals under a covariance (S, V, V)."""
    return ((jacobian @ covariance) * jacobian).sum(-1)


def gauss_newton(lines, sites, from_prior, precision):
    """Step (S, V) to the minimum of the linearised problem, the inverse of its Hessian (S, V, V), and who has none (S).

    A Hessian that rounding has made indefinite is damped; one that isn't finite fails, alone in its batch. Each term
    has its :class:`Linear` and :class:`~mmhuman_dto.dto.terms.Site`; ``from_prior`` (S, V) is the prior's mean less the
    present point, ``precision`` (S, V) the prior's.
    """
    jacobian = torch.cat([line.jacobian for line in lines], 1)
    weight = torch.cat([site.precision for site in sites], 1)
    missing = torch.cat([site.target - line.residuals for line, site in zip(lines, sites)], 1)
    weighted = jacobian.transpose(1, 2) * weight[:, None]
    hessian = weighted @ jacobian
    hessian.diagonal(dim1=-2, dim2=-1).add_(precision)
    gradient = (weighted @ missing[..., None])[..., 0] + precision * from_prior
    factor, failed = _factored(hessian)
    covariance = torch.cholesky_inverse(factor)
    return (covariance @ gradient[..., None])[..., 0], covariance, failed


def _factored(hessian):
    """Cholesky factor of matrices (S, V, V), damped where need be, and which have none (S): theirs is the identity."""
    factor, info = torch.linalg.cholesky_ex(hessian)
    failed = _unusable(factor, info)
    if failed.any():
        damped = hessian[failed] + DAMPING * hessian[failed].diagonal(dim1=-2, dim2=-1).diag_embed()
        factor[failed], info[failed] = torch.linalg.cholesky_ex(damped)
        failed = _unusable(factor, info)
        factor[failed] = torch.eye(hessian.shape[-1]).to(factor)
    return factor, failed


def _unusable(factor, info):
    """(S) of what ``cholesky_ex`` returns; not every library says so of nan."""
    return (info > 0) | ~factor.diagonal(dim1=-2, dim2=-1).isfinite().all(-1)
