"""Depth-conditioned translation optimisation in one call: evidence, prior and solver put together."""
from mmhuman_dto.registry import DTO_PRIORS, DTO_SOLVERS

from .evidence import EvidenceExtractor
from .prior import HeightPrior
from .problem import DTOProblem


class DTOOptimizer:
    """Places the people of each image together (DTO paper, arXiv 2511.13282).

    Generator, training transform, label refresh and test-time refinement all make this call, and take its arguments
    under their names.

    Args:
        solver: a solver or its config, see ``DTO_SOLVERS``. Its ``depth``, where it has one, says what depth maps are
            to it (see :meth:`DTOProblem.from_samples`); else they are needed.
        prior: a height prior or its config, see ``DTO_PRIORS``; None: :class:`HeightPrior`.
        evidence: arguments of :class:`EvidenceExtractor`, for samples with maps.
    """

    def __init__(self, solver, prior=None, evidence=None):
        self.solver = DTO_SOLVERS.build(solver) if isinstance(solver, dict) else solver
        self.prior = DTO_PRIORS.build(prior) if isinstance(prior, dict) else prior or HeightPrior()
        self.evidence = EvidenceExtractor(**(evidence or {}))

    def solve(self, samples, body_model):
        """:class:`DTOResult` for S samples; see :meth:`DTOProblem.from_samples` for what they need."""
        depth = getattr(self.solver, 'depth', 'needed')
        return self.solver.solve(DTOProblem.from_samples(samples, body_model, self.prior, self.evidence, depth))

    def __call__(self, samples, body_model, keep_dropped=False):
        """New samples with the people placed; see :meth:`DTOResult.apply`."""
        return self.solve(samples, body_model).apply(samples, body_model, keep_dropped)
