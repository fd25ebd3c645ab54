"""Write a folder of synthetic crowds in the public layouts: pictures, initial meshes, disparity, masks, ages, truth.

    python tools/misc/make_synthetic_crowd.py OUT --number 24 --size 512 768
    python tools/misc/make_synthetic_crowd.py OUT --people 1 4 --fov 25 90 --first-row .7 1 --depth-range 1.2 1.8 # near

What each file holds: mmhuman_dto/synthetic/writers/crowd.py. The same arguments give the same bytes.
"""
import argparse
import sys

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import cv2
import torch

from mmhuman_dto.programs import output_folder, program
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig, DisparityErrors, InitialErrors, NetworkErrors
from mmhuman_dto.synthetic.writers.crowd import write_crowd


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=output_folder, help='folder to write')
    parser.add_argument('--number', type=int, default=24, help='how many pictures (default %(default)s)')
    parser.add_argument('--indices', type=int, nargs='+', help='which scenes of the seed; default the first NUMBER')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--size', type=int, nargs=2, default=CrowdConfig.size, metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--people', type=int, nargs=2, default=CrowdConfig.people, metavar=('FEWEST', 'MOST'))
    parser.add_argument('--child-share', type=float, default=CrowdConfig.child_share)
    for name, what in (('fov', 'vertical field of view, degrees'),
                       ('first-row', 'size of who stands there, share of the picture'),
                       ('depth-range', "last row's distance in units of the first's")):
        parser.add_argument(f'--{name}', type=float, nargs=2, default=getattr(CrowdConfig, name.replace('-', '_')),
                            metavar=('LEAST', 'MOST'), help=what)
    parser.add_argument('--far-share', type=float, default=CrowdConfig.far_share, help='of people behind the crowd')
    parser.add_argument('--version', type=int, choices=(1, 2), default=CrowdConfig.version,
                        help='2: nearer to photographs; see CrowdConfig (default %(default)s)')
    parser.add_argument('--no-errors', action='store_true', help='exact initial meshes and disparity')
    parser.add_argument('--jpeg-quality', type=int, default=90)
    parser.add_argument('--map-divisor', type=int, default=1, help='disparity maps are this many times smaller')
    return parser.parse_args()


@program
def main():
    args = parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = CrowdConfig(
        size=tuple(args.size), people=tuple(args.people), child_share=args.child_share, fov=tuple(args.fov),
        first_row=tuple(args.first_row), depth_range=tuple(args.depth_range), far_share=args.far_share,
        version=args.version)
    exact = NetworkErrors(InitialErrors.none(), DisparityErrors.none())
    write_crowd(args.out, args.indices or range(args.number), BODY_MODELS.build(dict(type='OpenBody')), config,
                args.seed, exact if args.no_errors else None, args.jpeg_quality, args.map_divisor)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()
