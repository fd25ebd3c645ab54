#!/usr/bin/env python
"""How well people are posed through time from their 2D joints: frame by frame, smoothed, and fitted through time.

    python tools/benchmark/bench_temporal_fit.py [--quick] [--clips 6] [--lags 0 6] [--json temporal.json]

Moving crowds (cameras that stand, pan and walk; exact truth) with a network's errors of 2D joints, of which a part is
new in each frame; the same without a person, or its legs, for a second, of which only that second is measured; and 25
frames of a real clip, whose truth is good to 1-2 cm. What is smoothed are the 3D joints of the fit of single frames,
by numbers that are best on other crowds. Accelerations and jitter are around the hips, ankles slide in the world.
"""
import argparse
import os
import time

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402
from _moving_joints import LEAST_JOINTS, LIMBS, clip_people, crowd_people  # noqa: E402
from _smoothers import Smoothers  # noqa: E402
from bench_photos import HIPS  # noqa: E402

from mmhuman_dto.body_models.joint_sets import JOINT_SETS  # noqa: E402
from mmhuman_dto.evaluation.functional.motion import acceleration_errors, foot_sliding, jitter  # noqa: E402
from mmhuman_dto.evaluation.functional.pose import mpjpe, pa_mpjpe  # noqa: E402
from mmhuman_dto.fitting import FitState, LiveFit, TemporalFit  # noqa: E402
from mmhuman_dto.fitting.kinematics import logarithm  # noqa: E402
from mmhuman_dto.geometry import axis_angle_to_matrix  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import SOURCES  # noqa: E402
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip  # noqa: E402

