#!/usr/bin/env python
"""How fast and how well people and their joints are found in the frames of videos, by each source.

    python tools/benchmark/bench_video_joints.py [--clip WHEEL] [--clips N] [--frames N] [--threads N] [--json FILE]

Videos are rendered clips with exact truth and, with --clip, the real clip of ``bench_photos.py`` (1088 x 1920; every
fourth frame has truth). The sources take turns frame by frame; time is the processor's a frame, with more than one
thread the clock's. Joints count, in px, where a frame has truth and a person was found; somebody is missed of whom at
least half is seen; false are people whom no truth is near. The count of people jumps where it is not the frame before's
although the true one is; acceleration is the second difference of joints from frame to frame, in px.
"""
import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402
from _photo_truth import clip_cases, clip_frames, joints_of  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402

import mmhuman_dto.perception  # noqa: E402, F401
from mmhuman_dto.geometry import project  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS, SOURCES  # noqa: E402
from mmhuman_dto.structures import HumanDataSample  # noqa: E402
from mmhuman_dto.synthetic import Renderer  # noqa: E402
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip  # noqa: E402

SEED = 950
METHODS = ('MoveNetJoints', 'BlazePoseJoints', 'VideoJoints')
#: Who is found lies nearer than this part of the person's size, on the median joint.
NEAR = .3
#: Least part of a body that is seen of somebody who has to be found.
WANTED = .5
#: name -> (title, digits).
FIGURES = dict(ms=('ms a frame', 0), slowest=('slowest, ms', 0), median=('joints, px', 2), mean=('mean, px', 2),
               missed=('missed', 0), false=('false', 0), people=('of people', 0), jumps=('jumps', 0),
               acceleration=('accel., px', 2))


class Truth(NamedTuple):
    """Who is in a frame: joints (T, 17, 2) px, which are ``known`` (T, 17), and who has to be found, ``wanted`` (T)."""
    joints: np.ndarray
    known: np.ndarray
    wanted: np.ndarray


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clip', type=Path, help="wheel or folder with the real clip's videos")
    parser.add_argument('--clips', type=int, default=3, help='rendered clips; 0 for none')
    parser.add_argument('--frames', type=int, default=60, help='of each video, at most')
    parser.add_argument('--threads', type=int, default=1, help='of the networks')
    parser.add_argument('--size', type=int, nargs=2, default=(720, 1280), metavar=('H', 'W'), help='of rendered clips')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    sources = {name: SOURCES.build(dict(type=name, device='cpu')) for name in METHODS}
    clock = time.process_time if args.threads == 1 else time.perf_counter
    sets = {'rendered': rendered_videos(args)} if args.clips else {}
    if args.clip:
        sets['real clip'] = real_videos(args)
    rows = []
    for name, videos in sets.items():
        figures = compare(videos, sources, clock)
        rows += [dict(videos=name, method=method, **values) for method, values in figures.items()]
    headings = ['videos', 'source', *(title for title, _ in FIGURES.values())]
    report(f'People in the frames of videos, {args.threads} thread(s)', headings, map(cells, rows),
           dict(rows=rows, frames=args.frames, threads=args.threads), args.json)


def cells(row):
    return [row['videos'], row['method'], *(f'{row[name]:.{digits}f}' for name, (_, digits) in FIGURES.items())]


def sample_of(image, frame):
    sample = HumanDataSample(metainfo=dict(img_id=f'{frame:06d}', ori_shape=image.shape[:2], frame=frame,
                                           shot_start=frame == 0))
    sample.image = image
    return sample


def rendered_videos(args):
    """Yield videos, each an iterable of (sample, :class:`Truth` or None)."""
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    renderer = Renderer(body_model, supersample=1)
    config = ClipConfig(size=tuple(args.size), seconds=args.frames / 30, people=(3, 5))
    for index in range(args.clips):
        yield rendered_frames(sample_clip(index, body_model, config, SEED), renderer, body_model)


def rendered_frames(crowd, renderer, body_model):
    for frame, (picture, true) in enumerate(zip(crowd.pictures(renderer), crowd.clip.samples())):
        people = true.pred_instances
        joints = torch.from_numpy(joints_of(people, body_model))
        pixels = project(joints, true.pred_camera.intrinsics.double()).numpy()
        wanted = crowd.visible[frame, people.track_ids.numpy()] >= WANTED
        yield sample_of(picture.image, frame), Truth(pixels, np.ones(pixels.shape[:2], bool), wanted)


