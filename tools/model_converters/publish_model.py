#!/usr/bin/env python3
"""Make a small file to give away of a checkpoint of tools/train.py: the network's weights alone, as safetensors.

    python tools/model_converters/publish_model.py work_dirs/vit-tiny_synthetic-crowd/iter_4700.pth OUT.safetensors

Optimizer, training state and what only training uses (denoising queries) are left out; nothing in the file can be run.
What --caveat says stands in the file, and on every picture and table made with the network.
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from safetensors.torch import save_file

from mmhuman_dto.engine.checkpoint import TRAINING_ONLY, read_state
from mmhuman_dto.programs import output_file, program


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', type=Path, help='file of tools/train.py, or one made by this program')
    parser.add_argument('output', type=output_file, help='.safetensors file to write')
    parser.add_argument('--half', action='store_true', help='float16: half the size, three digits; loaded as float32')
    parser.add_argument('--caveat', help="what users must know, such as 'knows rendered crowds only'")
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    if args.output.suffix != '.safetensors':
        sys.exit(f'{args.output}: name a .safetensors file')
    state = read_state(args.checkpoint)
    kept = {name: (value.half() if args.half and value.is_floating_point() else value).contiguous()
            for name, value in state.items() if not name.startswith(TRAINING_ONLY)}
    lost = [name for name, value in kept.items() if value.isinf().any() and not state[name].isinf().any()]
    if lost:
        sys.exit(f'{args.checkpoint}: values of {lost} are too large for float16; leave --half out')
    save_file(kept, args.output, dict(caveat=args.caveat) if args.caveat else None)
    print(f'{args.output}: {len(kept)} tensors, {args.output.stat().st_size / 1e6:.1f} MB; '
          f'{len(state) - len(kept)} left out that only training uses')


if __name__ == '__main__':
    main()
