"""All metrics on made-up samples: imported by tests, and run as a script by the processes of a distributed test.

    python metric_cases.py OUT [gloo]      # writes OUT/figures.json and OUT/{case}, the dumps
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator

import mmhuman_dto.evaluation.metrics  # noqa: F401
from mmhuman_dto.registry import BODY_MODELS, METRICS
from mmhuman_dto.structures import Camera, HumanDataSample, People

BODY = dict(type='OpenBody')
NUM_IMAGES = 7
#: Case -> joints of its truth, and its metrics.
CASES = {
    'bodies': ('smpl45', [
        dict(type='AGORAMetric', body_model=BODY), dict(type='DPWMetric', body_model=BODY, parity=True),
        dict(type='CameraSpaceMetric', body_model=BODY), dict(type='CrowdMetric', body_model=BODY),
        dict(type='KeypointAPMetric', body_model=BODY)]),
    'h36m': ('h36m17', [
        dict(type='PanopticMetric', body_model=BODY, parity=True),
        dict(type='PanopticMetric', body_model=BODY, prefix='panoptic_right'),
        dict(type='MuPoTSMetric', body_model=BODY)]),
    'crowdpose': ('crowdpose14', [
        dict(type='RelativeHumanMetric'), dict(type='RelativeHumanMetric', parity=True, prefix='public'),
        dict(type='KeypointAPMetric', body_model=BODY, joint_set='crowdpose14')]),
}


def make_samples(joint_set, body_model):
    """Images of nought to three people, found with errors, some missed, some twice."""
    rng = torch.Generator().manual_seed(3)
    return [_sample(i, i % 4, joint_set, body_model, rng) for i in range(NUM_IMAGES)]


def _sample(index, count, joint_set, body_model, rng):
    def noise(*shape):
        return torch.randn(shape, generator=rng)

    pose = .2 * noise(count, 24, 3) + torch.tensor([np.pi, 0, 0]) * (torch.arange(24) == 0)[:, None]
    true = dict(pose=pose, betas=.5 * noise(count, 11), transl=noise(count, 3) * .3 + torch.tensor([[0, 0, 5.]]))
    true['transl'][:, 0] += torch.arange(count) * 1.2 - 1
    rows = torch.arange(count)[torch.rand(count, generator=rng) < .8].repeat_interleave(1 + index % 2)
    pred = {name: value[rows] + .03 * noise(len(rows), *value.shape[1:]) for name, value in true.items()}
    camera = torch.tensor([[500., 0, 320], [0, 500, 240], [0, 0, 1]])
    sample = HumanDataSample(metainfo=dict(
        img_id=f'{("mafia", "pizza")[index % 2]}/{index}.jpg', ori_shape=(480, 640), img_shape=(480, 640),
        joint_set=joint_set, body_model='OpenBody', fully_annotated=bool(index % 2)))
    cameras = [camera, camera * torch.tensor([[1.1], [1.05], [1]])]
    found_in = 'crowdpose14' if joint_set == 'crowdpose14' else 'smpl45'
    sample.gt_instances = People(
        **_people(true, camera, body_model, joint_set), depth_layers=torch.arange(count) % 2,
        ages=torch.tensor([30., np.nan, 6.])[:count], male_probs=torch.tensor([1., 0, 1])[:count])
    sample.gt_instances.keypoints_2d_valid = torch.rand(sample.gt_instances.keypoints_2d.shape[:2], generator=rng) < .9
    sample.gt_instances.keypoints_3d_valid = torch.rand(sample.gt_instances.keypoints_2d.shape[:2], generator=rng)
    sample.pred_instances = People(**_people(pred, cameras[1], body_model, found_in),
                                   scores=torch.rand(len(rows), generator=rng))
    if joint_set == 'smpl45':
        sample.pred_instances.depths_std = .1 + torch.rand(len(rows), generator=rng)
    sample.gt_camera, sample.pred_camera = (Camera(intrinsics=k) for k in cameras)
    return sample


def _people(people, camera, body_model, joint_set):
    joints = body_model.select_joints(body_model(**people), joint_set)
    pixels = joints @ camera.T
    return dict(global_orient=people['pose'][:, 0], body_pose=people['pose'][:, 1:], betas=people['betas'],
                transl=people['transl'], keypoints_3d=joints, keypoints_2d=pixels[..., :2] / pixels[..., 2:])


def evaluate(case, folder, chunk=2):
    """Figures of a case's metrics over this process's share of the images, as a Runner would; dumps into a folder."""
    joint_set, configs = CASES[case]
    dump = dict(type='DumpPeople', folder=str(folder), body_model='OpenBody', chunk=chunk,
                joint_set='crowdpose14' if joint_set == 'crowdpose14' else 'smpl45')
    samples = make_samples(joint_set, BODY_MODELS.build(BODY))
    evaluator = Evaluator([METRICS.build(config) for config in [*configs, dump]])
    for index in DefaultSampler(samples, shuffle=False):
        evaluator.process([samples[index]])
    return evaluator.evaluate(len(samples))


def main(out, backend=None):
    if backend:
        torch.distributed.init_process_group(backend)
    figures = {case: evaluate(case, Path(out) / case) for case in CASES}
    if not backend or torch.distributed.get_rank() == 0:
        (Path(out) / 'figures.json').write_text(json.dumps(figures))
    if backend:
        torch.distributed.destroy_process_group()


if __name__ == '__main__':
    torch.set_num_threads(1)
    main(*sys.argv[1:])
