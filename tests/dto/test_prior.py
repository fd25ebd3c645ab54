import pytest
import torch
from dto_reference import height_prior

from mmhuman_dto.dto import HeightPrior
from mmhuman_dto.registry import DTO_PRIORS

NAN = float('nan')
AGES = [0., 2.99, 3., 7.99, 8., 14.99, 15., 40., 90., NAN]
MALE_PROBS = [0., .3299, .33, .5, .6699, .67, 1., NAN]


def test_adults_meet_the_prior_half_way_children_do_not():
    targets = HeightPrior()(torch.tensor([2., 2.]), torch.tensor([30., 5.]), torch.tensor([1., 1.]))
    torch.testing.assert_close(targets.mean, torch.tensor([1.892, 1.122], dtype=torch.float64))
    torch.testing.assert_close(targets.std, torch.tensor([.0759, .12], dtype=torch.float64))


@pytest.mark.parametrize('use_age', [True, False])
@pytest.mark.parametrize('use_gender', [True, False])
def test_agrees_with_reference(use_age, use_gender):
    ages, probs = (grid.flatten() for grid in torch.meshgrid(
        torch.tensor(AGES, dtype=torch.float64), torch.tensor(MALE_PROBS, dtype=torch.float64), indexing='ij'))
    heights = torch.linspace(.5, 2.2, len(ages), dtype=torch.float64)
    targets = HeightPrior(use_age, use_gender)(heights, ages, probs)
    for i in range(len(ages)):
        mean, std, kind = height_prior(float(heights[i]), float(ages[i]), float(probs[i]), use_age, use_gender)
        assert targets.height_class[i] == kind
        assert float(targets.mean[i]) == pytest.approx(mean, abs=1e-15)
        assert float(targets.std[i]) == pytest.approx(std, abs=1e-15)


def test_any_leading_shape_and_nobody():
    targets = HeightPrior()(torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 3))
    assert targets.mean.shape == targets.height_class.shape == (2, 3)
    assert HeightPrior()(torch.ones(0), torch.ones(0), torch.ones(0)).mean.shape == (0, )


def test_is_registered():
    assert DTO_PRIORS.build(dict(type='HeightPrior', use_age=False)).use_age is False
