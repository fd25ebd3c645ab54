"""How tall people are: a mixture over classes of age and sex, as probable as a person's age and sex say."""
import torch

from mmhuman_dto.registry import DTO_TERMS

from ..prior import AGE_LIMITS, FEMALE, HEIGHT_CLASSES, TEEN
from .base import Term, constant
from .mixture import mixture_site


@DTO_TERMS.register_module()
class HeightTerm(Term):
    """Log height is normal in each class; a person belongs to one of them, nobody knows for sure to which.

    The mixture is projected on a normal per person, see :func:`~.mixture.mixture_site`.

    Args:
        shares: of babies, kids, teens, women and men among people of unknown age.
        age_std: std of the logarithm of (age + 2 years) as it is told.
        wrong: probability that age and sex are told of somebody else.
        population_spread: how many times as wide a class is in the population, as crowds and countries differ.
        growth: how much children of one class grow with their age, m a year, baby, kid, teen.
        growth_std: std of a child's height at its age, as a share of its class's.
        damping: part of the way a site moves in a round.
    """

    of_bodies = True

    def __init__(self, shares=(.06, .12, .12, .35, .35), age_std=.12, wrong=.05, population_spread=1.5,
                 growth=(.1, .063, .055), growth_std=.7, damping=.7):
        self.shares, self.age_std, self.wrong, self.population_spread = shares, age_std, wrong, population_spread
        self.growth, self.growth_std, self.damping = growth, growth_std, damping

    def residuals(self, problem, values):
        """Log heights: the site says what they should be."""
        return values['log_scale'] + values['log_size'] + problem.heights.log()

    def jacobian(self, problem, values):
        one = torch.ones_like(problem.heights)
        return {'log_scale': one, 'log_size': one}

    def update(self, problem, mean, variance, site):
        found = mixture_site(mean, variance, site, self.classes(problem), self.damping)
        return found._replace(precision=found.precision * problem.mask)

    @constant
    def classes(self, problem):
        """Weights, means and stds (S, P, K) of log height of the classes a person may be of.

        The first five are by the age and sex that are told, the last five those of the population.
        """
        told = problem.ages.isfinite()[..., None]
        table = problem.heights.new_tensor([(c.mean, c.std) for c in HEIGHT_CLASSES[:-1]])
        population = problem.heights.new_tensor(self.shares).expand(*problem.heights.shape, len(self.shares))
        trust = told.to(population) * (1 - self.wrong)
        weights = torch.cat([trust * self._told_shares(problem), (1 - trust) * population], -1)
        mean, std = table.unbind(-1)
        told_mean, told_std = self._at_age(problem, mean, std)
        means = torch.cat([told_mean, mean.expand_as(told_mean)], -1)
        stds = torch.cat([told_std, (std * self.population_spread).expand_as(told_std)], -1)
        return weights, means.log(), stds / means

    def _told_shares(self, problem):
        """Probabilities (S, P, 5) of the classes by told age and P(male)."""
        limits = problem.ages.new_tensor(AGE_LIMITS)
        age = _told_age(problem)
        below = torch.special.ndtr(((limits + 2) / (age + 2)).log() / self.age_std)
        children = torch.cat([below[..., :1], below.diff(dim=-1)], -1)
        adult, male = 1 - below[..., -1:], problem.male_probs.nan_to_num(.5).clamp(0, 1)[..., None]
        return torch.cat([children, adult * (1 - male), adult * male], -1)

    def _at_age(self, problem, mean, std):
        """Means and stds (S, P, 5), m, of the classes at each person's age."""
        age = _told_age(problem)
        low, high = problem.ages.new_tensor([(0., *AGE_LIMITS[:-1]), AGE_LIMITS])
        grown = (torch.minimum(torch.maximum(age, low), high) - (low + high) / 2) * age.new_tensor(self.growth)
        adults = grown.new_zeros(*age.shape[:-1], len(mean) - FEMALE)
        means = mean + torch.cat([grown, adults], -1)
        narrow = torch.where(torch.arange(len(mean), device=age.device) <= TEEN, self.growth_std, 1.)
        return means, (std * narrow).expand_as(means)


def _told_age(problem):
    """Ages (S, P, 1), years, 30 where unknown; networks may tell less than nothing."""
    return torch.where(problem.ages.isfinite(), problem.ages, 30.).clamp(min=0)[..., None]