HELD_OUT_SEED, TUNING_SEED = 900, 800
ANKLES = [JOINT_SETS['coco17'].names.index(f'{side}_ankle') for side in ('left', 'right')]
#: Seconds in which joints are not seen, and of which bones.
UNSEEN, LEGS = 1., ('knee', 'ankle')
#: What is reported: name -> (title, unit, digits).
FIGURES = {'pa_mpjpe': ('PA', 'mm', 1), 'mpjpe': ('MPJPE', 'mm', 1), 'acceleration': ('accel.', 'm/s^2', 1),
           'jitter': ('jitter', '10m/s^3', 1), 'ankles': ('ankles', 'mm', 1), 'place': ('place', 'm', 3),
           'milliseconds': ('time', 'ms', 1)}


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help='one short clip')
    parser.add_argument('--clips', type=int, help='moving crowds (default 6, or 1)')
    parser.add_argument('--seconds', type=float, help='of a clip (default 4, or 2.1)')
    parser.add_argument('--lags', nargs='*', type=int, default=[0, 6], help='frames that live fits wait; the slow part')
    parser.add_argument('--motion', action='store_true', help='only print how bones of moving crowds turn')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    args = parser.parse_args(argv)
    args.clips, args.seconds = args.clips or (1 if args.quick else 6), args.seconds or (2.1 if args.quick else 4.)
    return args


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    fit = SOURCES.build(dict(type='KeypointFitMeshes', lifter='openbody_coco17', device='cpu')).fit
    if args.motion:
        return print_motion(fit, args)
    others = list(crowd_people(fit, max(1, args.clips // 2), args.seconds, TUNING_SEED))
    smoothers = Smoothers([(person.track.times.numpy(), joints, person.joints) for person, joints in zip(
        others, frame_by_frame(fit, others)[0])])
    crowds = list(crowd_people(fit, args.clips, args.seconds, HELD_OUT_SEED))
    sets = {'crowds': crowds, 'new errors each frame': list(crowd_people(
        fit, args.clips, args.seconds, HELD_OUT_SEED, lasting=0.)),
        'legs unseen for 1 s': [person.unseen(LEGS, UNSEEN) for person in crowds],
        'not found for 1 s': [person.unseen((), UNSEEN) for person in crowds],
        'real clip, MoveNet': list(clip_people('movenet')), 'real clip, BlazePose': list(clip_people('blazepose'))}
    rows = [dict(set=name, people=len(people), method=method, **figures)
            for name, people in ((name, [person for person in some if person]) for name, some in sets.items())
            for method, figures in compared(fit, smoothers, people, args.lags).items()]
    report('People posed through time', ['set', '#', 'method', *(f'{title} {unit}' for title, unit, _ in
                                                                FIGURES.values())],
           [[row['set'], row['people'], row['method'], *(f'{row[name]:.{digits}f}' for name, (*_, digits) in
                                                         FIGURES.items())] for row in rows], dict(rows=rows), args.json)
    return None


def compared(fit, smoothers, people, lags):
    """{method: {figure: number}} of people; the truth first."""
    temporal, count = TemporalFit(fit), sum(len(person.joints) for person in people)
    single, seconds = frame_by_frame(fit, people)
    answers = {'truth': ([person.joints for person in people], np.nan), 'frame by frame': (single, seconds)}
    for name, method in (('One Euro filter', smoothers.filter), ('Kalman smoother', smoothers.smooth)):
        answers[name] = timed(lambda method=method: [method(person.track.times.numpy(), joints)
                                                     for person, joints in zip(people, single)])
    for lag in lags:
        answers[f'live, {lag} frames late'] = timed(lambda lag=lag: [live(temporal, person, lag) for person in people])
    start = time.process_time()
    results = temporal([person.track for person in people])
    answers['through time'] = [joints_of(fit, result.state) for result in results], time.process_time() - start
    depths = [person.joints[:, HIPS, 2].mean(1) for person in people]
    answers['again at true depths'] = timed(lambda: [joints_of(fit, result.state) for result in temporal.refit(
        [result.state for result in results], [person.track for person in people], depths)])
    return {name: dict(measured(people, joints), milliseconds=1000 * seconds / count)
            for name, (joints, seconds) in answers.items()}


def timed(run):
    """What a function gives, and how many seconds it takes."""
    start = time.process_time()
    return run(), time.process_time() - start


def joints_of(fit, state):
    """Joints (F, 17, 3) m, camera frame."""
    return fit.tables.joints(state).numpy()


def frame_by_frame(fit, people):
    """Joints of each person, those of frames without it on straight lines between, and seconds."""
    def of(person):
        seen = ((person.track.scores > 0).sum(1) >= LEAST_JOINTS).numpy()
        track, times = person.track.rows(torch.from_numpy(seen)), person.track.times.numpy()
        joints = joints_of(fit, fit(*track[:3]).state).reshape(seen.sum(), -1)
        return np.stack([np.interp(times, times[seen], line) for line in joints.T], 1).reshape(len(times), -1, 3)

    return timed(lambda: [of(person) for person in people])


def live(temporal, person, lag):
    """Joints (F, 17, 3) of a person as frames come; frames before the first told one are as that."""
    fit, track = LiveFit(temporal, lag), person.track
    frames = [fit.add(float(track.times[row]), ['one'], track.keypoints[row:row + 1], track.scores[row:row + 1],
                      track.intrinsics[row]) for row in range(len(track.times))] + fit.finish()
    states = [frame.result.state if frame.track_ids else None for frame in frames if frame is not None]
    first = next(state for state in states if state is not None)
    return joints_of(temporal.fit, FitState.cat([state or first for state in states]))


def measured(people, found):
    """Figures of joints found (F, 17, 3) of each person, m, camera frame: means over frames."""
    lists = {name: [] for name in FIGURES if name != 'milliseconds'}
    for person, joints in zip(people, found):
        times, counted = person.track.times.numpy(), person.counted
        ours, theirs = (points - points[:, HIPS].mean(1, keepdims=True) for points in (joints, person.joints))
        lists['pa_mpjpe'].append(pa_mpjpe(joints[:, LIMBS][counted], person.joints[:, LIMBS][counted]))
        lists['mpjpe'].append(mpjpe(ours[:, LIMBS][counted], theirs[:, LIMBS][counted]))
        lists['acceleration'].append(acceleration_errors(ours[:, LIMBS], theirs[:, LIMBS], times, counted))
        lists['jitter'].append(jitter(ours[:, LIMBS], times, counted))
        lists['ankles'].append(foot_sliding(*(person.in_world(points[:, ANKLES]) for points in (joints, person.joints)),
                                            times, counted))
        away = (joints - person.joints)[:, HIPS].mean(1)
        lists['place'].append(np.linalg.norm(away, axis=-1)[counted])
    return {name: float(np.concatenate(values).mean()) for name, values in lists.items()}


def print_motion(fit, args):
    """Root mean squares of bones' angular velocities and accelerations in moving crowds, and of the pelvis'."""
    turns, moves = [], []
    for index in range(args.clips):
        crowd = sample_clip(index, fit.body_model, ClipConfig(seconds=args.seconds), TUNING_SEED)
        for row in range(len(crowd.actors)):
            pose, root = crowd.in_camera(row, np.arange(len(crowd)))
            rotations = axis_angle_to_matrix(torch.from_numpy(pose))
            turns.append(logarithm(rotations[:-1].transpose(-1, -2) @ rotations[1:]) * crowd.config.fps)
            moves.append(torch.from_numpy(root).diff(dim=0)[:, None] * crowd.config.fps)
    for name, speed, acceleration in zip((*JOINT_SETS['smpl24'].names, 'place'), *(
            np.concatenate([root_mean_square(values, order, crowd.config.fps) for values in (turns, moves)])
            for order in (0, 1))):
        print(f'{name:15} {speed:6.2f} /s {acceleration:6.1f} /s^2')


def root_mean_square(values, order, fps):
    """(K) of the order-th derivatives of a list of (F, K, 3)."""
    derivatives = torch.cat([value.diff(n=order, dim=0) * fps**order for value in values])
    return derivatives.pow(2).mean((0, 2)).sqrt().numpy()


if __name__ == '__main__':
    main()
