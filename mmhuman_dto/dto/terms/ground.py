"""People stand on one ground: their feet are on a plane that may slope."""
import torch

from mmhuman_dto.registry import DTO_TERMS

from .base import NoisyTerm, Normal, Site, by_person, constant, extended_log, extended_log_derivative, masked_mean
from .mixture import mixture_site

#: Who stands has a ``leg_reach`` of this at least: nine of ten that are fitted to joints of rendered crowds.
STANDING = .8
#: Part of the way that what is known of a foot moves in a round.
DAMPING = .7


@DTO_TERMS.register_module()
class GroundTerm(NoisyTerm):
    """The feet lie on a plane, unknown but for what cameras are held like; who does not stand on it counts little.

    On a plane 1 / z is affine in the image. With the logarithm q of the plane's 1 / z at the mean place (x, y) of the
    feet (at z = 1), a camera h above it and the plane's tilt to the side, log(1 / z) of a foot is
    q + log(1 + ((y_i - y) + tilt (x_i - x)) / (k h exp(q))), k being the true over the given focal length.

    Args:
        min_people: with fewer feet the term is off.
        unseen: quality of a foot the id map does not show, against 1.
        height, height_std: camera over the ground, m, and std of its logarithm.
        tilt_std: std of the tangent of the sideways tilt between camera and ground.
        seated_elsewhere: probability that the feet of who does not stand (``leg_reach`` below ``STANDING``) are not on
            that ground: on a step or a bar, or drawn up.
        elsewhere_std: std of the log depth of what is under such feet over that of the ground.
        std, weight, dof, correlation_time: noise of the feet's log depth, see :class:`NoisyTerm`.
    """

    def __init__(self, min_people=3, unseen=.25, height=1.8, height_std=.5, tilt_std=.1, seated_elsewhere=0.,
                 elsewhere_std=.3, std=.023, weight=4., dof=3., correlation_time=.5):
        super().__init__(std, weight, dof, correlation_time)
        self.min_people, self.unseen = min_people, unseen
        self.height, self.height_std, self.tilt_std = height, height_std, tilt_std
        self.seated_elsewhere, self.elsewhere_std = seated_elsewhere, elsewhere_std

    def variables(self, problem):
        one = torch.ones_like(problem.z[:, 0])
        level = -masked_mean(problem.feet[..., 2].clamp(min=.1).log(), problem.mask)[:, 0]
        return {'ground_level': Normal(level, 3.), 'ground_tilt': Normal(0 * one, self.tilt_std),
                'ground_height': Normal(one * torch.log(one * self.height), self.height_std)}

    @constant
    def evidence(self, problem):
        feet = problem.mask & (problem.feet[..., 2] > .1)
        enough = feet.sum(-1, keepdim=True) >= self.min_people
        return feet * enough * torch.where(problem.feet_seen, 1., self.unseen).to(problem.z)

    def update(self, problem, mean, variance, site):
        here = super().update(problem, mean, variance, site)
        if not self.seated_elsewhere:
            return here
        doubted = (here.precision > 0) & (problem.leg_reach < STANDING)
        stds = torch.stack([here.precision.where(doubted, 1.).rsqrt(), torch.full_like(mean, self.elsewhere_std)], -1)
        share = mean.new_tensor([1 - self.seated_elsewhere, self.seated_elsewhere]).expand_as(stds)
        found = mixture_site(mean, variance, site, (share, torch.zeros_like(stds), stds), DAMPING, self.worth(problem))
        return Site(*(torch.where(doubted, *values) for values in zip(found[:2], here[:2])), here.noise)

    def residuals(self, problem, values):
        plane = self._plane(problem, values)
        return (values['log_scale'] + by_person(values['log_focal']) + self._log_depths(problem)
                + by_person(values['ground_level']) + extended_log(1 + plane))

    def jacobian(self, problem, values):
        plane, (x, _) = self._plane(problem, values), self._places(problem)
        one, rise = torch.ones_like(plane), extended_log_derivative(1 + plane)
        flatter = one - rise * plane
        return {'log_scale': one, 'log_focal': flatter, 'ground_level': flatter, 'ground_height': -rise * plane,
                'ground_tilt': rise * x * self._steepness(values)}

    def _plane(self, problem, values):
        """1 / z of the plane at each foot over that at their mean, less 1."""
        x, y = self._places(problem)
        return (y + by_person(values['ground_tilt']) * x) * self._steepness(values)

    @staticmethod
    def _steepness(values):
        level, height, focal = (by_person(values[name]) for name in ('ground_level', 'ground_height', 'log_focal'))
        return torch.exp(-level - height - focal)

    @constant
    def _log_depths(self, problem):
        return problem.feet[..., 2].clamp(min=.1).log()

    @constant
    def _places(self, problem):
        """Feet in the image at z = 1, from their mean: x, y (S, P)."""
        x, y = (problem.feet[..., i] / problem.feet[..., 2].clamp(min=.1) for i in (0, 1))
        middle = problem.reference('middle of the feet', tuple(masked_mean(axis, problem.mask) for axis in (x, y)))
        return x - middle[0], y - middle[1]
