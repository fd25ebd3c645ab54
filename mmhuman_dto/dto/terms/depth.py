"""What the depth map says: how far away people are, and how deep they are."""
import math

import torch

from mmhuman_dto.registry import DTO_TERMS

from .base import NoisyTerm, Normal, by_person, constant, masked_mean
from .domains import domain_of, values_over_mean

#: The disparity of metric maps is in 1/km: this over depth in m.
PER_KILOMETRE = 1000.


@DTO_TERMS.register_module()
class DepthTerm(NoisyTerm):
    """People stand where the depth map puts them, but for noise of each person.

    Args:
        domain: the form of the map: 'inverse' (relative models), 'log' (metric ones), 'linear' (the paper's).
        offset_std: how much the form's offset is expected to differ from 0.
        scale_std: std of the logarithm of (true / shown depth). Infinite, for maps without a metric scale, leaves the
            scale to the other terms; else the map's disparity is in 1/km, and it tells the focal length too.
        std, weight, dof, correlation_time: the noise of log depth, see :class:`NoisyTerm`.
    """

    uses_depth = True

    def __init__(self, domain='inverse', offset_std=.2, scale_std=float('inf'), std=.05, weight=2., dof=6.,
                 correlation_time=5.):
        super().__init__(std, weight, dof, correlation_time)
        self.domain, self.offset_std, self.scale_std = domain_of(domain), offset_std, scale_std

    def variables(self, problem):
        x, mean, log_z = self._observed(problem)
        zero = torch.zeros_like(mean)
        if self.scale_std == float('inf'):
            scale, std = masked_mean(log_z - self.domain.log_depth(x, zero), problem.has_depth), 3.
        else:
            scale, std = self.domain.log_depth(mean, zero) + math.log(PER_KILOMETRE), self.scale_std
        return {'depth_scale': Normal(scale[:, 0], std), 'depth_offset': Normal(zero[:, 0], self.offset_std)}

    def metres(self, problem, values, scene, disparity):
        if not bool(problem.has_depth[scene].any()):
            return None
        _, mean, _ = self._observed(problem)
        shown = self.domain.log_depth(self.domain.value(disparity) / mean[scene], values['depth_offset'][scene])
        return (values['depth_scale'][scene] + shown).exp()

    @constant
    def evidence(self, problem):
        """A person whose mesh and map disagree pixel by pixel is known less well."""
        spread = problem.residual_std / problem.z / self.std
        return problem.has_depth / (1 + spread.square())

    def residuals(self, problem, values):
        x, _, log_z = self._observed(problem)
        shown = by_person(values['depth_scale']) + self.domain.log_depth(x, by_person(values['depth_offset']))
        return values['log_scale'] + by_person(values['log_focal']) + log_z - shown

    def jacobian(self, problem, values):
        x, _, _ = self._observed(problem)
        one = torch.ones_like(x)
        return {'log_scale': one, 'log_focal': one, 'depth_scale': -one,
                'depth_offset': -self.domain.log_depth_by_offset(x, by_person(values['depth_offset']))}

    @constant
    def _observed(self, problem):
        return values_over_mean(self.domain, problem)


@DTO_TERMS.register_module()
class ReliefTerm(NoisyTerm):
    """Bodies are as deep as their meshes: the slope of z over depth within people tells offset and focal length.

    The slope is that of the paper's evidence (arXiv 2511.13282), divided by the correlation, as both mesh and map have
    errors. Networks show bodies too flat or too deep on the whole: that is a variable of the scene.

    Args:
        domain: as of :class:`DepthTerm`, which must be a term too.
        min_correlation: people whose mesh and map correlate less say nothing.
        bias, bias_std: mean and std of the logarithm of shown over true relief, one a scene.
        std, weight, dof, correlation_time: noise of log relief at a correlation of 0.7, see :class:`NoisyTerm`.
    """

    uses_depth = True

    def __init__(self, domain='inverse', min_correlation=.3, bias=-.17, bias_std=.15, std=.25, weight=20., dof=6.,
                 correlation_time=5.):
        super().__init__(std, weight, dof, correlation_time)
        self.domain, self.min_correlation, self.bias, self.bias_std = domain_of(domain), min_correlation, bias, bias_std

    def variables(self, problem):
        return {'relief_bias': Normal(torch.full_like(problem.z[:, 0], self.bias), self.bias_std)}

    @constant
    def evidence(self, problem):
        """Part of the variance that mesh and map share over the part they don't."""
        shared = problem.correlation.square().clamp(max=.9)
        return (problem.has_depth & (problem.correlation > self.min_correlation)) * shared / (1 - shared)

    def residuals(self, problem, values):
        x, _, _ = self._observed(problem)
        return (self._seen(problem) - by_person(values['relief_bias']) - by_person(values['log_focal'])
                - self.domain.log_relief(x, by_person(values['depth_offset'])))

    def jacobian(self, problem, values):
        x, _, _ = self._observed(problem)
        one = torch.ones_like(x)
        return {'log_focal': -one, 'relief_bias': -one,
                'depth_offset': -self.domain.log_relief_by_offset(x, by_person(values['depth_offset']))}

    @constant
    def _observed(self, problem):
        return values_over_mean(self.domain, problem)

    @constant
    def _seen(self, problem):
        """Logarithm of the relief in map over that of the mesh, 0 where it says nothing."""
        slope = problem.slope * problem.depth / problem.z / problem.correlation
        return slope.where((slope > 0) & (problem.correlation > self.min_correlation), 1.).log()
