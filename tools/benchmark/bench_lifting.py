#!/usr/bin/env python
"""How well people are posed from joints alone: the lifting network, fits from it, and fits from known poses.

    python tools/benchmark/bench_lifting.py [--pictures 25] [--json lifting.json]

Synthetic joints with a network's errors and exact truth, of another seed than the training's, in usual poses, in
those that crowds lack (crawling, kneeling, lying, hanging, on the hands) and turned any way. 'cheaper' is the one of
both fits that costs less: what trying both would give.
"""
import argparse
import os
import time

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import report  # noqa: E402
from bench_photos import HIPS, LIMBS  # noqa: E402

from mmhuman_dto.datasets import SyntheticKeypoints  # noqa: E402
from mmhuman_dto.evaluation.functional.pose import mpjpe, pa_mpjpe  # noqa: E402
from mmhuman_dto.perception.keypoint_fit import MIN_SCORE  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import SOURCES  # noqa: E402

#: What pictures show, by name: what differs from the generator's defaults.
SETS = {'usual poses': dict(unusual=0., tilted=0.), 'unusual poses': dict(unusual=1., tilted=0.),
        'turned any way': dict(unusual=0., tilted=1.)}
LIFTER = 'openbody_coco17'
#: People of a call.
BATCH = 32


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pictures', type=int, default=25, help='of each kind, some 17 people each')
    parser.add_argument('--seed', type=int, default=77)
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    network = SOURCES.build(dict(type='LiftedMeshes', device='cpu')).network
    fits = {name: SOURCES.build(dict(type='KeypointFitMeshes', lifter=lifter, device='cpu')).fit
            for name, lifter in (('fit from the lifter', LIFTER), ('fit from known poses', None))}
    rows = []
    for kind, scenes in SETS.items():
        data = SyntheticKeypoints(scenes=scenes, seed=args.seed, num_scenes=args.pictures)
        *joints, truth = people_of(data)
        answers = {'lifter': in_batches(lambda *part: (network.lift(*part).joints[:, -17:], None), joints)}
        for name, fit in fits.items():
            answers[name] = in_batches(lambda *part, fit=fit: _fitted(fit, *part), joints)
        rows += [dict(set=kind, method=name, people=len(truth), **errors(found, truth), milliseconds=milliseconds)
                 for name, (found, _, milliseconds) in answers.items()]
        (first, cost, _), (second, other, _) = (answers[name] for name in fits)
        cheaper = np.where((other < cost)[:, None, None], second, first)
        rows.append(dict(set=kind, method='cheaper', people=len(truth), **errors(cheaper, truth), milliseconds=np.nan))
    headings = ['set', 'method', '#', 'MPJPE mm', 'PA mm', 'ms a person']
    report('People from synthetic joints', headings, [
        [row['set'], row['method'], row['people'], f'{row["mpjpe"]:.0f}', f'{row["pa_mpjpe"]:.1f}',
         '' if np.isnan(row['milliseconds']) else f'{row["milliseconds"]:.2f}'] for row in rows],
        dict(rows=rows), args.json)


def people_of(data):
    """Keypoints (N, 17, 2), scores (N, 17), intrinsics (N, 3, 3) and true joints (N, 17, 3) of all pictures."""
    samples = [data[i]['data_samples'] for i in range(len(data))]
    keypoints, scores, truth = (torch.cat([sample.gt_instances[name] for sample in samples])
                                for name in ('keypoints_2d', 'keypoints_2d_valid', 'keypoints_3d'))
    intrinsics = torch.cat([sample.gt_camera.intrinsics.expand(len(sample.gt_instances), 3, 3) for sample in samples])
    return keypoints, torch.where(scores >= MIN_SCORE, scores, 0.), intrinsics, truth.numpy()


@torch.no_grad()
def in_batches(method, joints):
    """Joints (N, 17, 3) and costs (N,) of a method, and milliseconds a person (the median of the batches)."""
    found, costs, times = [], [], []
    for part in zip(*(values.split(BATCH) for values in joints)):
        start = time.perf_counter()
        answer, cost = method(*part)
        times.append(1000 * (time.perf_counter() - start) / len(part[0]))
        found.append(answer)
        costs += [] if cost is None else [cost]
    return torch.cat(found).numpy(), torch.cat(costs).numpy() if costs else None, float(np.median(times))


def _fitted(fit, *joints):
    result = fit(*joints)
    return fit.tables.joints(result.state), result.cost


def errors(found, truth):
    """MPJPE, hips on hips, and PA-MPJPE of nose and limbs, mm."""
    around, true = (joints[:, LIMBS] - joints[:, HIPS].mean(1, keepdims=True) for joints in (found, truth))
    return dict(mpjpe=float(mpjpe(around, true).mean()), pa_mpjpe=float(pa_mpjpe(around, true).mean()))


if __name__ == '__main__':
    main()
