"""The programs of the repository, from anywhere: ``mmhuman-dto image PHOTO``, or ``python -m mmhuman_dto``.

``mmhuman-dto doctor`` says whether all works, ``mmhuman-dto --list`` names the recipes for photos, and the weights they
use.
"""
import argparse
import runpy
import sys

from mmhuman_dto.apis.inference.catalogue import listing
from mmhuman_dto.fileio.bundled import BUNDLED

PROGRAMS = dict(image='demo/image_demo.py', generate='tools/generate_dto.py', train='tools/train.py',
                test='tools/test.py', place='tools/place.py', convert='tools/convert.py', doctor='tools/misc/doctor.py')


def main():
    """Run the program that the first argument names with the others."""
    parser = argparse.ArgumentParser('mmhuman-dto', description='Each program has its own --help.')
    parser.add_argument('--list', action='store_true', help='list recipes for photos and weights, and nothing else')
    parser.add_argument('program', choices=PROGRAMS, nargs='?')
    parser.add_argument('arguments', nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if args.list:
        print(listing())  # noqa: T201
        return
    if args.program is None:
        parser.error('name a program')
    path = BUNDLED / PROGRAMS[args.program]
    sys.argv[:] = [f'mmhuman-dto {args.program}', *args.arguments]
    sys.path.insert(0, str(path.parent))  # as Python does for a script: tools/test.py imports from tools/train.py
    runpy.run_path(str(path), run_name='__main__')


if __name__ == '__main__':
    main()
