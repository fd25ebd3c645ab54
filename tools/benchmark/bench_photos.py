#!/usr/bin/env python
"""How well people of pictures are found, posed and placed, against 3D truth.

    pip download pose2sim==0.10.49 --no-deps
    python tools/benchmark/bench_photos.py --clip pose2sim-0.10.49-py3-none-any.whl --json photos.json

The real clip (Pose2Sim's Demo_MultiPerson, BSD-3; one scene, its frames much alike) has a real man, an avatar put into
the pictures and, from some cameras, a real bystander; its truth is good to 1-2 cm. The bundled crowds are rendered,
their truth is exact. Without --clip only the crowds are done.
"""
import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402
from _photo_truth import CLIP_TRUTH, clip_cases, crowd_cases, joints_of  # noqa: E402

from mmhuman_dto.apis import HumanInferencer  # noqa: E402
from mmhuman_dto.body_models.joint_sets import JOINT_SETS  # noqa: E402
from mmhuman_dto.evaluation.functional.depth_order import depth_order, percent_right  # noqa: E402
from mmhuman_dto.evaluation.functional.pose import detection_scores, mpjpe, pa_mpjpe  # noqa: E402
from mmhuman_dto.geometry import project  # noqa: E402
from mmhuman_dto.geometry.matching import match_people  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402

#: Joints that poses are measured by: nose and limbs, which data sets agree on.
LIMBS = [i for i, name in enumerate(JOINT_SETS['coco17'].names) if not name.endswith(('eye', 'ear'))]
HIPS = [JOINT_SETS['coco17'].names.index(f'{side}_hip') for side in ('left', 'right')]
#: Overlap of joints' boxes from which a person is found; people are measured from the first on.
LOOSE, STRICT = .1, .5
#: A person with fewer known joints is not measured.
MIN_KNOWN = 6
#: Ways from a picture to people: name -> arguments of HumanInferencer.
METHODS = {
    'photo': dict(recipe='photo'),
    'lifter alone': dict(recipe='photo', options={'stages.meshes.source': dict(_delete_=True, type='LiftedMeshes')}),
    'fit from known poses': dict(recipe='photo', options={'stages.meshes.source.lifter': None}),
    'network': dict(recipe='network'),
}
FIGURES = {
    'f1': ('F1', '%', 1), 'f1_iou50': ('F1 .5', '%', 1), 'depth_order': ('order', '%', 1),
    'relative_depth_error': ('depth', '%', 1), 'place_error': ('place', 'm', 2), 'mpjpe': ('MPJPE', 'mm', 0),
    'pa_mpjpe': ('PA', 'mm', 1), 'height_error': ('height', 'm', 3), 'pixel_error': ('2D', 'px', 1),
    'within_one_std': ('in 1 std', '%', 0), 'seconds': ('time', 's', 2)}


class Person(NamedTuple):
    """A found person against the truth: errors as in ``FIGURES``, pixels (J,) of the known joints."""
    group: str
    depth: float
    true_depth: float
    depth_std: float
    place_error: float
    mpjpe: float
    pa_mpjpe: float
    height_error: float
    pixels: np.ndarray


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clip', type=Path, help="wheel or folder with the clip's videos")
    parser.add_argument('--truth', type=Path, default=CLIP_TRUTH, help="the clip's npz; default: the bundled one")
    parser.add_argument('--methods', nargs='+', default=list(METHODS), choices=list(METHODS), metavar='METHOD',
                        help=f'of {", ".join(METHODS)}; default: all')
    parser.add_argument('--limit', type=int, help='only the first N pictures of each set')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    sets = {'crowds': list(crowd_cases(body_model))[:args.limit]}
    if args.clip:
        sets = {'clip': list(clip_cases(args.clip, args.truth))[:args.limit], **sets}
    figures = []
    for method in args.methods:
        for focal in ('true', 'guessed'):
            for name, cases in sets.items():
                scenes, seconds = infer(METHODS[method], cases, focal == 'true')
                for stage in ('before', 'after'):
                    groups = measure(cases, scenes, stage)
                    groups['all']['seconds'] = seconds
                    figures += [dict(set=name, method=method, focal=focal, dto=stage, group=group, **row)
                                for group, row in groups.items()]
    headings = ['set', 'method', 'focal', 'DTO', 'people', '#',
                *(f'{title} {unit}' for title, unit, _ in FIGURES.values())]
    report('People of pictures against 3D truth', headings, map(cells, figures), dict(rows=figures), args.json)


