#!/usr/bin/env python
"""What a network that looks at nothing would reach on a recipe's rendered crowds, in the figures of CrowdMetric.

    python tools/benchmark/guess_crowd.py [CONFIG] [--scenes 2000]

Everybody is found, in the mean pose and with the mean shape of the training scenes, all as far as their median (no pair
is in order then; by chance half are), seen under their median field of view.
"""
import argparse

import numpy as np
import torch

from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.geometry import axis_angle_to_matrix, intrinsics_from_fov, matrix_to_axis_angle
from mmhuman_dto.programs import program
from mmhuman_dto.registry import BODY_MODELS, DATASETS, METRICS
from mmhuman_dto.structures import Camera, People


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', default='configs/metric_hmr/vit-tiny_synthetic-crowd.py')
    parser.add_argument('--scenes', type=int, default=2000, help='training scenes that means are of')
    return parser.parse_args(argv)


class Guess:
    """Means over training scenes."""

    def __init__(self, scenes):
        people, fovs = zip(*((scene.gt_instances, float(scene.gt_camera.fov)) for scene in scenes))
        poses, betas, roots = (torch.cat([people_of[name] for people_of in people])
                               for name in ('pose', 'betas', 'keypoints_3d'))
        matrix = axis_angle_to_matrix(poses).mean(0)
        u, _, v = torch.linalg.svd(matrix)  # the rotations nearest to the means
        u[..., -1] *= torch.linalg.det(u @ v)[:, None]
        self.pose, self.betas = matrix_to_axis_angle(u @ v), betas.mean(0)
        self.depth, self.fov = roots[:, 0, 2].median(), float(np.median(fovs))

    def __call__(self, sample, body_model):
        """Put the guess into a sample: people in the direction where they are."""
        true, count = sample.gt_instances, len(sample.gt_instances)
        height, width = sample.img_shape
        intrinsics = intrinsics_from_fov(torch.tensor([self.fov]), torch.tensor([float(width)]),
                                         torch.tensor([float(height)]))[0]
        pose, betas = self.pose.expand(count, -1, -1), self.betas.expand(count, -1)
        joints = body_model(pose, betas, torch.zeros(count, 3)).joints
        pixels = torch.cat([true.keypoints_2d[:, 0], torch.ones(count, 1)], -1)
        transl = self.depth * pixels @ torch.linalg.inv(intrinsics).T - joints[:, 0]
        sample.pred_instances = People(
            global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl, scores=torch.ones(count),
            keypoints_2d=true.keypoints_2d, keypoints_3d=joints + transl[:, None])
        sample.pred_camera = Camera(intrinsics=intrinsics)
        return sample


@program
def main(argv=None):
    args = parse_args(argv)
    cfg = read_config(args.config)
    body_model, metric = BODY_MODELS.build(cfg.body_model), METRICS.build(cfg.test_evaluator)
    held_out = DATASETS.build(cfg.test_dataloader.dataset)
    training, pipeline = cfg.train_dataloader.dataset.datasets[0], cfg.test_dataloader.dataset.pipeline
    scenes = DATASETS.build({**training, 'pipeline': pipeline})
    guess = Guess(scenes[i]['data_samples'] for i in range(min(args.scenes, len(scenes))))
    for i in range(len(held_out)):
        metric.process(None, [guess(held_out[i]['data_samples'], body_model).to_dict()])
    figures = metric.compute_metrics(metric.results)
    for name, value in figures.items():
        print(f'{name:30s}{value:8.2f}')
    return figures


if __name__ == '__main__':
    main()
