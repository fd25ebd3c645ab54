"""The posterior of a whole scene: distances and sizes of all people, form of the depth map, ground and focal length.

Gauss-Newton on all terms at once, in which each term's noise and weights are refitted every round by expectation
maximisation and the height mixture by expectation propagation; the inverse Hessian is the posterior's covariance.
"""
from functools import partial

import torch

from mmhuman_dto.registry import DTO_SOLVERS, DTO_TERMS

from ..posterior import Posterior
from ..result import DTOResult
from ..terms import Normal, Term
from .normal_equations import Layout, gauss_newton, linearise, residual_variance

DEFAULT_TERMS = dict(
    depth=dict(type='DepthTerm'), relief=dict(type='ReliefTerm'), ground=dict(type='GroundTerm'),
    height=dict(type='HeightTerm'), initial=dict(type='InitialTerm'))
#: Std of log scale where no term says anything.
SCALE_STD = 10.


@DTO_SOLVERS.register_module()
class PosteriorDTO:
    """Maximum of the posterior over scene and people, and how sure it is.

    Where the paper's solver puts people on a line over depth, here everybody may deviate from it by the noise of the
    depth map, which is fitted in each scene, and other terms speak too; nobody is taken out. A scene whose normal
    equations aren't finite fails: its people stay.

    Args:
        terms: what differs from ``DEFAULT_TERMS``, {name: config or object of a
            :class:`~mmhuman_dto.dto.terms.Term`, see ``DTO_TERMS``; None leaves the term out}. New names add terms.
        focal_std: scale of the logarithm of (true / given focal length), where the camera states none; 0 keeps the
            camera as given.
        focal_dof: degrees of freedom of its Student-t distribution: few, as some guesses are far off; infinite is
            normal.
        size_std: std of the logarithm of (true / initial mesh's) size in the image, of people without ``sizes_std``.
        rounds: most Gauss-Newton rounds.
        tolerance: largest step of a log depth at which to stop.
        needs_depth: whether people of whom no depth map says anything are left out. If not, the other terms place them,
            and images need no depth map.
    """

    def __init__(self, terms=None, focal_std=.1, focal_dof=2., size_std=.02, rounds=20, tolerance=1e-4,
                 needs_depth=True):
        terms = {**DEFAULT_TERMS, **(terms or {})}
        self.terms = [term if isinstance(term, Term) else DTO_TERMS.build(term) for term in terms.values() if term]
        self.focal_std, self.focal_dof, self.size_std = focal_std, focal_dof, size_std
        self.rounds, self.tolerance = rounds, tolerance
        self.needs_depth = needs_depth

    @property
    def depth(self):
        """What :meth:`DTOProblem.from_samples` is to do with depth maps."""
        if not any(term.uses_depth for term in self.terms):
            return 'unused'
        return 'needed' if self.needs_depth else 'used'

    def solve(self, problem):
        """Place the people of all scenes of a :class:`DTOProblem`; returns a :class:`DTOResult` with ``posterior``."""
        terms = [term.remembering() for term in self.terms]
        size_std = problem.size_std.nan_to_num(self.size_std)
        layout = Layout(self.scene_variables(terms, problem), {'log_scale': SCALE_STD, 'log_size': size_std},
                        problem.mask.shape[1])
        point, covariance, sites = layout.mean, None, [None] * len(terms)
        failed = torch.zeros_like(problem.mask[:, 0])
        for _ in range(self.rounds):
            values = layout.values(point)
            lines = [linearise(term, problem, values, layout) for term in terms]
            variances = [None if covariance is None else residual_variance(line.jacobian, covariance) for line in lines]
            sites = [term.update(problem, line.residuals, variance, site)
                     for term, line, variance, site in zip(terms, lines, variances, sites)]
            prior = layout.prior_precision(point, covariance)
            step, covariance, stuck = gauss_newton(lines, sites, layout.mean - point, prior)
            failed |= stuck
            step = step.masked_fill(failed[:, None], 0.)
            point = point + step
            if float(layout.values(step)['log_scale'].mul(problem.mask).abs().max()) < self.tolerance:
                break
        point = layout.mean.where(failed[:, None], point)  # initial people, given camera
        covariance = covariance.masked_fill(failed[:, None, None], torch.nan)
        keeps_camera = not self.focal_std_of(problem).any()
        values = layout.values(point)
        result = _result(problem, layout, values, covariance, failed, keeps_camera)
        result.depth_form = partial(metres, terms, problem, values)
        return result

    def scene_variables(self, terms, problem):
        """{name: :class:`Normal`} of all that a scene has but its people."""
        variables = {'log_focal': Normal(
            torch.zeros_like(problem.z[:, 0]), self.focal_std_of(problem), self.focal_dof)}
        for term in terms:
            brought = term.variables(problem)
            if twice := variables.keys() & brought.keys():
                raise ValueError(f'{type(term).__name__} brings the scene variable {twice.pop()!r} a second time')
            variables.update(brought)
        return variables

    def focal_std_of(self, problem):
        """(S) std of the logarithm of each scene's focal length."""
        return problem.focal_std.nan_to_num(self.focal_std)


def metres(terms, problem, values, scene, disparity):
    """What the first of the terms that reads the map in metres says; None where none does."""
    said = (term.metres(problem, values, scene, disparity) for term in terms)
    return next((depth for depth in said if depth is not None), None)


def _result(problem, layout, values, covariance, failed, keeps_camera):
    mask, one = problem.mask, torch.ones_like(problem.z)
    scale, focal = values['log_scale'].exp().where(mask, 1.), values['log_focal'].exp()
    heights = problem.heights * scale
    depth = layout.jacobian({'log_scale': one, 'log_focal': one}, one.shape)
    height = layout.jacobian({'log_scale': one, 'log_size': one}, one.shape)
    posterior = Posterior(
        depth=problem.root_z * scale * focal[:, None],
        height=heights,
        log_depth_covariance=depth @ covariance @ depth.transpose(1, 2),
        # The mesh keeps its size in the image, its height misses the most likely one by the size's correction.
        log_height_std=(residual_variance(height, covariance) + values['log_size'].square()).sqrt(),
        log_focal_std=covariance.diagonal(dim1=1, dim2=2)[:, layout.places['log_focal']].sqrt(),
        scene={name: value for name, value in values.items() if value.ndim == 1})
    deviation = (heights - problem.prior_mean).abs() / problem.prior_std
    return DTOResult(
        problem=problem,
        scale=scale,
        skipped=torch.zeros_like(mask),
        optimised=(mask.sum(-1) >= 2) & ~failed,
        deviation=(deviation * mask).sum(-1) / mask.sum(-1).clamp(min=1),
        focal_scale=None if keeps_camera else focal,
        posterior=posterior,
        failed=failed)
