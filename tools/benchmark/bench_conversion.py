#!/usr/bin/env python
"""By how much people are off who become people of another body: random shapes of all ages in random poses.

    python tools/benchmark/bench_conversion.py [--people 12] [--bodies OpenBody Anny] [--model-path DIR]

Of each pair of bodies, there and back: mean and worst distance of joints and of the surface, mm, and seconds a person.
"""
import argparse
import os
import time

os.environ.setdefault('OMP_NUM_THREADS', '1')

import torch  # noqa: E402

from mmhuman_dto.apis.converting import build_body  # noqa: E402
from mmhuman_dto.fitting import convert  # noqa: E402
from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.structures import People  # noqa: E402
from mmhuman_dto.synthetic.poses import random_poses  # noqa: E402


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--people', type=int, default=12)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--bodies', nargs='+', default=['Anny'], help='what OpenBody becomes (default %(default)s)')
    parser.add_argument('--model-path', help='files of bodies that have some')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    source = build_body('OpenBody')
    people = crowd(source, args.people, args.seed)
    report('OpenBody -> OpenBody', people, source, source)
    for name in args.bodies:
        body = build_body(name, args.model_path)
        made = report(f'OpenBody -> {name}', people, source, body)
        report(f'{name} -> OpenBody', made, body, source)


def report(title, people, source, target):
    """Print the errors of a conversion; gives the people that it made."""
    start = time.perf_counter()
    made, errors = convert(people, source, target)
    seconds = (time.perf_counter() - start) / len(people)
    print(f'{title:26s} joints {errors.joints.mean():5.1f} mm (worst {errors.joints_max.max():6.1f}), surface '
          f'{errors.surface.mean():5.1f} mm (worst {errors.surface_max.max():6.1f}), {seconds:.1f} s a person')
    return made


def crowd(body, count, seed):
    """People of a body before a camera, every second a child."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.from_numpy(random_poses(count, seed)).float()
    pose[:, 0] = torch.tensor([3.1, 0, 0]) + .3 * torch.randn(count, 3, generator=generator)
    betas = .7 * torch.randn(count, body.num_betas, generator=generator)
    betas[:, body.child_coefficient] = torch.rand(count, generator=generator) * (torch.arange(count) % 2)
    transl = torch.randn(count, 3, generator=generator) + torch.tensor([0., 0, 5])
    return People(num_people=count, global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl)


if __name__ == '__main__':
    main()
