#!/usr/bin/env python
"""How well people are placed through time: against frame-by-frame DTO and a Kalman smoother of its result.

    python tools/benchmark/bench_video.py [--quick] [--clips N] [--seconds S] [--json FILE]

Clips of 2 to 8 people who walk and stand, rendered at 30 frames/s, with exact truth and the errors of networks, which
in part stay, drift and are new in each frame (``synthetic.clips.ClipErrors``). The camera stands still, pans (its poses
are unknown: people are compared in the camera frame) or is carried by somebody who walks (its poses are given, people
are compared in the world), with and without a depth map whose people are wrong by 6 %. The smoother's numbers are
fitted on other clips of the setting.

``--real`` instead takes the real clip of bench_photos.py, of which every fourth frame has joints that a network found
and truth good to 1-2 cm: two cameras, with the true focal length and a guess, no depth map. Its root is the middle of
the hips, its feet are ankles; bodies are fitted to each frame's joints or ("poses too") through time. The smoother is
fitted on what it smooths. What the truth itself shakes is in its own row.
"""
import argparse
import os
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402
from _photo_truth import CLIP_TRUTH  # noqa: E402
from _video_clips import (  # noqa: E402
    SETTINGS,
    SOLVERS,
    Kalman,
    clip_errors,
    clip_of,
    frame_by_frame,
    over_time,
    steadily,
    video_cases,
)
from _video_photo import RealMethods, real_cases, real_figures  # noqa: E402

from mmhuman_dto.evaluation.metrics import ClipPlacementMetric, WorldMotionMetric  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402

HELD_OUT_SEED, TUNING_SEED = 900, 800
DEFAULTS = dict(clips=4, tuning_clips=2, seconds=10.)
QUICK = dict(clips=1, tuning_clips=1, seconds=3.)
#: What the smoother smooths: frame-by-frame DTO, and the same of frames with one camera and one shape a person.
SMOOTHED = {'Kalman': frame_by_frame, 'Kalman, steady': steadily}
#: What is reported: name -> (title, unit, factor of the metric's unit, digits).
FIGURES = {
    'place_error': ('place', 'm', 1, 3), 'relative_depth_error': ('depth', '%', 1, 1), 'pcdr': ('PCDR', '%', 1, 1),
    'height_error': ('height', 'cm', 100, 1), 'height_error_frames': ('h/frame', 'cm', 100, 1),
    'root_acceleration_error': ('root', 'm/s^2', 1, 2), 'world_acceleration_error': ('joints', 'm/s^2', 1, 1),
    'foot_sliding': ('feet', 'mm', 1, 1),
    'jitter': ('jitter', '10 m/s^3', 1, 0), 'popping': ('pop', 'm', 1, 3), 'seconds': ('time', 's', 1, 1)}
#: What is said of a world that is known.
OF_THE_WORLD = ('foot_sliding', )
#: What methods start from, and the truth, of whose jitter and feet one wants to know.
GIVEN = {'truth': lambda case: list(case.truth.samples()), 'initial': lambda case: case.samples}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help='one short clip a setting')
    parser.add_argument('--clips', type=int, help=f'clips a setting (default {DEFAULTS["clips"]})')
    parser.add_argument('--tuning-clips', type=int, help='that the smoother is fitted on '
                        f'(default {DEFAULTS["tuning_clips"]})')
    parser.add_argument('--seconds', type=float, help=f'of a clip (default {DEFAULTS["seconds"]:g})')
    parser.add_argument('--settings', nargs='+', default=list(SETTINGS), choices=list(SETTINGS), metavar='SETTING',
                        help=f'of {", ".join(SETTINGS)}; default: all')
    parser.add_argument('--depth', nargs='+', default=list(SOLVERS), choices=list(SOLVERS), metavar='DEPTH',
                        help=f'of {", ".join(map(repr, SOLVERS))}; default: all')
    parser.add_argument('--fresh', action='store_true', help='all errors are new in each frame: none stays or drifts')
    parser.add_argument('--focal-error', type=float, default=.1,
                        help='std of the logarithm of assumed over true focal length (default 0.1)')
    parser.add_argument('--real', type=Path, nargs='?', const=CLIP_TRUTH, metavar='NPZ',
                        help='the real clip instead; default: the bundled truth')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    args = parser.parse_args(argv)
    for name, value in (QUICK if args.quick else DEFAULTS).items():
        setattr(args, name, getattr(args, name) or value)
    return args


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    rows = real_rows(args.real, body_model) if args.real else synthetic_rows(args, body_model)
    headings = ['camera', 'depth', 'method', *(f'{title}, {unit}' for title, unit, *_ in FIGURES.values())]
    about = dict(real=str(args.real)) if args.real else dict(
        clips=args.clips, seconds=args.seconds, fresh=args.fresh, focal_error=args.focal_error)
    report('People through time', headings, map(cells, rows), dict(rows=rows, **about), args.json)


