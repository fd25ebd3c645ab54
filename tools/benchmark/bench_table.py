"""How fast a people table of the size of DTO-Humans opens and is read, and what share of a training step that takes.

    python tools/benchmark/bench_table.py [--images 560000] [--people 2700000] [--folder /tmp/bench_table] [--json FILE]

The table is generated (1 GB at the default size) and removed afterwards. Each figure of opening and reading is of a
fresh process; cold: none of the table's pages are in memory, as after a reboot (wall time); warm: right after
(processor time, as of the training step). Memory is the most that the process held, less what it held after its
imports. Pages of mapped files count in it, though all processes share them and the system may take them back at any
time; without them it is the process's own. The training step is that of the smallest recipe on pictures of 224 px, one
core.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report, take_turns  # noqa: E402

from mmhuman_dto.datasets import HumanTable  # noqa: E402
from mmhuman_dto.programs import output_file, output_folder, program  # noqa: E402
from mmhuman_dto.structures import Camera, HumanDataSample, People  # noqa: E402
from mmhuman_dto.tables.people_table import PeopleTableBuilder, merge_tables  # noqa: E402

#: Images of the piece that the table is made of, again and again.
PIECE = 5600
STEP_CONFIG = Path(__file__).parents[2] / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py'
STEP_SIZE, STEP_IMAGES = 224, 8


def write_table(folder, images, people):
    """A table as the converter writes it of DTO-Humans, of random numbers, with about ``people`` people."""
    rng = np.random.default_rng(0)
    counts = 1 + rng.poisson(people / images - 1, min(PIECE, images))
    builder = PeopleTableBuilder('SMPL+A', dict(source='bench_table.py'))
    for number, count in enumerate(counts):
        rows = dict(global_orient=(3, ), body_pose=(23, 3), betas=(11, ), transl=(3, ))
        sample = HumanDataSample(metainfo=dict(img_id=f'insta-train/{number:06d}/frame_000001.jpg',
                                               ori_shape=(720, 1280)))
        sample.pred_instances = People(**{name: torch.from_numpy(rng.normal(size=(count, *row)).astype(np.float32))
                                          for name, row in rows.items()})
        sample.pred_camera = Camera(intrinsics=torch.tensor([[1100., 0, 640], [0, 1100, 360], [0, 0, 1]]))
        builder.add(sample)
    piece = Path(folder) / 'piece'
    builder.write(piece)
    merge_tables([piece] * max(1, round(images / len(counts))), Path(folder) / 'table')
    shutil.rmtree(piece)


def read(folder, items):
    """Open a table and read images of it in random order; the figures of this process."""
    before, own, start = _memory(), _memory('RssAnon'), time.perf_counter()
    dataset = HumanTable('images', folder)
    opened = time.perf_counter() - start
    figures = dict(images=len(dataset), people=dataset.table.schema['num_people'], open_seconds=opened,
                   open_mb=_memory() - before, imported_mb=before)
    order = np.random.default_rng(1).permutation(len(dataset))[:items].tolist()
    # Reading from disk is waiting; what comes from memory is work, which other programs must not lengthen.
    for which, clock in (('cold', time.perf_counter), ('warm', time.process_time)):
        start = clock()
        for index in order:
            dataset[index]
        figures[f'{which}_ms'] = (clock() - start) / len(order) * 1e3
    return dict(figures, read_mb=_memory() - before, read_own_mb=_memory('RssAnon') - own)


def read_in_fresh_process(folder, items):
    """:func:`read` in a process of its own, with none of the table in memory."""
    for path in Path(folder).iterdir():
        with open(path, 'rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    run = subprocess.run([sys.executable, __file__, '--read', str(folder), '--items', str(items)], check=True,
                         capture_output=True, text=True)
    return json.loads(run.stdout)


def step_milliseconds():
    """Processor time of a training step of the smallest recipe, an image."""
    from _model_cases import batch_of, build, crowds, model_config
    from bench_model import Case
    case = Case(build(model_config(STEP_CONFIG, STEP_SIZE)), 'cpu')
    batch = batch_of(crowds(STEP_SIZE, STEP_IMAGES), STEP_IMAGES)
    seconds = take_turns({'step': lambda: case.train(batch)}, rounds=3, clock=time.process_time)
    return seconds['step'] / STEP_IMAGES * 1e3


def _memory(kind='VmHWM'):
    """MiB of this process: the most it held (``getrusage`` would count its parent's), or ``RssAnon``, its own now."""
    return int(re.search(rf'{kind}:\s+(\d+) kB', Path('/proc/self/status').read_text())[1]) / 1024


@program
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=560_000)
    parser.add_argument('--people', type=int, default=2_700_000)
    parser.add_argument('--items', type=int, default=20_000, help='images that are read, in random order')
    parser.add_argument('--folder', type=output_folder, default='/tmp/bench_table', help='where the table is made')
    parser.add_argument('--read', type=Path, metavar='TABLE', help='only read this table, in this process')
    parser.add_argument('--json', type=output_file, help='file to write the figures to')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    if args.read:
        print(json.dumps(read(args.read, args.items)))
        return
    table = args.folder / 'table'
    try:
        write_table(args.folder, args.images, args.people)
        size = sum(path.stat().st_size for path in table.iterdir()) / 2**20
        figures = dict(read_in_fresh_process(table, args.items), size_mb=size, step_ms=step_milliseconds())
    finally:
        shutil.rmtree(args.folder, ignore_errors=True)
    figures['share'] = figures['warm_ms'] / figures['step_ms']
    rows = [['table', f'{figures["images"]} images, {figures["people"]} people, {size:.0f} MiB'],
            ['open it', f'{figures["open_seconds"]:.3f} s, {figures["open_mb"]:.0f} MiB'],
            *([f'an image, {which}', f'{figures[f"{which}_ms"]:.3f} ms, {1e3 / figures[f"{which}_ms"]:.0f} images/s']
              for which in ('cold', 'warm')),
            ['memory after reading', f'{figures["read_mb"]:.0f} MiB, {figures["read_own_mb"]:.0f} its own, beyond '
                                     f'{figures["imported_mb"]:.0f} of imports'],
            ['a training step', f'{figures["step_ms"]:.1f} ms an image, {figures["share"]:.2%} of it the warm table']]
    report('A people table', ['', ''], rows, figures, args.json)


if __name__ == '__main__':
    main()
