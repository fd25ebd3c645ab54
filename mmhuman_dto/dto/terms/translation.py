"""What the initial meshes say of distances, apart from people's heights."""
import torch

from mmhuman_dto.registry import DTO_TERMS

from .base import NoisyTerm, Normal, by_person


@DTO_TERMS.register_module()
class TranslationTerm(NoisyTerm):
    """Initial meshes are where people are, but for the focal length, an error of the scene and noise of each person.

    For networks that have learnt distances (Metric-Aware HMR); one that looks at one person at a time only knows how
    large an adult appears, which :class:`InitialTerm` says.

    Args:
        bias_std: std of the logarithm of true over initial distance that a scene has in common.
        std, weight, dof, correlation_time: noise of log initial distance, see :class:`NoisyTerm`.
    """

    def __init__(self, bias_std=.15, std=.1, weight=6., dof=6., correlation_time=5.):
        super().__init__(std, weight, dof, correlation_time)
        self.bias_std = bias_std

    def variables(self, problem):
        return {'translation_bias': Normal(torch.zeros_like(problem.z[:, 0]), self.bias_std)}

    def residuals(self, problem, values):
        return values['log_scale'] - by_person(values['translation_bias'])

    def jacobian(self, problem, values):
        one = torch.ones_like(problem.z)
        return {'log_scale': one, 'translation_bias': -one}