def real_videos(args):
    """The same of the two cameras of the real clip in which everybody was annotated."""
    cases = {}
    for case in clip_cases(args.clip):
        camera, frame = case.img_id.split('/')
        wanted = np.ones(len(case.joints), bool)
        cases.setdefault(int(camera[3:]) - 1, {})[int(frame)] = Truth(case.pixels, case.known, wanted)
    for camera, truths in cases.items():
        frames = clip_frames(args.clip, camera)
        yield ((sample_of(image, frame), truths.get(frame)) for frame, image in frames if frame < args.frames)


def compare(videos, sources, clock):
    """{source: figures} of videos, in which the sources take turns frame by frame."""
    scores, times = {name: [] for name in sources}, {name: [] for name in sources}
    for video in videos:
        found, truths = {name: [] for name in sources}, []
        for sample, truth in video:
            truths.append(truth)
            for name, source in sources.items():
                start = clock()
                people, = source([sample])
                times[name].append(clock() - start)
                found[name].append(people.keypoints_2d.numpy())
        for name in sources:
            scores[name].append(score(found[name], truths))
    return {name: dict(summary(scores[name]), ms=1e3 * float(np.mean(times[name])),
                       slowest=1e3 * float(np.max(times[name]))) for name in sources}


def score(found, truths):
    """Of the frames of one video: errors, accelerations, and counts of what went wrong."""
    errors, missed, false, people = [], 0, 0, 0
    for joints, truth in zip(found, truths):
        if truth is not None:
            rows, columns = paired(joints, truth)
            errors += [np.linalg.norm(joints[row] - truth.joints[column], axis=-1)[truth.known[column]]
                       for row, column in zip(rows, columns)]
            missed += int(np.delete(truth.wanted, columns).sum())
            false, people = false + len(joints) - len(rows), people + int(truth.wanted.sum())
    jumps = count_jumps([len(joints) for joints in found], [truth and len(truth.joints) for truth in truths])
    return dict(errors=errors, accelerations=accelerations(found), missed=missed, false=false, people=people,
                jumps=jumps)


def count_jumps(counts, true):
    """How often counts change while the ``true`` ones stay; None there is as before."""
    jumps, last = 0, None
    for number, now in enumerate(true):
        now = last if now is None else now
        jumps += number > 0 and counts[number] != counts[number - 1] and now == last
        last = now
    return jumps


def paired(joints, truth):
    """Rows of those found and of the truth that are one person each."""
    distance = np.full((len(joints), len(truth.joints)), np.inf)
    for column, (true, known) in enumerate(zip(truth.joints, truth.known)):
        apart = np.linalg.norm(joints[:, known] - true[known], axis=-1)
        distance[:, column] = np.median(apart, 1) / np.ptp(true[known], 0).max() if known.any() else np.inf
    rows, columns = linear_sum_assignment(np.minimum(distance, 2 * NEAR))
    near = distance[rows, columns] < NEAR
    return rows[near], columns[near]


def accelerations(found):
    """Second differences (17) px of the joints of everybody in the frames before and after."""
    second = []
    for before, now, after in zip(found, found[1:], found[2:]):
        if min(len(before), len(now), len(after)):
            for joints in now:
                nearest = [others[np.median(np.linalg.norm(others - joints, axis=-1), 1).argmin()]
                           for others in (before, after)]
                second.append(np.linalg.norm(sum(nearest) - 2 * joints, axis=-1))
    return second


def summary(scores):
    """Figures of all videos from those of each."""
    errors, second = (np.concatenate([np.zeros(0), *(values for score in scores for values in score[name])])
                      for name in ('errors', 'accelerations'))
    totals = {name: sum(score[name] for score in scores) for name in ('missed', 'false', 'people', 'jumps')}
    return dict(totals, median=float(np.median(errors)) if len(errors) else np.nan,
                mean=float(errors.mean()) if len(errors) else np.nan,
                acceleration=float(np.median(second)) if len(second) else np.nan)


if __name__ == '__main__':
    main()
