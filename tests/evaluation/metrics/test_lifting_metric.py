"""Bodies lifted from joints against truth that is known."""
import numpy as np
import pytest
import torch

from mmhuman_dto.registry import METRICS
from mmhuman_dto.structures import HumanDataSample, People


def sample(count=400, scale=1.05, depth_std=.2, joint_std=.03, seed=0):
    """People whose depth, height and joints are wrong as stated, but for ``scale`` of the joints about their hips."""
    gen = torch.Generator().manual_seed(seed)
    true = torch.randn(count, 17, 3, generator=gen) * .3
    true = true - true[:, 11:13].mean(1, keepdim=True) + torch.tensor([0, 0, 5.])
    noise = depth_std * torch.randn(count, 1, generator=gen) * torch.tensor([0, 0, 1.])
    hips = true[:, 11:13].mean(1, keepdim=True)
    heights = torch.full((count, ), 1.7)
    one = HumanDataSample()
    one.gt_instances = People(keypoints_3d=true, heights=heights)
    one.pred_instances = People(
        keypoints_3d=hips + scale * (true - hips) + noise[:, None], heights=heights + .1,
        keypoints_3d_std=torch.full((count, 17), joint_std), depths_std=torch.full((count, ), depth_std),
        heights_std=torch.full((count, ), .08))
    return one


def evaluate(*samples):
    metric = METRICS.build(dict(type='LiftingMetric'))
    metric.process({}, [one.to_dict() for one in samples])
    return metric.evaluate(sum(len(one.gt_instances) for one in samples))


def test_figures_by_hand():
    one = sample()
    found = evaluate(one, sample(seed=1))
    assert found['lifting/pa_mpjpe'] < .01  # a scale is aligned away
    limbs = [0, *range(5, 17)]
    around = one.gt_instances.keypoints_3d[:, limbs] - torch.tensor([0, 0, 5.])
    assert evaluate(one)['lifting/mpjpe'] == pytest.approx(50 * around.norm(dim=-1).mean().item(), rel=1e-4)
    # A normal error of .2 m at 5 m, of which the mean is sqrt(2 / pi) of its deviation.
    assert found['lifting/depth_error'] == pytest.approx(100 * .2 / 5 * np.sqrt(2 / np.pi), rel=.08)
    assert found['lifting/height_error'] == pytest.approx(.1, rel=1e-4)
    assert found['lifting/depth_in_50'] == pytest.approx(50, abs=5)
    assert found['lifting/depth_in_90'] == pytest.approx(90, abs=4)
    assert found['lifting/height_in_90'] == 100 and found['lifting/height_in_50'] == 0


def test_joints_are_counted_one_by_one():
    """Joints .3 m apart on average, 5 % too far: inside of 1.645 x .03 where nearer than .99 m in x, y or z."""
    assert evaluate(sample())['lifting/joints_in_90'] > 97
    assert evaluate(sample(joint_std=.003))['lifting/joints_in_90'] < 40
