"""Losses and their gradients where predictions coincide, vanish or come in half precision."""

import pytest
import torch
from loss_batch import batch, criterion
from parity.losses import LOSSES

CASES = dict(
    identical_people=dict(),
    perfect=dict(pred_j2ds=100.0, pred_depths=3.0),
    nobody=dict(counts=[0]),
    one_person=dict(counts=[1]),
    empty_among_others=dict(counts=[0, 2]),
    more_people_than_queries=dict(counts=[100, 2]),
    nothing_in_3d=dict(in_3d=False),
    boxes_without_area=dict(pred_boxes=0.0, boxes=0.0),
    everyone_at_the_camera=dict(pred_depths=0.0),
    everyone_behind=dict(pred_depths=-2.0),
    everyone_far=dict(pred_depths=1e4, depths=1e4),
    true_depth_zero=dict(depths=0.0),
    no_rotation=dict(pred_poses=0.0, poses=0.0),
    certain_and_wrong=dict(pred_confs=0.0),
    certain_and_right=dict(pred_confs=1.0),
    nothing_visible=dict(visible=0.0),
    narrow_view=dict(focal=38_500.0),
    wide_view=dict(focal=2.9),
    unknown_focal=dict(focal=float('nan')),
)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('case', CASES)
def test_losses_and_gradients_are_finite(case, dtype):
    changes = {'counts': [3], 'fill': 0.5, 'j2ds': 100.0, 'depths': 3.0, 'focal': 300.0, **CASES[case]}
    outputs, targets = batch(dtype=dtype, **changes)
    losses = criterion()(outputs, targets)
    assert set(losses) >= {f'loss_{name}' for name in LOSSES} and 'loss_poses.1' in losses
    assert [name for name, value in losses.items() if not torch.isfinite(value)] == []
    sum(losses.values()).backward()
    if case in ('nobody', 'nothing_in_3d'):
        assert losses['loss_poses'] == losses['loss_depths'] == losses['loss_depths_mt'] == 0
    if case == 'everyone_at_the_camera' and dtype == torch.float16:
        return  # the slope of 1 / z there is more than half precision can hold
    for name, value in {**outputs, **outputs['layers']}.items():
        assert name == 'layers' or value.grad is None or torch.isfinite(value.grad).all(), name