def cells(row):
    """A row of the table; what is said once for all groups is not repeated."""
    about = [row[name] if row['group'] == 'all' else '' for name in ('set', 'method', 'focal', 'dto')]
    return [*about, row['group'], row['people'], *(
        '' if np.isnan(row.get(name, np.nan)) else f'{row[name]:.{digits}f}'
        for name, (_, _, digits) in FIGURES.items())]


def infer(method, cases, knows_focal):
    """Scenes of the cases, and seconds a picture; ``method``: arguments of HumanInferencer."""
    scenes, seconds, inferencers = [], [], {}
    for case in cases:
        focal = float(case.intrinsics[1, 1]) if knows_focal else None
        if focal not in inferencers:
            inferencers[focal] = HumanInferencer(**method, dto=True, focal=focal, device='cpu', batch_size=1)
        start = time.perf_counter()
        scenes.append(inferencers[focal](case.image))
        seconds.append(time.perf_counter() - start)
    return scenes, float(np.median(seconds))


def measure(cases, scenes, stage):
    """{group: {figure: value}} of pictures; the group 'all' has what is not of one person too."""
    people, orders, counts = [], [], np.zeros(4, int)
    for case, scene in zip(cases, scenes):
        sample = scene.sample if stage == 'after' or scene.before is None else scene.before
        joints = joints_of(sample.pred_instances, scene.body_model)
        pixels = project(torch.from_numpy(joints), sample.pred_camera.intrinsics.double()).numpy()
        size = case.image.shape[1::-1]
        shown, true = np.clip(pixels, 0, size), np.clip(case.pixels, 0, size)
        strict = match_people(shown, true, case.known, STRICT)
        loose = match_people(shown, true, case.known, LOOSE)
        counts += len(loose.true), len(strict.true), len(joints), len(case.joints)
        of_image = [person(case, sample, joints, pixels, *pair) for pair in zip(loose.pred, loose.true)
                    if case.known[pair[1], LIMBS].sum() >= MIN_KNOWN]
        orders.append(depth_order(*np.array([(one.depth, one.true_depth) for one in of_image]).reshape(-1, 2).T))
        people += of_image
    summary = {'all': summarise(people)}
    summary['all'] |= dict(f1=detection_scores(counts[0], *counts[2:])['f1'],
                           f1_iou50=detection_scores(counts[1], *counts[2:])['f1'], depth_order=percent_right(orders))
    groups = sorted({one.group for one in people})
    return summary | {group: summarise([one for one in people if one.group == group]) for group in groups}


def person(case, sample, joints, pixels, pred, true):
    """The :class:`Person` of a pair; poses are compared hips on hips."""
    use = [joint for joint in LIMBS if case.known[true, joint]]
    mine, truth = joints[pred], case.joints[true]
    hips, true_hips = mine[HIPS].mean(0), truth[HIPS].mean(0)
    people = sample.pred_instances
    std = float(people.depths_std[pred]) if 'depths_std' in people else np.nan
    return Person(
        case.groups[true], hips[2], true_hips[2], std, np.linalg.norm(hips - true_hips),
        float(mpjpe((mine - hips)[use][None], (truth - true_hips)[use][None])[0]),
        float(pa_mpjpe(mine[use][None], truth[use][None])[0]),
        abs(float(people.heights[pred]) - case.heights[true]),
        np.linalg.norm(pixels[pred] - case.pixels[true], axis=-1)[use])


def summarise(people):
    """Means over people; of pixels the median over all joints."""
    def mean(values):
        return float(np.mean(list(values))) if people else float('nan')

    known = [one for one in people if np.isfinite(one.depth_std)]
    return dict(
        people=len(people),
        relative_depth_error=100 * mean(abs(one.depth / one.true_depth - 1) for one in people),
        within_one_std=100 * float(np.mean([abs(one.depth - one.true_depth) <= one.depth_std for one in known]))
        if known else float('nan'),
        pixel_error=float(np.median(np.concatenate([one.pixels for one in people]))) if people else float('nan'),
        **{name: mean(getattr(one, name) for one in people)
           for name in ('place_error', 'mpjpe', 'pa_mpjpe', 'height_error')})


if __name__ == '__main__':
    main()
