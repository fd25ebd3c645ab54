"""How depth follows from the values of a depth map: the forms a network's output can have.

``x`` (S, P) are people's values over the scene's mean, ``offset`` (S, 1) is the form's one parameter besides scale.
"""
from .base import extended_log, extended_log_derivative


class InverseDepth:
    """Relative models: 1 / z = a * disparity + b, with b other than 0 in affine-invariant ones (arXiv 1907.01341).

    The offset is b's share of 1 / z at the mean disparity.
    """

    def observed(self, problem):
        """The map's value of each person (S, P) and the initial mesh's z (S, P), m, over the same pixels."""
        return problem.disparity, 1 / problem.inverse_z

    def value(self, disparity):
        """The map's value, in the form's terms, of a disparity."""
        return disparity

    def log_depth(self, x, offset):
        """Logarithm of z but for the scale."""
        return -extended_log(x + offset * (1 - x))

    def log_depth_by_offset(self, x, offset):
        return (x - 1) * extended_log_derivative(x + offset * (1 - x))

    def log_relief(self, x, offset):
        """Logarithm of how much log z falls as the logarithm of disparity rises."""
        return extended_log(1 - offset) + x.log() - extended_log(x + offset * (1 - x))

    def log_relief_by_offset(self, x, offset):
        return -extended_log_derivative(1 - offset) - (1 - x) * extended_log_derivative(x + offset * (1 - x))


class LinearDepth(InverseDepth):
    """The paper's form, z = alpha / disparity + beta (arXiv 2511.13282); the offset is beta's part of z at the mean."""

    def observed(self, problem):
        return problem.depth, problem.z

    def value(self, disparity):
        return 1 / disparity

    def log_depth(self, x, offset):
        return extended_log(x + offset * (1 - x))

    def log_depth_by_offset(self, x, offset):
        return (1 - x) * extended_log_derivative(x + offset * (1 - x))


class LogDepth(InverseDepth):
    """Metric models: log z = constant - (1 + offset) * log disparity."""

    def log_depth(self, x, offset):
        return -(1 + offset) * x.log()

    def log_depth_by_offset(self, x, offset):
        return -x.log()

    def log_relief(self, x, offset):
        return extended_log(1 + offset).expand_as(x)

    def log_relief_by_offset(self, x, offset):
        return extended_log_derivative(1 + offset).expand_as(x)


DOMAINS = {'inverse': InverseDepth(), 'linear': LinearDepth(), 'log': LogDepth()}


def domain_of(name):
    """The form of a name; ValueError lists the known ones."""
    if name not in DOMAINS:
        raise ValueError(f'unknown domain of depth {name!r}, expected one of {", ".join(DOMAINS)}')
    return DOMAINS[name]


def values_over_mean(domain, problem):
    """People's values ``x`` (S, P), 1 without depth, their mean in the scene (S, 1), and the meshes' log z."""
    values, z = domain.observed(problem)
    total = (values * problem.has_depth).sum(-1, keepdim=True)
    mean = total / problem.has_depth.sum(-1, keepdim=True).clamp(min=1)
    mean = problem.reference(f'mean of {type(domain).__name__}', mean.where(mean > 0, 1.))
    return (values / mean).where(problem.has_depth, 1.), mean, z.log()
