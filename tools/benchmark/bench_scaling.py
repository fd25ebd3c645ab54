"""What several processes cost: the smallest recipe trained by one, by two (DDP), and by two that share it (FSDP).

    python tools/benchmark/bench_scaling.py [--images 8] [--steps 12] [--json FILE]

All train on the same images a step, over gloo on this machine. Columns: seconds a step (median); processor time an
image of all processes together, which other programs hardly disturb, and its ratio to that of one process; the share of
a step that averaging gradients takes, from steps with and without it by turns (DDP only: FSDP has no step without); the
share of processor time that reading and rendering images takes, which loader processes do beside the step in training.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import torch  # noqa: E402
from _common import report  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.dist import all_reduce, barrier, get_rank, get_world_size  # noqa: E402
from mmengine.registry import STRATEGIES, init_default_scope  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

from mmhuman_dto.programs import output_file, program  # noqa: E402

CONFIGS = Path(__file__).parents[2] / 'configs/metric_hmr'
#: What is compared: (name, processes).
CASES = (('one process', 1), ('DDP', 2), ('FSDP', 2))


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=8, help='a step, of all processes together')
    parser.add_argument('--steps', type=int, default=12, help='that are timed, after two that are not')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    parser.add_argument('--case', help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def strategy_of(case, work_dir):
    """MMEngine's strategy of a case, for CPUs."""
    config = {
        'one process': dict(type='SingleDeviceStrategy'),
        'DDP': dict(type='DDPStrategy', model_wrapper=dict(
            type='MMDistributedDataParallel', broadcast_buffers=False, device_ids=None)),
        'FSDP': dict(type='mmhuman_dto.FullyShardedStrategy', unit_pattern=Config.fromfile(
            CONFIGS / 'vit-h_dto-humans_fsdp.py').strategy.unit_pattern),
    }[case]
    return STRATEGIES.build(dict(config, work_dir=work_dir))


def measure(case, images, steps):
    """Figures of one case, on all its processes alike."""
    init_default_scope('mmhuman_dto')
    config = Config.fromfile(CONFIGS / 'vit-tiny_synthetic-crowd.py')
    config.train_dataloader.update(
        batch_size=images // get_world_size(), num_workers=0, persistent_workers=False)
    config.train_dataloader.dataset.datasets[0].cache_dir = None
    with tempfile.TemporaryDirectory() as work_dir:
        torch.manual_seed(0)
        model, wrapper = strategy_of(case, work_dir).prepare(config.model, optim_wrapper=config.optim_wrapper)
    batches = iter(Runner.build_dataloader(config.train_dataloader, seed=0))
    rows = [step(model.train(), wrapper, batches, averaged=i % 2 == 0) for i in range(steps + 2)][2:]
    wall = [statistics.median(row['wall'] for row in rows[i::2]) for i in (0, 1)]
    processor = torch.tensor([sum(row[name] for row in rows) for name in ('loading', 'training')], dtype=torch.float64)
    all_reduce(processor)
    loading, training = (processor / images / steps).tolist()
    return dict(case=case, processes=get_world_size(), seconds=wall[0], processor=training,
                communication=1 - wall[1] / wall[0] if case == 'DDP' else None, loader=loading / (loading + training))


def step(model, wrapper, batches, averaged):
    """Seconds of one step: processor time of loading and of training, wall time of training."""
    start = time.process_time()
    batch = next(batches)
    loaded = time.process_time()
    barrier()
    begin = time.perf_counter()
    before = time.process_time()
    with nullcontext() if averaged or not hasattr(model, 'no_sync') else model.no_sync():
        model.train_step(batch, wrapper)
    barrier()
    return dict(loading=loaded - start, training=time.process_time() - before, wall=time.perf_counter() - begin)


def run_case(case, processes, args):
    """Figures of one case, by processes of their own."""
    with tempfile.NamedTemporaryFile() as file:
        command = [sys.executable, '-m', 'torch.distributed.run', f'--nproc_per_node={processes}',
                   '--rdzv_backend=c10d', '--rdzv_endpoint=127.0.0.1:0', __file__, '--case', case,
                   '--images', args.images, '--steps', args.steps, '--json', file.name]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        return json.loads(Path(file.name).read_text())


@program
def main(arguments=None):
    args = parse_args(arguments)
    if args.images % 2:
        sys.exit(f'--images {args.images}: two processes need an even number')
    if args.case:
        torch.set_num_threads(1)
        torch.distributed.init_process_group('gloo')
        figures = measure(args.case, args.images, args.steps)
        if get_rank() == 0:
            Path(args.json).write_text(json.dumps(figures))
        torch.distributed.destroy_process_group()
        return
    results = [run_case(case, processes, args) for case, processes in CASES]
    alone = results[0]['processor']
    rows = [(r['case'], r['processes'], f'{r["seconds"]:.2f} s', f'{1e3 * r["processor"]:.0f} ms',
             f'{r["processor"] / alone:.2f}', '' if r['communication'] is None else f'{100 * r["communication"]:.0f} %',
             f'{100 * r["loader"]:.0f} %') for r in results]
    report(f'Training, {args.images} images a step',
           ['', 'processes', 'a step', 'processor time an image', 'ratio', 'averaging gradients', 'loader'], rows,
           dict(results=results), args.json)


if __name__ == '__main__':
    main()
