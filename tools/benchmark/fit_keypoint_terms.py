#!/usr/bin/env python
"""What bodies fitted to joints are worth: the constants of KeypointFitMeshes, from rendered crowds of another seed.

    python tools/benchmark/fit_keypoint_terms.py [--scenes 90] [--seed 100] [--people MoveNetJoints]

Finds people's joints in crowds with exact truth, fits bodies to them with the true focal length, and prints the
constants of mmhuman_dto/perception/keypoint_fit.py.
"""
import argparse
import os
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy.stats import median_abs_deviation  # noqa: E402

from mmhuman_dto.body_models.joint_sets import JOINT_SETS  # noqa: E402
from mmhuman_dto.datasets import SyntheticCrowd  # noqa: E402
from mmhuman_dto.geometry import project  # noqa: E402
from mmhuman_dto.geometry.matching import match_people  # noqa: E402
from mmhuman_dto.perception.keypoint_fit import KeypointFitMeshes  # noqa: E402
from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.registry import SOURCES  # noqa: E402
from mmhuman_dto.structures.fields import SEEN_SCORE  # noqa: E402

MIN_IOU = .5


class Found(NamedTuple):
    """People who were found: detected and true joints (N, 17, 2) px, scores (N, 17), true heights and depths (N,) m,
    intrinsics (N, 3, 3), and whether each joint is in the picture and where, in front of it, only its person is seen,
    (N, 17)."""
    keypoints: torch.Tensor
    scores: torch.Tensor
    true: torch.Tensor
    heights: torch.Tensor
    depths: torch.Tensor
    intrinsics: torch.Tensor
    inside: torch.Tensor
    visible: torch.Tensor


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=90)
    parser.add_argument('--seed', type=int, default=100, help='of the scenes; the bundled crowds have another one')
    parser.add_argument('--people', default='BlazePoseJoints', help='source of people with joints')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    crowds = SyntheticCrowd(seed=args.seed, num_scenes=args.scenes)
    source, meshes = SOURCES.build(dict(type=args.people, device='cpu')), KeypointFitMeshes(device='cpu')
    people = [find(source, crowds[i], crowds.body_model) for i in range(len(crowds))]
    found = Found(*map(torch.cat, zip(*people)))
    results = [meshes.fit(*(part[rows] for part in (found.keypoints, found.scores, found.intrinsics)))
               for rows in torch.arange(len(found.heights)).split(32)]
    heights, depths, stated = (torch.cat([get(one) for one in results]).numpy() for get in (
        lambda one: one.heights, lambda one: one.state.position[:, 2], lambda one: one.log_size_std))
    error = np.log(heights / found.heights.numpy()) - np.log(depths / found.depths.numpy())
    print(f'{len(error)} people')
    print(f'SIZE_SHARE   {size_share(error, stated):6.2f}')
    print(f'HIPS         {hips_offset(found.keypoints.numpy(), found.scores.numpy(), found.true.numpy()):6.3f}')


def find(source, sample, body_model):
    """:class:`Found` of a crowd."""
    truth = sample.gt_instances
    pose, betas, transl = (torch.as_tensor(value).float() for value in (truth.pose, truth.betas, truth.transl))
    intrinsics = torch.as_tensor(sample.gt_camera.intrinsics).float()
    with torch.no_grad():
        output = body_model(pose, betas, transl)
        true = project(body_model.select_joints(output, 'coco17'), intrinsics)
    people, = source([sample])
    size = torch.tensor(sample.image.shape[1::-1])
    pairs = match_people(people.keypoints_2d.numpy(), torch.minimum(true.clamp(min=0), size).numpy(),
                         np.ones(true.shape[:2], bool), MIN_IOU)
    pred, rows = torch.from_numpy(pairs.pred), torch.from_numpy(pairs.true)
    inside = ((true >= 0) & (true < size)).all(-1)[rows]
    columns, lines = true[rows].long().clamp(min=0).minimum(size - 1).unbind(-1)
    visible = inside & (sample.gt_maps.id_map[lines, columns] == rows[:, None] + 1)
    depths = body_model.skeleton(pose, betas, transl)[:, 0, 2]
    return Found(people.keypoints_2d[pred], people.keypoints_2d_valid[pred], true[rows],
                 body_model.height(betas)[rows], depths[rows], intrinsics.expand(len(rows), 3, 3), inside, visible)


def size_share(error, stated):
    """Spread of errors (N,) of the logarithm of height over depth, as part of the stated deviations (N,).

    Between the robust spread, which the many make, and the plain one, which the few far off make.
    """
    score = error / stated
    return float(np.sqrt(median_abs_deviation(score, scale='normal') * score.std()))


def hips_offset(keypoints, scores, true):
    """How far found hips lie towards the shoulders of their side, as part of the way there: median over (N, 17, 2)."""
    names, shifts = JOINT_SETS['coco17'].names, []
    for side in ('left', 'right'):
        hip, shoulder = (names.index(f'{side}_{name}') for name in ('hip', 'shoulder'))
        way = true[:, shoulder] - true[:, hip]
        part = ((keypoints[:, hip] - true[:, hip]) * way).sum(-1) / (way**2).sum(-1)
        shifts.append(part[scores[:, hip] >= SEEN_SCORE])
    return float(np.median(np.concatenate(shifts)))


if __name__ == '__main__':
    main()
