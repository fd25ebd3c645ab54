"""Evaluate a checkpoint on a config's test set: one line a figure.

    python tools/test.py configs/metric_hmr/vit-tiny_synthetic-crowd.py CHECKPOINT [--out metrics.json]
    bash tools/dist_test.sh CONFIG CHECKPOINT 8     # on 8 GPUs
"""
import argparse
import json
import sys

from train import add_common_arguments, load_config


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint of tools/train.py, or a state dict')
    parser.add_argument('--out', help='write the figures to this json file')
    add_common_arguments(parser)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    cfg = load_config(args)
    from mmengine.dist import is_main_process

    from mmhuman_dto.apis.training import MissingFileError, evaluate
    from mmhuman_dto.engine.checkpoint import CheckpointError
    try:
        metrics = evaluate(cfg, args.checkpoint)
    except (MissingFileError, CheckpointError, FileNotFoundError) as error:
        sys.exit(f'{args.config}: {error}')
    if not is_main_process():
        return
    for name, value in metrics.items():
        print(f'{name:32} {value:10.4f}')
    if args.out:
        with open(args.out, 'w') as file:
            json.dump({name: float(value) for name, value in metrics.items()}, file, indent=2)


if __name__ == '__main__':
    main()
