"""Train a model from a config.

    python tools/train.py configs/metric_hmr/vit-tiny_synthetic-crowd.py
    python tools/train.py CONFIG --dry-run          # build, one synthetic batch forward and backward, what it costs
    bash tools/dist_train.sh CONFIG 8               # on 8 GPUs
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from mmengine.config import DictAction

from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.programs import output_folder, program


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('--resume', nargs='?', const='auto', help='go on from this checkpoint, or from the latest')
    parser.add_argument('--dry-run', nargs='?', const=1, type=int, metavar='IMAGES',
                        help='build all, run one synthetic batch (of 1 image by default), report its cost')
    add_common_arguments(parser)
    return parser.parse_args(argv)


def add_common_arguments(parser):
    """What training and testing have in common."""
    parser.add_argument('--work-dir', type=output_folder,
                        help='where logs and checkpoints go (default work_dirs/<config name>)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='override entries of the config')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def load_config(args):
    """The config file with the command line's options merged in."""
    from mmhuman_dto.engine.config import check_options
    cfg = read_config(args.config, args.cfg_options)
    check_options(args.cfg_options, cfg)
    cfg.launcher = args.launcher
    cfg.work_dir = str(args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}')
    return cfg


@program
def main(argv=None):
    args = parse_args(argv)
    cfg = load_config(args)
    from mmengine.dist import is_main_process

    from mmhuman_dto.apis.dry_run import dry_run
    from mmhuman_dto.apis.training import train
    from mmhuman_dto.engine.divergence import DivergedError
    if args.dry_run is not None:
        print(dry_run(cfg, args.dry_run))
        return
    output_folder(cfg.work_dir)
    try:
        train(cfg, args.resume)
    except DivergedError:  # raised on all ranks
        if is_main_process():
            raise
        sys.exit(1)


if __name__ == '__main__':
    main()
