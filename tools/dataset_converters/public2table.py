"""Convert the annotation files of a public data set to a people table, the format that recipes read.

    python tools/dataset_converters/public2table.py agora train
    python tools/dataset_converters/public2table.py dto-humans train --images /datasets/4dhumans/images

reads data/NAME and writes data/NAME/tables/SPLIT, unless told otherwise. Killed and started again it goes on; the table
is then that of an unbroken run. An image that fails costs a line of OUT/failures.jsonl.
A set of your own: --import MODULE with its reader, docs/tutorials/your_dataset.md. Where sets come from:
docs/datasets.md
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import torch
from mmengine.dist import get_rank

from mmhuman_dto.datasets.agreement import disagreements
from mmhuman_dto.datasets.public.world import WorldReader
from mmhuman_dto.datasets.public_sets import public_sets
from mmhuman_dto.dto import counted
from mmhuman_dto.fileio.config import import_parts
from mmhuman_dto.generation.conversion import Conversion
from mmhuman_dto.generation.launch import start_processes, stop_processes
from mmhuman_dto.generation.shards import FAILURES, LEFT_OUT, read_lines
from mmhuman_dto.programs import planned_folder, program
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.tables.people_table import PeopleTable


def parse_args(argv=None):
    imports = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    imports.add_argument('--import', action='append', default=[], metavar='MODULE', dest='modules',
                         help='module with a reader of your own, in the current folder or on PYTHONPATH; may be '
                         'given again')
    if modules := imports.parse_known_args(argv)[0].modules:
        try:
            import_parts(dict(custom_imports=dict(imports=modules)))
        except ImportError as error:
            imports.error(f'--import {error}')
    sets = public_sets()
    parser = argparse.ArgumentParser(
        parents=[imports], description=__doc__, epilog=list_of_sets(sets), allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=sets, metavar='NAME', help='data set, see below')
    parser.add_argument('split', metavar='SPLIT', help='part of it, see below')
    parser.add_argument('--data-root', type=Path, help='folder of the annotation files, default data/NAME '
                        'or the folder of data where public instructions put them')
    parser.add_argument('--ann-files', nargs='+', metavar='FILE',
                        help='annotation files below DATA_ROOT that become one table, if called otherwise than below')
    parser.add_argument('--images', help='folder that the image ids are relative to, absolute or below DATA_ROOT; '
                        'default: the one of those known for the set that has the images')
    parser.add_argument('--out-dir', type=planned_folder, help='folder of the table, default DATA_ROOT/tables/SPLIT, '
                        'data/NAME/tables/SPLIT where no DATA_ROOT is given')
    parser.add_argument('--smpl', default='data/smpl', help='folder of the body models, default %(default)s; needed by '
                        'sets annotated in a world frame: where a body is depends on where its pelvis is')
    parser.add_argument('--body-model', choices=sorted(BODY_MODELS.module_dict), metavar='NAME',
                        help='body model of the meshes, for sets whose meshes may be of any (initial-meshes): OpenBody '
                        'or SMPL, say; default: that below')
    parser.add_argument('--no-images', action='store_true', help="don't look at images: no sizes, some may be missing")
    parser.add_argument('--check-images', action='store_true', help='decode each image, so that the broken ones are '
                        'named now (slow); else headers alone are read, and training names and passes over them')
    parser.add_argument('--keep-empty', action='store_true', help='images without people go into the table too: who is '
                        'found in them is wrong; always so for '
                        + ', '.join(name for name, reader in sets.items() if reader.info.keep_empty))
    parser.add_argument('--strict', action='store_true', help='stop at the first image that fails')
    parser.add_argument('--max-failures', type=int,
                        help='exit with status 1 when more images failed; default: when none was kept')
    parser.add_argument('--limit', type=int, help='only the first LIMIT images')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm'), default='none',
                        help='how the processes of this run were started; each takes a fixed part of the images')
    args = parser.parse_args(argv)
    args.reader = sets[args.name]
    splits = args.reader.info.splits
    if args.split not in splits:
        parser.error(f'{args.name} has no {args.split!r}, only {", ".join(splits)}')
    if args.body_model and not args.reader.any_body_model:
        parser.error(f'{args.name} is of {args.reader.info.body_model or "joints alone"}: no --body-model; how to make '
                     'other meshes of them: docs/datasets.md, "Meshes of another body model"')
    if args.no_images and args.check_images:
        parser.error('--no-images and --check-images: one or the other')
    if args.keep_empty and args.reader.info.keep_empty is None:
        parser.error(f'{args.name} says nothing of images without people, such as their camera: no --keep-empty')
    return args


def list_of_sets(sets):
    """The data sets with their splits and files, for --help."""
    lines = ['data sets:']
    for name, reader in sets.items():
        needs = ', needs --smpl' if issubclass(reader, WorldReader) else ''
        lines.append(f'  {name:<15} {reader.info.title} ({reader.info.body_model or "joints only"}{needs})')
        lines += [f'  {"":<15} {split}: {file}' for split, file in reader.info.splits.items()]
    return '\n'.join(lines)


@program(status=2)
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    try:
        start_processes(args.launcher)
        return convert(args)
    finally:
        stop_processes()


def convert(args):
    """Convert as the arguments say; returns the exit status."""
    reader, info = args.reader, args.reader.info
    data_root = args.data_root or reader.default_root(args.split)
    out_dir = args.out_dir or (args.data_root or Path('data') / args.name) / 'tables' / args.split
    files = args.ann_files or reader.find_files(args.split, data_root)
    sources = [reader.config(args.split, file, data_root, args.images, args.smpl) for file in files]
    if args.images is None:
        sources = [dict(source, img_prefix=reader.image_folders(args.split, source['ann_file'])) for source in sources]
    counts = Conversion(sources, out_dir, args.body_model, info.num_betas, info.left_out,
                        not args.no_images, bool(args.keep_empty or info.keep_empty), args.strict, args.limit,
                        check_images=args.check_images).run()
    if get_rank() == 0:
        report(counts, out_dir)
        table = PeopleTable(out_dir)
        for text in disagreements(table, None if args.no_images else table.img_root, rows=20_000, headers=200):
            print(f'warning: {text}', file=sys.stderr)
    if args.max_failures is None:
        return int(counts['kept'] == 0)
    return int(counts['failed'] > args.max_failures)


def report(counts, out_dir):
    """Print what became of the images and people."""
    total = counts['kept'] + counts['skipped'] + counts['failed']
    print(f'{out_dir}: {total} images read = {counts["kept"]} written and found again + {counts["skipped"]} without '
          f'people + {counts["failed"]} failed')
    print(f'{out_dir}: {counts["people"]} people of these images read = written = found again')
    if left_out := counts.get('left_out'):
        first = next(read_lines(out_dir / LEFT_OUT))
        print(f'  {sum(left_out.values())} people left out for what nobody can be: {counted(left_out)}'
              f'; {out_dir / LEFT_OUT}, for one person {first["person"]} of {first["image"]}: {first["field"]} '
              f'{first["value"]:g}')
    if counts['failed']:
        first = next(read_lines(out_dir / FAILURES))
        print(f'  failures: {out_dir / FAILURES}; {first["image"]} for one: {first["reason"]}')


if __name__ == '__main__':
    sys.exit(main())
