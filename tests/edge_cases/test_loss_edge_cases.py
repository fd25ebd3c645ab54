"""Losses and their gradients where predictions coincide, vanish or come in half precision."""

import pytest
import torch
from parity.losses import COSTS, LOSSES

from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import Targets


def batch(counts, queries=6, dtype=torch.float32, **changes):
    """Equal predictions of every query, and targets of equal people; ``changes`` replace any of them."""
    images, people, joints = len(counts), sum(counts), 45
    shapes = dict(confs=(1,), boxes=(4,), poses=(72,), betas=(11,), j3ds=(joints, 3), j2ds=(joints, 2), depths=(2,))
    outputs = {
        f'pred_{name}': torch.full((images, queries, *shape), 0.5, dtype=dtype) for name, shape in shapes.items()
    }
    outputs.update({key: torch.full_like(outputs[key], value) for key, value in changes.items() if key in outputs})
    outputs.update(
        layers={key: torch.stack([value, value]) for key, value in outputs.items()},
        scale_map=torch.full((images * 4, 2), 0.5, dtype=dtype),
        pred_intrinsics=torch.diag(torch.tensor([300.0, 300, 1])).repeat(images, 1, 1, 1).to(dtype),
    )
    outputs['pred_intrinsics'][..., :2, 2] = 168
    leaves = dict(outputs['layers'], scale_map=outputs['scale_map'], pred_intrinsics=outputs['pred_intrinsics'])
    for value in leaves.values():
        value.requires_grad_()

    def same(name, *shape, value=0.5):
        return torch.full((people, *shape), changes.get(name, value))

    targets = Targets(
        counts=list(counts),
        boxes=same('boxes', 4),
        poses=same('poses', 72),
        betas=same('betas', 11),
        j3ds=same('j3ds', joints, 3),
        j2ds=same('j2ds', joints, 2, value=100.0),
        j3ds_mask=torch.full((people, joints, 3), True),
        j2ds_mask=torch.full((people, joints, 2), changes.get('visible', True)),
        depths=same('depths', 2, value=3.0),
        focals=torch.full((images,), changes.get('focal', 300.0)),
        detect_all=[True] * images,
        input_size=336.0,
        known=dict(depth_layers=torch.zeros(people, dtype=torch.bool)),
        labels=dict(depth_layers=torch.zeros(people, dtype=torch.long)),
        scale_map=torch.zeros(images * 4, 2),
        map_cells=[4] * images,
        map_known=[True] * images,
    )
    return outputs, targets, leaves


CASES = dict(
    identical_people=dict(),
    perfect=dict(pred_j2ds=100.0, pred_depths=3.0),
    nobody=dict(counts=[0]),
    one_person=dict(counts=[1]),
    empty_among_others=dict(counts=[0, 2]),
    boxes_without_area=dict(pred_boxes=0.0, boxes=0.0),
    everyone_at_the_camera=dict(pred_depths=0.0),
    everyone_behind=dict(pred_depths=-2.0),
    everyone_far=dict(pred_depths=1e4, depths=1e4),
    true_depth_zero=dict(depths=0.0),
    no_rotation=dict(pred_poses=0.0, poses=0.0),
    certain_and_wrong=dict(pred_confs=0.0),
    certain_and_right=dict(pred_confs=1.0),
    nothing_visible=dict(visible=False),
    narrow_view=dict(focal=38_500.0),
    wide_view=dict(focal=2.9),
    unknown_focal=dict(focal=float('nan')),
)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('case', CASES)
def test_losses_and_gradients_are_finite(case, dtype):
    changes = dict(CASES[case])
    outputs, targets, leaves = batch(changes.pop('counts', [3]), dtype=dtype, **changes)
    losses = SetCriterion(
        dict(type='HungarianAssigner', costs=COSTS), {name: dict(type=kind) for name, kind in LOSSES.items()}
    )(outputs, targets)
    assert [name for name, value in losses.items() if not torch.isfinite(value)] == []
    sum(losses.values()).backward()
    if case == 'everyone_at_the_camera' and dtype == torch.float16:
        return  # the slope of 1 / z there is more than half precision can hold
    for name, value in leaves.items():
        assert value.grad is None or torch.isfinite(value.grad).all(), name
