"""Bodies fitted to the joints of people who are known."""
import math

import numpy as np
import pytest
import torch
from fitted_people import upright

from mmhuman_dto.evaluation.functional.pose import pa_mpjpe

K = torch.tensor([[900., 0, 320], [0, 900, 240], [0, 0, 1]], dtype=torch.float64)


def seen(fit, state, noise=0.):
    joints = fit.tables.joints(state)
    keypoints = joints @ K.T
    keypoints = keypoints[..., :2] / keypoints[..., 2:]
    generator = torch.Generator().manual_seed(3)
    keypoints = keypoints + noise * torch.randn(keypoints.shape, generator=generator, dtype=torch.float64)
    return keypoints, torch.full(keypoints.shape[:2], .9, dtype=torch.float64), K.expand(len(keypoints), 3, 3)


def errors(fit, result, truth):
    """PA-MPJPE of each person, mm, of 12 limb joints, and relative errors in depth."""
    ours, true = (fit.tables.joints(state)[:, 5:].numpy() for state in (result.state, truth))
    depth = (result.state.position[:, 2] / truth.position[:, 2] - 1).abs()
    return pa_mpjpe(ours, true), depth.numpy()


def test_people_in_known_kinds_of_poses(fit):
    """From exact joints: half of the people within 5 cm once aligned, 90 % within 13; 2D within 1 % of their size."""
    truth = upright(40)
    keypoints, scores, intrinsics = seen(fit, truth)
    result = fit(keypoints, scores, intrinsics)
    error, depth = errors(fit, result, truth)
    assert np.median(error) < 50 and np.quantile(error, .9) < 130
    assert np.median(depth) < .08
    again, *_ = seen(fit, result.state)
    size = np.ptp(keypoints.numpy(), axis=1).max(-1)
    assert np.median((again - keypoints).norm(dim=-1)[:, 5:].numpy() / size[:, None]) < .01


def test_result_is_one_body(fit, body_model):
    """The state, and transl and pose for the body model, are the same joints."""
    keypoints, scores, intrinsics = seen(fit, upright(2))
    result = fit(keypoints, scores, intrinsics)
    output = body_model(result.pose.float(), result.state.betas.float(), result.transl.float())
    joints = body_model.select_joints(output, 'coco17').double()
    torch.testing.assert_close(joints, fit.tables.joints(result.state), atol=1e-5, rtol=0)


@pytest.mark.parametrize('turn', [math.pi / 2, math.pi])
def test_a_rolled_picture_gives_the_same_people_rolled(fit, turn):
    truth = upright(12)
    keypoints, scores, _ = seen(fit, truth)
    camera = torch.tensor([[900., 0, 0], [0, 900, 0], [0, 0, 1]], dtype=torch.float64).expand(12, 3, 3)
    keypoints = keypoints - K[:2, 2]
    matrix = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=torch.float64)
    plain, rolled = fit(keypoints, scores, camera), fit(keypoints @ matrix.T, scores, camera)
    assert np.median(errors(fit, rolled, truth)[0]) < np.median(errors(fit, plain, truth)[0]) + 25


def test_missing_joints(fit):
    """Six joints of an upper body: those are met, the rest is a body; nobody at all gives nobody."""
    truth = upright(6)
    keypoints, scores, intrinsics = seen(fit, truth)
    scores[:, [0, 1, 2, 3, 4, *range(11, 17)]] = 0
    keypoints[scores == 0] = math.nan
    result = fit(keypoints, scores, intrinsics)
    again, *_ = seen(fit, result.state)
    assert (again - keypoints)[scores > 0].norm(dim=-1).median() < 6
    assert all(torch.isfinite(field).all() for field in (*result.state, result.transl, result.log_depth_std))
    nobody = fit(keypoints[:0], scores[:0], intrinsics[:0])
    assert nobody.transl.shape == (0, 3) and nobody.pose.shape == (0, 24, 3)


def test_stated_depth_error_is_about_right(fit):
    """Never too sure: of people of all adult sizes, whose poses vary less than the prior allows for."""
    truth = upright(60, seed=9, shape_std=1.)
    result = fit(*seen(fit, truth, noise=2.))
    away = (result.state.pelvis[:, 2] - truth.pelvis[:, 2]) / result.log_depth_std
    assert .15 < away.abs().median() < .9
    assert (result.log_depth_std > .02).all() and (result.log_depth_std < .4).all()


def test_refit_at_a_known_depth(fit):
    """Depth and joints in the picture are both met: the size gives way."""
    truth = upright(6)
    keypoints, scores, intrinsics = seen(fit, truth)
    first = fit(keypoints, scores, intrinsics)
    target = first.state.position[:, 2] * 1.06
    farther = first.state._replace(pelvis=first.state.pelvis + torch.tensor([0, 0, math.log(1.06)]))
    result = fit.refit(farther, keypoints, scores, intrinsics)
    torch.testing.assert_close(result.state.position[:, 2], target, rtol=.012, atol=0)
    again, *_ = seen(fit, result.state)
    before, *_ = seen(fit, first.state)
    assert (again - keypoints).norm(dim=-1).median() < (before - keypoints).norm(dim=-1).median() + 2
    assert (result.state.betas[:, 0] > first.state.betas[:, 0]).all()
