#!/usr/bin/env python
"""Who is who in videos: this package's tracker, whole and in parts, and those of the package ``trackers``.

    python tools/benchmark/bench_tracking.py [--clips N] [--seed S] [--json FILE] [--videos WHEEL]

Held-out synthetic clips (moving crowds, still, panning and walking cameras, 15 frames/s) are seen with the errors of
networks (``_clip_people.py``). ``the truth`` is what can be known of who is seen. All trackers get the same people;
those of ``trackers`` (``pip install trackers``, Apache-2.0; left out where it is not installed) their boxes and scores,
the same least score and two seconds of memory. Who is paired with whom is known exactly, so that boxes that are off
cost nothing. ``--videos`` does the same on the cameras of a real clip (see ``_photo_truth.py``), of every second frame,
against triangulated joints.
"""
import argparse
import os
import time
from dataclasses import replace
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _clip_people import watched  # noqa: E402
from _common import report  # noqa: E402
from _photo_truth import CLIP_TRUTH, clip_cases, clip_frames  # noqa: E402
from rich.console import Console  # noqa: E402

from mmhuman_dto import HumanInferencer  # noqa: E402
from mmhuman_dto.evaluation.functional.identities import IdentityFrame, identity_metrics  # noqa: E402
from mmhuman_dto.fileio import load_npz  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402
from mmhuman_dto.structures.fields import SEEN_SCORE  # noqa: E402
from mmhuman_dto.synthetic import Renderer  # noqa: E402
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip  # noqa: E402
from mmhuman_dto.tracking import Observations, Tracker, colour_histograms, track_people  # noqa: E402

HELD_OUT_SEED = 940
CLIPS = 12
#: s out of sight after which nobody has to be known again.
MEMORY = 2.
CONFIG = ClipConfig(size=(270, 480), seconds=10, fps=15, people=(4, 8))
#: What is kept from the tracker.
PARTS = {'places': ('positions', ), 'joints': ('joints', 'joint_scores'), 'poses': ('pose', ), 'heights': ('heights', ),
         'colours': ('colours', )}
WITHOUT = {'boxes alone': tuple(PARTS), 'boxes, places': ('joints', 'poses', 'heights', 'colours'),
           'boxes, colours': ('places', 'joints', 'poses', 'heights'),
           **{f'all but {name}': (name, ) for name in PARTS}}
#: Frames/s and part of frames of the real clip that is looked at; joints nearer than this part of a person's size are
#: the same person's.
REAL_FPS, EVERY, SAME = 60., 2, .1


class Frame(NamedTuple):
    """Time s, what is seen, the camera's pose, and how alike (T, N) the people annotated ``ids`` (T) and seen are; None
    where nobody annotated the frame."""
    time: float
    observations: Observations
    pose: np.ndarray | None
    ids: np.ndarray | None
    similarity: np.ndarray | None


def synthetic(index, seed, body_model, renderer):
    """List of :class:`Frame` of one clip."""
    with torch.no_grad():
        crowd = sample_clip(index, body_model, CONFIG, seed=seed)
        return [Frame(one.time, one.observations, one.camera_pose, one.ids,
                      (one.ids[:, None] == one.owners[None]).astype(float)) for one in watched(crowd, renderer)]


def real(videos):
    """{camera: list of :class:`Frame`} of the real clip."""
    with load_npz(CLIP_TRUTH) as arrays:
        intrinsics = arrays['K']
    clips = {}
    for camera in range(len(intrinsics)):
        truth = {int(case.img_id[-6:]): case for case in clip_cases(videos, cameras=[camera])}
        inferencer = HumanInferencer(focal=float(intrinsics[camera][0, 0]), batch_size=1)
        frames = clip_frames(videos, camera)
        clips[f'cam{camera + 1:02d}'] = [_real_frame(inferencer(image), image, number, truth.get(number))
                                         for number, image in frames if number % EVERY == 0]
    return clips


def _real_frame(scene, image, number, case):
    people, found = scene.sample.pred_instances[:], scene.sample.detected_instances
    del people.keypoints_2d
    people.keypoints_2d, people.keypoints_2d_valid = found.keypoints_2d, found.keypoints_2d_valid
    seen = Observations.of_people(people, scene.body_model, colour_histograms(
        image, found.keypoints_2d, found.keypoints_2d_valid, people.bboxes))
    if case is None:
        return Frame(number / REAL_FPS, seen, None, None, None)
    names = {'man': 0, 'avatar': 1, 'bystander': 2}
    similarity = np.zeros((len(case.groups), len(seen)))
    for row, (joints, known) in enumerate(zip(case.pixels, case.known)):
        size = np.ptp(joints[known], axis=0).max()
        for column in range(len(seen)):
            both = known & (seen.joint_scores[column] >= SEEN_SCORE)
            off = np.linalg.norm(seen.joints[column] - joints, axis=-1)[both] / size
            similarity[row, column] = np.clip(1 - np.median(off) / (2 * SAME), 0, 1) if both.any() else 0
    return Frame(number / REAL_FPS, seen, None, np.array([names[name] for name in case.groups]), similarity)


