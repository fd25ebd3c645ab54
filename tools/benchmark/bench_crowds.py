#!/usr/bin/env python
"""How fast rendered crowds of both versions are made: processor seconds a scene, laid out and drawn, on one core.

    python tools/benchmark/bench_crowds.py [--scenes 24] [--rounds 3] [--json FILE]

Both versions have pictures of the same size with the same number of people asked for, and are timed by turns. A person
of version 2 fills more of the picture (close-ups), which the table shows: pixels of people cost the most.
"""
import argparse
import time
from functools import partial

import cv2
import numpy as np
import torch
from _common import report, take_turns

from mmhuman_dto.programs import output_file, program
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig, Renderer, sample_scene

#: (height, width) px and people.
CASES = (((168, 224), 3), ((448, 448), 4), ((448, 448), 16), ((640, 960), 8))


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=24, help='scenes a case')
    parser.add_argument('--rounds', type=int, default=3, help='how often each case is timed')
    parser.add_argument('--json', type=output_file, help='write the figures there')
    return parser.parse_args(argv)


def config(version, size, people):
    """Scenes with so many people, as large as they are in training."""
    later = {} if version == 1 else dict(version=2, formats=((size[1] / size[0], 1.), ))
    return CrowdConfig(size=size, people=(people, people), fov=(25., 90.), first_row=(.6, 1.1), depth_range=(1.2, 2.),
                       min_visible=.05, **later)


def make(scenes, settings, renderer, body_model):
    """Draw the first scenes; the mean share of people's pixels."""
    pictures = [renderer(sample_scene(i, body_model, settings)) for i in range(scenes)]
    return np.mean([(picture.id_map > 0).mean() for picture in pictures])


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    renderer, rows, figures = Renderer(body_model), [], {}
    for size, people in CASES:
        runs = {version: partial(make, args.scenes, config(version, size, people), renderer, body_model)
                for version in (1, 2)}
        shares = {version: run() for version, run in runs.items()}
        seconds = {version: value / args.scenes for version, value in
                   take_turns(runs, args.rounds, warm_up=False, clock=time.process_time).items()}
        figures[f'{size[0]}x{size[1]}, {people}'] = dict(seconds=seconds, shares=shares)
        rows.append((f'{size[0]} x {size[1]}', people, *(f'{1000 * seconds[v]:.0f}' for v in (1, 2)),
                     f'{seconds[2] / seconds[1]:.2f}', *(f'{100 * shares[v]:.0f} %' for v in (1, 2))))
    report('Rendered crowds', ('size', 'people', 'version 1, ms', 'version 2, ms', 'ratio', "1: people's pixels",
                               "2: people's pixels"), rows, figures, args.json)
    return figures


if __name__ == '__main__':
    main()
