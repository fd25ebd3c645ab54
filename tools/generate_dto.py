#!/usr/bin/env python
"""DTO over a dataset: initial meshes and depth in, people with consistent places and heights out.

Example: ``python tools/generate_dto.py configs/dto/paper_synthetic-crowd.py --out-dir work_dirs/crowd``
See docs/generate_dto.md.
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from mmengine.config import DictAction
from mmengine.dist import get_rank

from mmhuman_dto.apis.inference.depth import set_depth_kind
from mmhuman_dto.dto import counted
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.generation import Generator
from mmhuman_dto.generation.launch import start_processes, stop_processes
from mmhuman_dto.generation.shards import LEFT_OUT
from mmhuman_dto.perception.depth_kinds import KINDS
from mmhuman_dto.programs import planned_folder, program


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False)
    parser.add_argument('config', help='config file, or the name of one in configs/dto')
    parser.add_argument('--out-dir', type=planned_folder, help='output folder; default work_dirs/dto/CONFIG')
    parser.add_argument('--limit', type=_positive, help='only the first N images')
    parser.add_argument('--resume', action='store_true', help='go on with what the output folder holds')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'ray'), default='none',
                        help='pytorch, slurm: how the processes of this run were started, each of which takes a fixed '
                             'part of the shards; ray: by the processes of a Ray cluster; see docs/scale.md')
    parser.add_argument('--max-failures', type=int,
                        help='exit with status 1 when more images failed, not only when none was kept')
    parser.add_argument('--check-inputs', action=argparse.BooleanOptionalAction, default=True,
                        help='try a few images first, and stop where units, axes or maps cannot be right')
    parser.add_argument('--depth-kind', choices=KINDS,
                        help="what the depth maps hold, which the solver's terms follow (docs/depth.md); default: as "
                             'the config says')
    parser.add_argument('--public-layout', metavar='SET',
                        help='also write SET_opt.npz and SET_CHMR_SMPL_OPT.npz, the public DTO-Humans layouts')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override config values, e.g. stages.depth.source.kind=metres')
    return parser.parse_args()


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


@program(status=2)
def main():
    args = parse_args()
    try:
        start_processes(args.launcher)
        return generate(args)
    finally:
        stop_processes()


def generate(args):
    """Run as the arguments say; returns the exit status."""
    config = read_config(args.config, args.cfg_options).to_dict()
    if args.depth_kind:
        set_depth_kind(config, args.depth_kind)
    out_dir = args.out_dir or Path('work_dirs/dto') / Path(args.config).stem
    generator = generator_class(args.launcher)(config, out_dir, args.limit, args.resume,
                                               check=args.check_inputs)
    counts = generator.run(args.public_layout)
    if get_rank() == 0:
        report(counts, generator.pipeline.seconds, out_dir)
    return too_many(counts, args.max_failures)


def generator_class(launcher):
    if launcher != 'ray':
        return Generator
    from mmhuman_dto.generation.ray_generator import RayGenerator
    return RayGenerator


def report(counts, seconds, out_dir):
    """Print what was kept, what was not and why, and where the time went."""
    out_dir = Path(printable(out_dir))
    print(f'{out_dir}: kept {counts["kept"]} images with {counts["people"]} people, skipped {counts["skipped"]}, '
          f'failed {counts["failed"]}')
    for reason, number in sorted(counts['skipped_by_reason'].items()):
        print(f'  skipped {number}: {reason}')
    if left_out := counts.get('left_out'):
        print(f'  {sum(left_out.values())} left out: {counted(left_out)} (people; {out_dir / LEFT_OUT})')
    if counts['failed']:
        print(f'  failures: {out_dir / "failures.jsonl"}')
    total = sum(seconds.values())
    for stage, spent in seconds.items():
        print(f'  {stage:<12} {spent:8.2f} s {100 * spent / total:5.1f} %')


def too_many(counts, max_failures):
    """Exit status: 1 when nothing was kept, or more images failed than allowed."""
    return int(counts['kept'] == 0 or max_failures is not None and counts['failed'] > max_failures)


if __name__ == '__main__':
    sys.exit(main())