def synthetic_rows(args, body_model):
    """Figures of each setting, depth and method."""
    rows, errors = [], clip_errors(args.fresh, args.focal_error)
    for setting in args.settings:
        cases, tuning = (list(video_cases(setting, number, args.seconds, seed, body_model, errors))
                         for number, seed in ((args.clips, HELD_OUT_SEED), (args.tuning_clips, TUNING_SEED)))
        given = {name: score(cases, [(samples(case), 0.) for case in cases], body_model)
                 for name, samples in GIVEN.items()}
        rows += [dict(setting=setting, depth='', method=name, **figures) for name, figures in given.items()]
        for depth in args.depth:
            rows += [dict(setting=setting, depth=depth, method=name, **figures)
                     for name, figures in compare(cases, tuning, SOLVERS[depth], body_model).items()]
    for row in rows:
        if SETTINGS[row['setting']] == 'moving':
            row.update(dict.fromkeys(OF_THE_WORLD, np.nan))
    return rows


def real_rows(truth, body_model):
    """Figures of each method on the real clip, with the true focal length and a guess."""
    rows, methods = [], RealMethods(body_model)
    for focal in ('true', 'guessed'):
        cases = real_cases(truth, focal == 'true')
        placed = [{'truth': None, **methods(case)} for case in cases]
        rows += [dict(setting=f'{focal} focal', depth='no depth', method=name,
                      **real_figures(cases, [ways[name] for ways in placed], body_model)) for name in placed[0]]
    return rows


def cells(row):
    """A row of the table."""
    return [row['setting'], row['depth'], row['method'], *(
        f'{factor * row[name]:.{digits}f}' if np.isfinite(row.get(name, np.nan)) else ''
        for name, (_, _, factor, digits) in FIGURES.items())]


def compare(cases, tuning, solver, body_model):
    """{method: figures} of clips; ``tuning``: other clips, of which nothing is reported."""
    placed = {'frame by frame': [timed(frame_by_frame, case, solver, body_model) for case in cases]}
    for name, place in SMOOTHED.items():
        kalman = Kalman([(case, place(case, solver, body_model)) for case in tuning], body_model)
        placed[name] = [timed(smoothed, case, kalman, place, solver, body_model) for case in cases]
    placed['over time'] = [timed(over_time, case, solver, body_model) for case in cases]
    return {name: score(cases, results, body_model) for name, results in placed.items()}


def smoothed(case, kalman, place, solver, body_model):
    """Samples of a case placed and smoothed."""
    return kalman(case, place(case, solver, body_model))


def timed(place, case, *args):
    """(placed samples, seconds of processor time)."""
    start = time.process_time()
    return place(case, *args), time.process_time() - start


def score(cases, placed, body_model):
    """Figures of [(samples, seconds)] of the cases."""
    config = dict(type=type(body_model).__name__)
    metrics = [kind(config, match='ids') for kind in (ClipPlacementMetric, WorldMotionMetric)]
    for case, (samples, _) in zip(cases, placed):
        pair = dict(pred_clip=clip_of(case, samples, body_model), gt_clip=case.truth)
        for metric in metrics:
            metric.process({}, [pair])
    figures = {name: value for metric in metrics for name, value in metric.compute_metrics(metric.results).items()}
    return dict(figures, seconds=float(np.mean([seconds for _, seconds in placed])))


if __name__ == '__main__':
    main()
