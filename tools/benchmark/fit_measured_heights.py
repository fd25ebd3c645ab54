#!/usr/bin/env python
"""What heights are measured by: lengths of bones and surfaces of OpenBody's shapes of all ages in many poses.

    python tools/benchmark/fit_measured_heights.py [--shapes 4000] [--seed 0] [--out FILE] [--anny 600]

Writes mmhuman_dto/body_models/data/measuring.npz, and prints what measured heights of other shapes are off by; with
--anny, of so many of anny's bodies too (docs/bodies.md says how it is installed).
"""
import argparse
import os
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402

from mmhuman_dto.body_models.measuring import CHAINS, LENGTHS, POPULATION, Population, given, lengths  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402
from mmhuman_dto.synthetic.poses import random_poses  # noqa: E402

#: Child blends of the kinds of proportions.
KINDS = ((0., 0.), (0., .2), (.2, .4), (.4, .6), (.6, .8), (.8, 1.05))
#: Relative standard deviations between body models of what each calls by the same name: where the centres of hips and
#: heads lie is a matter of convention, as is what belongs to a surface (eyes, mouths, hair). Wider than OpenBody and
#: anny differ, who agree on the centres; the last is of the height: a body model may deviate in all parts alike.
TOPOLOGY = dict(shank=.08, thigh=.08, spine=.06, head=.2, upper_arm=.05, forearm=.06, foot=.12, hips=.4, shoulders=.08,
                side=.1, area=.04, volume=.05, height=.03)
#: Ages in anny's measure, babies to old, between which people are put together.
AGES = (0., .2, .4, .66, 1.01)
#: What may be known, for the table that is printed.
CASES = dict(
    bones=slice(len(CHAINS)), legs=[LENGTHS.index(name) for name in ('shank', 'thigh')],
    arms=[LENGTHS.index(name) for name in ('upper_arm', 'forearm')],
    surface=slice(len(CHAINS), None), both=slice(None))


class Measured(NamedTuple):
    """N posed bodies: logarithms of their lengths (N, L) and of their rest-pose heights (N), m."""
    lengths: np.ndarray
    heights: np.ndarray


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shapes', type=int, default=4000, help='of each kind of proportions')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=output_file, default=str(POPULATION), help='file to write')
    parser.add_argument('--anny', type=int, default=0, help="bodies of anny's to measure, too")
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    fitted = fit([measure(body_model, kind, args.shapes, args.seed + row) for row, kind in enumerate(KINDS)])
    np.savez_compressed(args.out, **{name: value.astype(np.float32) for name, value in fitted._asdict().items()})
    others = [measure(body_model, kind, max(args.shapes // 8, 2), args.seed + 100 + row)
              for row, kind in enumerate(KINDS)]
    print(f'{"what is known":15s}{"people":10s}{"error":>8s}{"stated":>8s}{"in 90 %":>9s}')
    for name, row in CASES.items():
        for people, some in (('adults', others[:1]), ('children', others[1:])):
            found = Measured(*map(np.concatenate, zip(*some)))
            mean, std = given(found.lengths[:, row], np.arange(len(LENGTHS))[row],
                              fitted._replace(topology=0 * fitted.topology))
            error = mean - found.heights
            print(f'{name:15s}{people:10s}{error.std():8.1%}{np.sqrt((std**2).mean()):8.1%}'
                  f'{(abs(error) < 1.645 * std).mean():9.0%}')
    if args.anny:
        report_anny(fitted, args.anny, args.seed)


def report_anny(fitted, count, seed):
    """Print what heights of anny's bodies of random phenotypes are off by, with the allowance for other bodies."""
    anny, rng = BODY_MODELS.build(dict(type='Anny')), np.random.default_rng(seed)
    betas = np.clip(.5 + .3 * np.clip(rng.normal(size=(count, 6)), -1.5, 1.5), 0, 1)
    betas[:, :2] = rng.uniform(size=(count, 2))
    betas, parts = torch.from_numpy(betas).float(), []
    with torch.inference_mode():
        for some in betas.split(32):
            output = anny(torch.zeros(len(anny.bone_names), 3), some)
            parts.append(lengths(output.joints, output.vertices, anny.faces))
        logs, heights = np.log(np.concatenate(parts)), anny.height(betas).double().log().numpy()
    print(f'{"anny":15s}{"age":10s}{"bias":>8s}{"spread":>8s}{"stated":>8s}{"in 90 %":>9s}')
    for name, row in CASES.items():
        mean, std = given(logs[:, row], np.arange(len(LENGTHS))[row], fitted)
        error = mean - heights
        for low, high in zip(AGES, AGES[1:]):
            some = (betas[:, 1].numpy() >= low) & (betas[:, 1].numpy() < high)
            print(f'{name:15s}{low:.2f}-{high:.2f} {error[some].mean():8.1%}{error[some].std():8.1%}'
                  f'{std[some].mean():8.1%}{(abs(error) < 1.645 * std)[some].mean():9.0%}')


def measure(body_model, blends, count, seed):
    """:class:`Measured` of random shapes with child blends within ``blends`` in random poses."""
    rng = np.random.default_rng(seed)
    betas = rng.normal(0, 1, (count, body_model.num_betas))
    betas[:, body_model.child_coefficient] = rng.uniform(*blends, count)
    betas = torch.from_numpy(betas).float()
    poses = torch.from_numpy(random_poses(count, seed, noise=12., swapped=.3)).float()
    parts = []
    with torch.inference_mode():
        for rows in torch.arange(count).split(64):
            output = body_model(poses[rows], betas[rows])
            parts.append(lengths(output.joints[:, :24], output.vertices, body_model.faces))
        heights = body_model.height(betas).double().log().numpy()
    return Measured(np.log(np.concatenate(parts)), heights)


def fit(kinds):
    """The :class:`~mmhuman_dto.body_models.measuring.Population` of :class:`Measured` bodies of each kind."""
    values = [np.column_stack(kind) for kind in kinds]
    return Population(np.stack([value.mean(0) for value in values]), np.stack([np.cov(value.T) for value in values]),
                      np.array(list(TOPOLOGY.values())))


if __name__ == '__main__':
    main()
