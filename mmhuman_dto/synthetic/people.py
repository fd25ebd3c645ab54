"""Who is in a scene: ages, sexes, heights, and the shape coefficients that give a body that height."""
from typing import NamedTuple

import numpy as np
import torch

#: Age range (years), mean and std of the height (m) of each class of DTO's prior (DTO paper, arXiv 2511.13282).
CLASSES = {
    'baby': ((1, 3), .801, .126), 'kid': ((3, 8), 1.122, .12), 'teen': ((8, 15), 1.477, .156),
    'female': ((15, 75), 1.647, .0707), 'male': ((15, 75), 1.784, .0759),
}
#: How a child's class is drawn.
CHILD_SHARES = {'baby': .2, 'kid': .4, 'teen': .4}
#: Babies below this height can't stand yet: they sit.
STANDING_HEIGHT = .74
#: Heights stay within this many std of their class.
TRUNCATION = 2.


class People(NamedTuple):
    """N people before they are posed: ``ages`` (N) years, ``male`` (N) bool, ``heights`` (N) m, ``betas`` (N, B)."""
    ages: np.ndarray
    male: np.ndarray
    heights: np.ndarray
    betas: np.ndarray


def sample_people(number, child_share, body_model, rng):
    """Ages, sexes and heights from the height prior's classes, with betas whose rest-pose height is exactly that.

    A person is below 15 years with probability ``child_share``; the body model's last coefficient is a child's.
    """
    ages, heights = np.zeros(number), np.zeros(number)
    male = rng.random(number) < .5
    for i in range(number):
        child = rng.random() < child_share
        adult = 'male' if male[i] else 'female'
        name = rng.choice(list(CHILD_SHARES), p=list(CHILD_SHARES.values())) if child else adult
        (youngest, oldest), mean, std = CLASSES[name]
        score = np.clip(rng.normal(), -TRUNCATION, TRUNCATION)
        heights[i] = mean + std * score
        # The taller child of a class is the older one, roughly; an adult's age says nothing about height.
        rank = rng.random() if not child else np.clip(.5 + .25 * score + rng.normal(0, .08), 0, .999)
        ages[i] = youngest + (oldest - youngest) * rank
    betas = rng.normal(0, .7, (number, body_model.num_betas))
    return People(ages, male, heights, betas_for_people(heights, ages, betas, body_model))


def betas_for_people(heights, ages, betas, body_model):
    """Betas (N, B) that give bodies heights (N), m: children's by the child coefficient, the rest's by the first.

    Other coefficients are kept; ages (N) in years; ValueError for children where the body model has no coefficient.
    """
    child, young = body_model.child_coefficient, ages < CLASSES['male'][0][0]
    if child is None and not young.any():
        return match_height(heights, betas, 0, body_model)
    if child is None:
        raise ValueError(f'{type(body_model).__name__} has no child coefficient: crowds of all ages need one '
                         "(body_model=dict(type='OpenBody') or dict(type='SMPL+A', ...))")
    betas = np.array(betas, dtype=np.float64)
    betas[:, child] = 0
    betas[young] = match_height(heights[young], betas[young], child, body_model)
    betas[:, child] = np.clip(betas[:, child], 0, None)  # a tall teenager is a small adult
    return match_height(heights, betas, 0, body_model)


def match_height(heights, betas, coefficient, body_model, tolerance=1e-5, rounds=30):
    """Change one coefficient until the rest-pose heights (N) are right within ``tolerance`` m; new betas (N, B).

    The height is piecewise linear in the betas, so a few linear steps do; ValueError for one out of reach.
    """
    betas = np.array(betas, dtype=np.float64)
    if not len(betas):
        return betas
    step = np.eye(betas.shape[1])[coefficient] * .1
    for _ in range(rounds):
        missing = heights - body_heights(betas, body_model)
        if np.abs(missing).max() <= tolerance:
            return betas
        slope = (body_heights(betas + step, body_model) - body_heights(betas - step, body_model)) / .2
        betas[:, coefficient] += missing / slope
    wrong = np.abs(missing) > tolerance
    raise ValueError(f'heights {heights[wrong]} m are out of reach of shape coefficient {coefficient}')


def body_heights(betas, body_model):
    """Rest-pose heights (N) m of betas (N, B)."""
    return body_model.height(torch.as_tensor(betas, dtype=torch.float32)).double().numpy()
