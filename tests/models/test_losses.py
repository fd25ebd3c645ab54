import math

import numpy as np
import pytest
import torch
from loss_batch import batch, criterion

from mmhuman_dto.geometry.boxes import generalized_iou
from mmhuman_dto.models.task_modules import Denoising
from mmhuman_dto.models.task_modules.matched import Matched
from mmhuman_dto.registry import MODELS, TASK_UTILS


def test_everyone_is_paired_once_with_a_query_of_the_own_image():
    outputs, targets = batch([3, 0, 100, 1])
    query, person = criterion().assigner(outputs['layers'], targets)
    assert query.shape == person.shape == (3, 3 + 8 + 1)
    for q, p in zip(query, person):
        assert len(set(q.tolist())) == len(set(p.tolist())) == 12
        assert torch.equal(q // 8, targets.image_index()[p])


def test_assignment_finds_the_planted_pairs():
    outputs, targets = batch([4], layers=1)
    queries = torch.tensor([6, 1, 3, 0])
    for name, target in [('pred_boxes', 'boxes'), ('pred_j2ds', 'j2ds')]:
        outputs['layers'][name].data[0, 0, queries] = getattr(targets, target)
    query, person = criterion().assigner(outputs['layers'], targets)
    assert dict(zip(person[0].tolist(), query[0].tolist())) == dict(enumerate(queries.tolist()))


@pytest.mark.parametrize('name, value', [
    ('boxes', math.nan), ('boxes', math.inf), ('j2ds', math.nan), ('j2ds', -math.inf), ('confs', math.nan)])
def test_a_diverged_prediction_is_paired_so_that_its_loss_is_not_finite(name, value):
    outputs, targets = batch([2], layers=2)
    outputs['layers'][f'pred_{name}'].data[1, 0, 3] = value
    loss = criterion([name])(outputs, targets)[f'loss_{name}']
    assert not loss.isfinite()


def matched(outputs, targets, query, person):
    return Matched(outputs['layers'], targets, torch.tensor([query]), torch.tensor([person]), targets.fully_annotated)


def value(name, pairs, **kwargs):
    total, count = MODELS.build(dict(type=name, **kwargs))(pairs)
    return total.item() / max(float(count), 1)


def test_confidences_of_noisy_copies_are_averaged_over_all_and_divided_by_the_groups():
    """Also those of padding, and of images where not everyone is annotated."""
    outputs, targets = batch([2, 1], layers=1, queries=16)
    targets.fully_annotated[1] = False
    noisy = Denoising(dims=4, num_betas=11, num_groups=2)(targets, 8)
    assert noisy.boxes.shape[1] == 8
    person = torch.zeros(2, 8, dtype=torch.bool)
    person[0, [0, 1, 4, 5]] = person[1, [0, 4]] = True  # a group is two positives and two negatives
    p = outputs['layers']['pred_confs'].detach()[0, :, :8, 0]
    hit = torch.where(person, p, 1 - p)
    expected = torch.where(person, .25, .75) * (1 - hit)**2 * -hit.log()
    loss = criterion(['confs'])(outputs, targets, noisy)['loss_dn_confs']
    torch.testing.assert_close(loss, expected.mean() / 2)


def test_rotation_loss_does_not_see_how_a_rotation_is_written():
    """On both sides of half a turn axis-angles are far apart; L1 of a quarter turn's matrix by hand."""
    outputs, targets = batch([1], layers=1)
    pairs = matched(outputs, targets, [0], [0])
    targets.poses[:] = 0
    targets.poses[0, :3] = torch.tensor([np.pi - .01, 0, 0])
    outputs['layers']['pred_poses'].data[:] = 0
    outputs['layers']['pred_poses'].data[0, 0, 0, :3] = torch.tensor([.01 - np.pi, 0, 0])
    assert value('PoseLoss', pairs) == pytest.approx((2 * np.pi - .02) / 72, rel=1e-5)
    assert value('RotationLoss', pairs) == pytest.approx(4 * .01 / 9 / 24, rel=1e-3)
    outputs['layers']['pred_poses'].data[0, 0, 0, :3] = torch.tensor([np.pi / 2 - .01, 0, 0])
    assert value('RotationLoss', pairs) == pytest.approx(
        2 * (abs(np.sin(.01) - np.cos(.01)) + np.sin(.01) + np.cos(.01)) / 9 / 24, rel=1e-4)


def test_relative_metric_loss_by_hand():
    outputs, targets = batch([3], layers=1)
    targets.depths[:, 0] = torch.tensor([2., 2.5, 4.])  # only the first two are within 1 m
    outputs['layers']['pred_depths'].data[0, 0, :3, 0] = torch.tensor([3., 4., 9.])
    pairs = matched(outputs, targets, [0, 1, 2], [0, 1, 2])
    assert value('RelativeMetricLoss', pairs) == pytest.approx(np.log(1 + .5), rel=1e-6)
    assert value('RelativeMetricLoss', pairs, max_distance=10.) == pytest.approx(
        np.mean(np.log1p([.5, abs(6 - 2), abs(5 - 1.5)])), rel=1e-6)


def test_depth_order_loss_makes_the_same_layers_from_ids_and_from_gaps():
    outputs, targets = batch([5], layers=1)
    targets.depths[:, 0] = torch.tensor([5., 2., 2.2, 5.1, 3.])
    by_gap = MODELS.build(dict(type='DepthOrderLoss'))
    targets.labels['depth_layers'] = torch.tensor([2, 0, 0, 2, 1])
    pairs = matched(outputs, targets, [4, 0, 1, 2, 3], [0, 1, 2, 3, 4])
    with_ids = by_gap(pairs)[0]
    targets.known['depth_layers'] = torch.zeros(5, dtype=torch.bool)
    torch.testing.assert_close(by_gap(pairs)[0], with_ids)
    z = outputs['layers']['pred_depths'][0, 0, [4, 0, 1, 2, 3], 0]
    layers = [2, 0, 0, 2, 1]
    expected = sum((z[i] - z[j]).abs() if layers[i] == layers[j] else
                   torch.log1p(torch.exp((z[i] - z[j]) * (1 if layers[i] < layers[j] else -1)))
                   for i in range(5) for j in range(i))
    torch.testing.assert_close(with_ids[0], expected)
    targets.known['depth_layers'][:], targets.labels['depth_layers'][:4] = True, -1
    total, count = by_gap(pairs)
    assert count == 0 and total == 0  # people of unknown layers take no part


def test_fov_loss_weighs_the_wide_side():
    outputs, targets = batch([1, 1])
    k = torch.eye(3)[None, None].repeat(2, 1, 1, 1) * 100
    k[:, 0, 1, 2] = 100  # cy = f: FoV 90 degrees
    outputs['pred_intrinsics'] = k
    targets.focals = torch.tensor([200., float('nan')])
    true = 2 * np.arctan(.5)
    images = Matched(outputs, targets, None, None, [])
    assert value('FoVLoss', images) == pytest.approx(3 * (np.pi / 2 - true)**2, rel=1e-5)
    targets.focals = torch.tensor([50., float('nan')])
    assert value('FoVLoss', images) == pytest.approx((np.pi / 2 - 2 * np.arctan(2))**2, rel=1e-5)


def test_giou_of_known_boxes():
    unit = torch.tensor([.5, .5, 1., 1.])
    for other, expected in [([.5, .5, 1., 1.], 1.), ([2.5, .5, 1., 1.], -1 / 3), ([1., .5, 1., 1.], 1 / 3)]:
        assert generalized_iou(unit, torch.tensor(other)) == pytest.approx(expected, abs=1e-5)


def test_keypoint_cost_reads_visible_entries_of_the_first_joints():
    outputs, targets = batch([1], layers=1, queries=1)
    targets.j2ds_mask[:] = False
    cost = TASK_UTILS.build(dict(type='KeypointCost'))
    pred = {'pred_j2ds': outputs['layers']['pred_j2ds'].detach()}
    assert cost(pred, targets) == 0
    targets.j2ds_mask[0, 2, 0] = targets.j2ds_mask[0, 30] = True  # joint 30 is past the first 22
    expected = 20 * (pred['pred_j2ds'][0, 0, 0, 2, 0] - targets.j2ds[0, 2, 0]).abs() / 336
    torch.testing.assert_close(cost(pred, targets).squeeze(), expected)
