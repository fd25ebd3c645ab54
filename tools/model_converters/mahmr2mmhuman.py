#!/usr/bin/env python3
"""Convert MA-HMR, SAT-HMR or DINOv2 weights to checkpoints of this project.

    python tools/model_converters/mahmr2mmhuman.py mahmr_stage3.bin data/weights/vit-b_dto-humans.pth --verify
    python tools/model_converters/mahmr2mmhuman.py dinov2_vitb14_pretrain.pth dinov2_vit-b_1288.pth --verify

Every tensor of the input is used or listed with the reason why it is left out; an unknown one stops the conversion.
A converted DINOv2 goes into a model with
``backbone=dict(..., init_cfg=dict(type='Pretrained', checkpoint=OUT, prefix='backbone.'))``, a converted network with
``load_from = OUT``. Nothing in the files is run. docs/tutorials/published_weights.md says where to get them.
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import torch
from torch import nn

from mmhuman_dto.engine.checkpoint import fitting_configs
from mmhuman_dto.fileio import load_tensors
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.release import RELEASE_FILES, RELEASE_PAGE
from mmhuman_dto.fileio.state_dict import unwrap
from mmhuman_dto.models.conversion import convert, model_config
from mmhuman_dto.programs import output_file, program
from mmhuman_dto.registry import MODELS

PARTS = ('backbone', 'decoder', 'head', 'camera_head')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', type=Path, help='.bin or .pth file')
    parser.add_argument('output', type=output_file, help='.pth file to write')
    parser.add_argument('--input-size', type=int, default=1288, help='DINOv2: long side the backbone is for, px')
    parser.add_argument('--additional-blocks', type=int, default=3,
                        help='DINOv2: of the scale-adaptive backbone; 0 for the plain one')
    parser.add_argument('--config', type=Path, help='with --verify: this config\'s model, not the one the shapes tell')
    parser.add_argument('--num-heads', type=int, help='heads of an encoder of unknown width')
    parser.add_argument('--verify', action='store_true', help='load the output into the model and compare every tensor')
    return parser.parse_args(argv)


def build_parts(config, state):
    """The parts of the network that ``state`` has weights for, under their names in the network."""
    names = {name.split('.')[0] for name in state}
    if 'head' in config:
        config = dict(config, head=dict(config['head'], mean_params=None))  # the weights bring the means
    return nn.ModuleDict({part: MODELS.build(config[part]) for part in PARTS if part in names})


def differences(converted, path, config):
    """What is wrong with the written file, one line each: names, shapes and values against a model of ``config``."""
    written = load_tensors(path)['state_dict']
    parts = build_parts(config, converted)
    expected = parts.state_dict()
    found = [f'{name}: written but the model has no such tensor' for name in written.keys() - expected.keys()]
    found += [f'{name}: the model has it, the file does not' for name in expected.keys() - written.keys()
              if not trained_from_scratch(name, written)]
    common = written.keys() & expected.keys()
    found += [f'{name}: shape {tuple(written[name].shape)}, the model has {tuple(expected[name].shape)}'
              for name in common if written[name].shape != expected[name].shape]
    if found:
        return sorted(found)
    parts.load_state_dict(written, strict=False)
    loaded = parts.state_dict()
    return sorted(f'{name}: values differ after loading' for name in converted
                  if not torch.equal(loaded[name], converted[name].to(loaded[name].dtype)))


def trained_from_scratch(name, written):
    """Whether a tensor may be absent: DINOv2 has no scale map."""
    return 'decoder.norm.weight' not in written and name.startswith(('backbone.scale_head.', 'backbone.inter_norm.'))


@program
def main(argv=None):
    args = parse_args(argv)
    if not args.input.is_file():
        sys.exit(f'{args.input}: no such file; {RELEASE_PAGE} links to the weights of MA-HMR (CC BY-NC): '
                 f'{", ".join(RELEASE_FILES.values())}; the last one predicts')
    state = unwrap(load_tensors(args.input), args.input)
    try:
        converted = convert(state, input_size=args.input_size, num_additional_blocks=args.additional_blocks)
    except ValueError as error:
        sys.exit(f'{args.input}: {error}')
    for name, reason in converted.left_out.items():
        print(f'left out  {name}: {reason}')
    torch.save(dict(state_dict=converted.state, meta=dict(source=args.input.name)), args.output)
    print(f'{args.output}: {len(converted.state)} tensors from {len(state)}, {len(converted.left_out)} left out')
    if args.verify:
        config = read_config(args.config).model if args.config else model_config(converted.state, args.num_heads)
        wrong = differences(converted.state, args.output, config)
        print('\n'.join(wrong) or f'verified: all {len(converted.state)} tensors are in the model as written')
        if wrong:
            return 1
    fitting = fitting_configs(converted.state)
    if fitting:
        print(f'next, with SMPL\'s files in data/smpl: python demo/image_demo.py PHOTO --recipe network '
              f'--model {fitting[0]} --checkpoint {args.output}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
