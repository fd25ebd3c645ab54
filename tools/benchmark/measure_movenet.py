#!/usr/bin/env python
"""Mean and standard deviation of MoveNet's features over rendered crowds, for networks that take them.

    python tools/benchmark/measure_movenet.py mmhuman_dto/movenet/data/movenet_features.safetensors
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.movenet import FEATURES, published_movenet
from mmhuman_dto.programs import output_file, program

#: Sizes (height, width) of the pictures, px, and pictures of each.
SIZES, PICTURES = ((384, 512), (512, 288), (512, 512)), 16
#: Channels that never change are left as they are.
LEAST = 1e-3


@torch.no_grad()
def statistics():
    """``FEATURE.mean`` and ``FEATURE.std`` (C,) of each feature over all cells of all pictures."""
    network, values = published_movenet(), {name: [] for name in FEATURES}
    for size in SIZES:
        crowd = SyntheticCrowd(scenes=dict(size=size, people=(1, 8)), seed=3)
        for index in range(PICTURES):
            image = torch.from_numpy(crowd[index].image).permute(2, 0, 1)[None].float()
            for name, value in network.look(image)[1].items():
                values[name].append(value[0].flatten(1))
    joined = {name: torch.cat(value, 1).double() for name, value in values.items()}
    return {f'{name}.mean': value.mean(1).float() for name, value in joined.items()} | {
        f'{name}.std': value.std(1).clamp(min=LEAST).float() for name, value in joined.items()}


@program
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=output_file)
    args = parser.parse_args(argv)
    save_file(statistics(), Path(args.out), dict(
        made_by='tools/benchmark/measure_movenet.py', licence='Apache-2.0',
        of=f'{len(SIZES) * PICTURES} rendered crowds (SyntheticCrowd, seed 3)'))


if __name__ == '__main__':
    main()
