"""Losses of stated errors: least where what is stated is true."""
import math

import pytest
import torch

from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.losses.stated import unlikelihood
from mmhuman_dto.models.task_modules import InOrder, Targets

NAMES = dict(depth='StatedDepthLoss', height='StatedHeightLoss', size='StatedSizeLoss', j3ds='StatedJointsLoss')


def losses(depths=(4.4, 9.), heights=(1.8, 1.2), std=.1, joint_std=.05, moved=0., known=(True, True), grad=False):
    """Losses of two people who are at 4 and 10 m and 1.6 and 1.2 m tall."""
    joints = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    depth, height, pred_joints = torch.tensor(depths), torch.tensor(heights), joints.clone()
    pred_joints[:, 1:] += moved
    pred = dict(pred_depths=torch.stack([depth, depth / 500], 1), pred_heights=height, pred_j3ds=pred_joints + 7,
                pred_joint_stds=torch.full((2, 5), joint_std), **{
                    f'pred_log_{name}_std': torch.full((2, ), std) for name in ('depth', 'height', 'size')})
    pred = {name: value.requires_grad_(grad)[None, None] for name, value in pred.items()}
    depths = torch.tensor([4., 10.])
    targets = Targets(
        counts=[1, 1], boxes=torch.zeros(2, 4), poses=torch.zeros(2, 72), betas=torch.zeros(2, 11), j3ds=joints,
        j2ds=joints[..., :2], j3ds_mask=torch.ones(2, 5, 3), j2ds_mask=torch.ones(2, 5, 2),
        depths=torch.stack([depths, depths / 500], 1), focals=torch.full((2, ), 500.), fully_annotated=[True, True],
        input_size=1., labels=dict(heights=torch.tensor([1.6, 1.2])),
        known={name: torch.tensor(known) for name in ('depths', 'heights', 'j3ds')})
    criterion = SetCriterion(dict(type='InOrder'), {name: dict(type=kind) for name, kind in NAMES.items()})
    return criterion(dict(layers=pred), targets), pred


def test_values_by_hand():
    found, _ = losses()
    errors = dict(depth=(math.log(1.1), math.log(.9)), height=(math.log(1.125), 0.),
                  size=(math.log(1.125 / 1.1), -math.log(.9)))
    for name, values in errors.items():
        want = sum((error / .1)**2 / 2 + math.log(.1) for error in values) / 2
        assert found[f'loss_{name}'].item() == pytest.approx(want, rel=1e-4)
    joints = losses(moved=.1)[0]['loss_j3ds'].item()
    # Joint 0 is where the others are measured from: 4 of 5 joints are .1 m = 2 std away in each direction.
    assert joints == pytest.approx(.8 * 2 + math.log(.05), rel=1e-4)


def test_who_is_not_known_does_not_count():
    found, _ = losses(known=(True, False))
    assert found['loss_depth'].item() == pytest.approx((math.log(1.1) / .1)**2 / 2 + math.log(.1), rel=1e-4)
    nobody, _ = losses(known=(False, False))
    assert all(value == 0 for value in nobody.values())


def test_true_standard_deviations_are_best():
    gen = torch.Generator().manual_seed(1)
    error = .3 * torch.randn(20_000, generator=gen)
    by_std = {std: unlikelihood(error, torch.full_like(error, std)).mean().item() for std in (.15, .25, .3, .36, .6)}
    assert min(by_std, key=by_std.get) == .3


def test_an_outlier_pulls_by_no_more_than_four_deviations():
    error = torch.tensor([1., 100.], requires_grad=True)
    unlikelihood(error, torch.full((2, ), .1)).sum().backward()
    torch.testing.assert_close(error.grad, torch.tensor([40., 40.]))


def test_joints_learn_nothing_from_what_is_stated_of_them():
    found, pred = losses(moved=.1, grad=True)
    gradients = torch.autograd.grad(found['loss_j3ds'], [pred['pred_j3ds'], pred['pred_joint_stds']],
                                    allow_unused=True)
    assert gradients[0] is None and gradients[1].abs().sum() > 0


def test_in_order_everybody_is_paired_with_oneself():
    targets = Targets(counts=[2, 0, 1], **{name: torch.zeros(3, 1) for name in (
        'boxes', 'poses', 'betas', 'j3ds', 'j2ds', 'j3ds_mask', 'j2ds_mask', 'depths', 'focals')},
        fully_annotated=[True] * 3, input_size=1.)
    query, person = InOrder()(dict(pred_poses=torch.zeros(2, 1, 3, 4)), targets)
    assert query.tolist() == person.tolist() == [[0, 1, 2], [0, 1, 2]]
