#!/usr/bin/env python3
"""What the relative metric loss and the camera branch are worth: short trainings on rendered crowds, several seeds.

    python tools/benchmark/ablate_metric_hmr.py              # nine trainings: an hour of a CPU core
    python tools/benchmark/ablate_metric_hmr.py --seeds 1 --cfg-options train_cfg.max_iters=20 train_cfg.val_interval=20

A seed is that of the weights and of the order of the pictures; held-out crowds are the same for all. Trainings that are
finished in ``--work-dir`` are not run again. Figures are means over seeds, +- the standard deviation of one seed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from _common import report

from mmhuman_dto.programs import output_file, output_folder, program

ROOT = Path(__file__).resolve().parents[2]
ARMS = {'both': 'vit-tiny_short', 'no relative metric loss': 'vit-tiny_no-relative-metric-loss',
        'no camera branch': 'vit-tiny_no-camera-branch'}
#: Figures of CrowdMetric, and how to print them.
FIGURES = {'f1': ('F1, %', '.1f'), 'pcdr': ('PCDR, %', '.1f'), 'depth_order': ('depth order, %', '.1f'),
           'relative_depth_error': ('depth error, %', '.1f'),
           'relative_depth_error_scaled': ('same, best scaled, %', '.2f'),
           'translation_error': ('translation error, m', '.2f'), 'fov_error': ('FoV error, degrees', '.2f')}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, default=3, help='trainings of each kind')
    parser.add_argument('--work-dir', type=output_folder, default='work_dirs/ablations')
    parser.add_argument('--json', type=output_file, help='write the figures to this file')
    parser.add_argument('--cfg-options', nargs='*', default=[], help='changes to all recipes, KEY=VALUE')
    return parser.parse_args(argv)


def train(config, seed, work_dir, options):
    """One training, in its own process."""
    command = [sys.executable, 'tools/train.py', f'configs/metric_hmr/ablations/{config}.py',
               '--work-dir', str(work_dir.resolve()), '--cfg-options', f'randomness.seed={seed}',
               f'train_dataloader.dataset.seed={seed}', *options]
    with (work_dir / 'log.txt').open('w') as log:
        failed = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False,
                                env=dict(os.environ, OMP_NUM_THREADS='1')).returncode
    if failed:
        sys.exit(f'{config}, seed {seed}: training failed, see {work_dir / "log.txt"}')


def last_validation(work_dir):
    """{figure: value} of a finished training, or None."""
    found = None
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            values = json.loads(line)
            if 'crowd/f1' in values:
                found = {name: values[f'crowd/{name}'] for name in FIGURES}
    return found


@program
def main(argv=None):
    args = parse_args(argv)
    figures = {name: [] for name in ARMS}
    for seed in range(args.seeds):
        for name, config in ARMS.items():
            work_dir = args.work_dir / f'{config}_{seed}'
            work_dir.mkdir(parents=True, exist_ok=True)
            if last_validation(work_dir) is None:
                train(config, seed, work_dir, args.cfg_options)
            figures[name].append(last_validation(work_dir))
    rows = [[label, *(_mean([run[figure] for run in figures[name]], how) for name in ARMS)]
            for figure, (label, how) in FIGURES.items()]
    report(f'{args.seeds} seeds each', ['figure', *ARMS], rows, figures, args.json)


def _mean(values, how):
    spread = f' +- {statistics.stdev(values):{how}}' if len(values) > 1 else ''
    return f'{statistics.mean(values):{how}}{spread}'


if __name__ == '__main__':
    main()