def trackers():
    """{name: function of a clip's frames that gives ids (N) of each}."""
    found = {'the truth': _truth,
             'whole video': lambda clip: track_people((one.time, one.observations) for one in clip),
             'whole video, camera poses': lambda clip: track_people(
                 (one.time, one.observations, one.pose) for one in clip),
             'as frames come': _as_frames_come}
    for name, parts in WITHOUT.items():
        found[name] = lambda clip, parts=parts: _as_frames_come(clip, parts)
    try:
        import trackers as others
    except ImportError:
        return found
    lost, score = dict(lost_track_buffer=60), Tracker().high_score
    high, begin = dict(high_conf_det_threshold=score), dict(track_activation_threshold=score)
    for name, options in (('SORT', begin), ('ByteTrack', {**high, **begin}), ('OCSORT', high),
                          ('BoTSORT', {**high, **begin, 'enable_cmc': False})):
        kind = getattr(others, f'{name}Tracker')
        found[name] = lambda clip, kind=kind, options=options: _others(clip, kind, {**lost, **options})
    return found


def _truth(clip):
    """Who it is of all who are seen; after more than ``MEMORY`` s out of sight, somebody new."""
    last, numbers, given, ids = {}, {}, 0, []
    for one in clip:
        ids.append(np.full(len(one.observations), -1))
        for column, owner in enumerate([] if one.ids is None or not len(one.ids) else one.similarity.argmax(0)):
            if one.similarity[owner, column] > 0:
                person = int(one.ids[owner])
                if one.time - last.get(person, -np.inf) > MEMORY + 1e-6:
                    numbers[person] = given = given + 1
                last[person] = one.time
                ids[-1][column] = numbers[person]
    return ids


def _as_frames_come(clip, without=()):
    hidden, tracker = {field: None for part in without for field in PARTS[part]}, Tracker()
    return [tracker.add(one.time, replace(one.observations, **hidden)) for one in clip]


def _others(clip, kind, options):
    from supervision import Detections
    tracker, ids = kind(frame_rate=float(1 / np.median(np.diff([one.time for one in clip]))), **options), []
    for one in clip:
        people = one.observations
        found = tracker.update(Detections(
            xyxy=people.boxes.astype(np.float32), confidence=people.scores.astype(np.float32),
            class_id=np.zeros(len(people), int), data=dict(row=np.arange(len(people)))))
        ids.append(np.full(len(people), -1))
        if len(found):
            ids[-1][found.data['row']] = found.tracker_id
    return ids


def score(clips, run):
    """Figures of a tracker on clips, with ``fps``, frames a second of processor time."""
    start = time.process_time()
    ids = [run(clip) for clip in clips]
    seconds = time.process_time() - start
    figures = identity_metrics([[IdentityFrame(one.ids, row[row >= 0], one.similarity[:, row >= 0])
                                 for one, row in zip(clip, rows) if one.ids is not None]
                                for clip, rows in zip(clips, ids)])
    return dict(figures, fps=sum(map(len, clips)) / max(seconds, 1e-9))


COLUMNS = ('tracker', 'IDF1, %', 'HOTA, %', 'MOTA, %', 'switches', 'fragmentations', 'misses', 'false', 'frames/s')


def rows_of(table):
    return [(name, *(f'{figures[key]:.1f}' for key in ('idf1', 'hota', 'mota')),
             *(figures[key] for key in ('switches', 'fragmentations', 'misses', 'false_positives')),
             f'{figures["fps"]:.0f}') for name, figures in table.items()]


@program
def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clips', type=int, default=CLIPS, help='synthetic clips; default: %(default)s')
    parser.add_argument('--seed', type=int, default=HELD_OUT_SEED, help='default: %(default)s, held out')
    parser.add_argument('--videos', help='wheel or folder of the real clip')
    parser.add_argument('--json', type=output_file)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    body_model, console = BODY_MODELS.build(dict(type='OpenBody')), Console(stderr=True)
    renderer, clips = Renderer(body_model, supersample=1), []
    for index in range(args.clips):
        clips.append(synthetic(index, args.seed, body_model, renderer))
        console.print(f'clip {index + 1} of {args.clips}')
    figures = dict(seed=args.seed, clips=args.clips)
    if clips:
        figures['synthetic'] = {name: score(clips, run) for name, run in trackers().items()}
        report(f'{args.clips} synthetic clips, seed {args.seed}', COLUMNS, rows_of(figures['synthetic']), figures,
               args.json)
    if args.videos:
        cameras = list(real(args.videos).values())
        figures['real'] = {name: score(cameras, run) for name, run in trackers().items() if 'camera poses' not in name}
        report('The real clip, all cameras', COLUMNS, rows_of(figures['real']), figures, args.json)


if __name__ == '__main__':
    main()
