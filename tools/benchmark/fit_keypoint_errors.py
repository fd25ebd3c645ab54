#!/usr/bin/env python
"""How wrong networks of 2D joints are: the constants of KeypointErrors, from rendered crowds of another seed.

    python tools/benchmark/fit_keypoint_errors.py [--scenes 90] [--seed 300]

Finds people's joints in crowds with exact truth by MoveNetJoints and by BlazePoseJoints and prints what each says for
mmhuman_dto/synthetic/keypoint_errors.py, whose defaults lie between the two.
"""
import argparse
import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from fit_keypoint_terms import Found, find, hips_offset  # noqa: E402
from scipy.optimize import curve_fit  # noqa: E402
from scipy.stats import median_abs_deviation  # noqa: E402

from mmhuman_dto.datasets import SyntheticCrowd  # noqa: E402
from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.registry import SOURCES  # noqa: E402
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors  # noqa: E402

#: Scores below this are as good as no answer, and too few to say how wrong they are.
MIN_SCORE = .15
#: Joints of scores within one of so many equally full ranges are looked at together.
RANGES = 12


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=90)
    parser.add_argument('--seed', type=int, default=300, help='of the scenes; the bundled crowds have another one')
    parser.add_argument('--people', nargs='+', default=['MoveNetJoints', 'BlazePoseJoints'],
                        help='sources of people with joints')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    crowds = SyntheticCrowd(seed=args.seed, num_scenes=args.scenes)
    for kind in args.people:
        source = SOURCES.build(dict(type=kind, device='cpu'))
        people = [find(source, crowds[i], crowds.body_model) for i in range(len(crowds))]
        found = Found(*(torch.cat(parts).numpy() for parts in zip(*people)))
        print(f'{kind}: {len(found.heights)} people')
        for name, values in constants(found).items():
            print(f'  {name:14s}', *(f'{value:7.3f}' for value in np.atleast_1d(values)))


def constants(found):
    """The fields of KeypointErrors that a network's answers tell, by name."""
    size = np.linalg.norm(np.ptp(found.true, axis=1), axis=-1)[:, None]
    distance = np.linalg.norm(found.keypoints - found.true, axis=-1) / size
    used = found.inside & (found.scores >= MIN_SCORE)
    rows = np.array_split(found.scores[used].argsort(), RANGES)
    middle = [np.median(found.scores[used][part]) for part in rows]
    wrong_std = KeypointErrors().wrong_std
    spread, wrong = zip(*(two_kinds(distance[used][part], wrong_std) for part in rows))
    std = fit_curve(lambda score, least, more, decline: least + more * np.exp(-decline * score), middle, spread,
                    (.006, .1, 4.))
    expected = std[0] + std[1] * np.exp(-std[2] * found.scores)
    person = [np.median((one / scale)[seen]) for one, scale, seen in zip(distance, expected, used) if seen.sum() > 8]
    return dict(
        std=std, wrong=fit_curve(lambda score, first, second: first * np.exp(-second * score), middle, wrong, (1., 3.)),
        person_spread=median_abs_deviation(np.log(person), scale='normal'),
        visible_score=log_odds(found.scores[found.visible]),
        hidden_score=log_odds(found.scores[found.inside & ~found.visible]),
        outside_score=log_odds(found.scores[~found.inside]),
        hips_raised=hips_offset(found.keypoints, found.scores, found.true))


def two_kinds(distance, wrong_std, rounds=100):
    """Std of the joints that are about right and share of the wrong ones, whose std is given, by expectation
    maximisation; distance (N,) of normal errors in x and y."""
    std, share = np.median(distance) / 1.18, .2
    for _ in range(rounds):
        right, wrong = ((part / scale**2) * np.exp(-(distance / scale)**2 / 2) for part, scale in (
            (1 - share, std), (share, wrong_std)))
        belief = right / (right + wrong).clip(1e-300)
        std, share = np.sqrt((belief * distance**2).sum() / belief.sum() / 2), 1 - belief.mean()
    return std, share


def fit_curve(curve, scores, values, start):
    """The numbers of a curve, all positive, that is nearest to values over scores, in relative terms."""
    values = np.maximum(values, 1e-4)
    return curve_fit(lambda score, *numbers: np.log(np.maximum(curve(score, *numbers), 1e-9)), scores, np.log(values),
                     p0=start, bounds=(1e-4, 20.))[0]


def log_odds(scores):
    """Robust mean and std of the logarithm of s / (1 - s) of scores (N,); nan of none."""
    if not len(scores):
        return np.nan, np.nan
    scores = np.clip(scores, 1e-3, 1 - 1e-3)
    odds = np.log(scores / (1 - scores))
    return np.median(odds), median_abs_deviation(odds, scale='normal')


if __name__ == '__main__':
    main()
