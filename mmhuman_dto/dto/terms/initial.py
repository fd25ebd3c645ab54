"""What the initial meshes say of people's heights, and with them of their distances."""
import torch

from mmhuman_dto.registry import DTO_TERMS

from .base import NoisyTerm


@DTO_TERMS.register_module()
class InitialTerm(NoisyTerm):
    """Initial meshes are adults, a little taller or shorter as the person is.

    A network that looks at one person cannot tell small and near from tall and far: it gives everybody nearly the same
    height and the distance that goes with it. log(initial / typical) = share * log(true / typical) + noise.

    Args:
        share: how much of a person's difference from the typical height the initial mesh shows.
        typical: height, m, the network falls back to.
        std, weight, dof: noise of log initial height, see :class:`NoisyTerm`.
    """

    of_bodies = True

    def __init__(self, share=.17, typical=1.715, std=.02, weight=20., dof=6.):
        super().__init__(std, weight, dof)
        self.share, self.typical = share, typical

    def residuals(self, problem, values):
        tall = (problem.heights / self.typical).log()
        return self.share * (values['log_scale'] + values['log_size'] + tall) - tall

    def jacobian(self, problem, values):
        share = torch.full_like(problem.heights, self.share)
        return {'log_scale': share, 'log_size': share}
