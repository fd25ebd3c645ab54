"""How tall people are: the Gaussian prior of stature by age and gender that DTO balances against the depth map.

Constants are those of "Towards Metric-Aware Multi-Person Mesh Recovery by Jointly Optimizing Human Crowd in
Camera Space" (arXiv 2511.13282) as its public release uses them.
"""
from typing import NamedTuple

import torch

from mmhuman_dto.registry import DTO_PRIORS


class HeightClass(NamedTuple):
    """Stature of one class of people: mean and standard deviation, m."""
    name: str
    mean: float
    std: float


#: The index in this table is the ``height_class`` of a person.
HEIGHT_CLASSES = (
    HeightClass('baby', .801, .126),
    HeightClass('kid', 1.122, .12),
    HeightClass('teen', 1.477, .156),
    HeightClass('female', 1.647, .0707),
    HeightClass('male', 1.784, .0759),
    HeightClass('neutral', 1.715, .1),
)
BABY, KID, TEEN, FEMALE, MALE, NEUTRAL = range(len(HEIGHT_CLASSES))
#: Ages (years) at which baby becomes kid, kid becomes teen, teen becomes adult.
AGE_LIMITS = (3., 8., 15.)
#: P(male) below the first is female, from the second on male, neutral between them.
MALE_LIMITS = (.33, .67)
#: Standard deviation (m) of an adult around the initial height when gender isn't used.
GENDERLESS_STD = .073


class HeightTargets(NamedTuple):
    """Gaussian prior of each person's height: mean, std (*), m, float64; height_class (*), index in HEIGHT_CLASSES."""
    mean: torch.Tensor
    std: torch.Tensor
    height_class: torch.Tensor


@DTO_PRIORS.register_module()
class HeightPrior:
    """Height prior by class of age and gender (DTO paper, arXiv 2511.13282).

    Children take the mean of their class. An adult's mean is the average of the class's mean and the height of the
    initial mesh. An unknown age (nan) counts as adult, an unknown P(male) (nan) as neutral.

    Args:
        use_age: False treats everybody as adult.
        use_gender: False gives adults the height of their initial mesh as mean, std 0.073 m, class neutral.
    """

    def __init__(self, use_age=True, use_gender=True):
        self.use_age = use_age
        self.use_gender = use_gender

    def __call__(self, heights, ages, male_probs):
        """:class:`HeightTargets` (*) of people with initial rest-pose heights (*), m; ages (*), years, and P(male) (*)
        are nan where unknown."""
        heights = heights.double()
        height_class = self._classify(ages.to(heights), male_probs.to(heights))
        table = heights.new_tensor([(c.mean, c.std) for c in HEIGHT_CLASSES])
        mean, std = table[height_class].unbind(-1)
        adult = height_class >= FEMALE
        if self.use_gender:
            mean = torch.where(adult, (heights + mean) / 2, mean)
        else:
            mean = torch.where(adult, heights, mean)
            std = torch.where(adult, GENDERLESS_STD, std)
        return HeightTargets(mean, std, height_class)

    def _classify(self, ages, male_probs):
        adults = torch.full_like(ages, NEUTRAL, dtype=torch.long)
        if self.use_gender:
            adults[male_probs < MALE_LIMITS[0]] = FEMALE
            adults[male_probs >= MALE_LIMITS[1]] = MALE
        if not self.use_age:
            return adults
        known = torch.where(ages.isfinite(), ages, torch.inf)
        children = torch.bucketize(known, ages.new_tensor(AGE_LIMITS), right=True)
        return torch.where(children <= TEEN, children, adults)
