"""What a fit says of itself: how sure it is of sizes, whose proportions are a child's, and that refits keep depths."""
import math

import numpy as np
import pytest
import torch
from fitted_people import upright

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fitting import JointTables, KeypointFit
from mmhuman_dto.fitting.solver import cost_of
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic.poses import LIMITS, random_poses
from mmhuman_dto.synthetic.writers import write_synthetic_smpl

K = torch.tensor([[900., 0, 320], [0, 900, 240], [0, 0, 1]], dtype=torch.float64)
NAMES = JOINT_SETS['coco17'].names


def exact(tables, state):
    """Keypoints, scores and intrinsics of people who are seen without error."""
    joints = tables.joints(state) @ K.T
    keypoints = joints[..., :2] / joints[..., 2:]
    return keypoints, torch.full(keypoints.shape[:2], .9, dtype=torch.float64), K.expand(len(keypoints), 3, 3)


def grown(child, count=12, seed=3):
    """Upright people whose child blend is ``child``."""
    state = upright(count, seed=seed)
    return state._replace(betas=torch.cat([state.betas[:, :10], torch.full((count, 1), child).double()], 1))


def pixels_off(tables, state, keypoints):
    """Median distance of everybody's joints from keypoints, px."""
    return (exact(tables, state)[0] - keypoints).norm(dim=-1).median()


@pytest.fixture(scope='module')
def adults(fit):
    return fit(*exact(fit.tables, grown(0.)))


# Children


def test_who_is_asked_for_becomes_a_child(fit, body_model, adults):
    joints, is_child = exact(fit.tables, grown(.9)), torch.arange(12) % 3 == 0
    before, after, some = (fit(*joints, children=who) for who in (None, ~torch.zeros(12, dtype=bool), is_child))
    assert (before.state.betas[:, 10] < .3).all()
    heights = body_model.height(after.state.betas.float())
    assert ((heights > .8) & (heights < 1.1)).all()
    sizes = [body_model.height(result.state.betas.float()) / result.state.position[:, 2] for result in (before, after)]
    np.testing.assert_allclose(sizes[1], sizes[0], rtol=.15)  # as large in the picture, so nearer
    for name in ('transl', 'cost', 'log_size_std', 'log_height_std', 'log_depth_std'):
        for rows, whole in ((is_child, after), (~is_child, before)):
            torch.testing.assert_close(getattr(some, name)[rows], getattr(whole, name)[rows], msg=name)


def test_a_childs_height_is_less_sure_than_an_adults(fit, adults):
    children = fit(*exact(fit.tables, grown(.9)), children=torch.ones(12, dtype=bool))
    assert (children.log_height_std > 3 * adults.log_height_std).all()
    assert (children.log_size_std < .6 * children.log_height_std).all()


# Standard deviations


def test_stated_spreads_are_those_of_the_costs_hessian(fit, body_model, adults):
    """Cost is -2 log probability: half its Hessian, by automatic differentiation, is the inverse covariance."""
    count = 3 * fit.tables.num_bones + fit.tables.num_betas + 3
    keypoints, scores, intrinsics = exact(fit.tables, grown(0.))
    for person in range(3):
        row = slice(person, person + 1)
        terms = [fit.picture(keypoints[row], scores[row], intrinsics[row]), *fit.priors()]
        state = type(adults.state)(*(value[row] for value in adults.state))
        hessian = torch.func.hessian(
            lambda step, state=state, terms=terms: cost_of(fit.tables, terms, state.moved(step[None]))[0])(
                torch.zeros(count, dtype=torch.float64))
        step = 1e-3 * torch.eye(11)
        higher, lower = (body_model.height(state.betas.float() + sign * step).double().log() for sign in (1, -1))
        directions = torch.zeros(count, 3, dtype=torch.float64)
        directions[-1, 0] = 1
        directions[-14:-3, 1] = (higher - lower) / 2e-3
        directions[:, 2] = directions[:, 1] - directions[:, 0]
        expected = (directions.T @ torch.linalg.inv(hessian / 2) @ directions).diagonal().sqrt()
        stated = torch.stack([adults.log_depth_std[person], adults.log_height_std[person], adults.log_size_std[person]])
        torch.testing.assert_close(stated, expected, rtol=.12, atol=0)


def test_spreads_of_sizes_are_those_of_noisy_joints(fit, body_model):
    """Forty times the same person, each joint off by the fit's own sigma: sizes scatter no more than stated."""
    one = grown(0., 1, seed=8)
    keypoints, scores, intrinsics = (value.repeat(40, *[1] * (value.ndim - 1)) for value in exact(fit.tables, one))
    sigma = .03 * (keypoints[0].amax(0) - keypoints[0].amin(0)).norm()
    noise = torch.randn(keypoints.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    result = fit(keypoints + sigma * noise, scores, intrinsics)
    log_size = (body_model.height(result.state.betas.float()).double() / result.state.position[:, 2]).log()
    assert .35 < log_size.std() / result.log_size_std.median() < 1.3


# Hips


def test_hips_of_networks_lie_above_the_bodys(body_model):
    """A tenth of the way to the shoulder of their side; all other joints stay."""
    state = grown(0.)
    plain, raised = (JointTables(body_model, hips=hips).joints(state) for hips in (0., .1))
    hips, shoulders = ([NAMES.index(f'{side}_{joint}') for side in ('left', 'right')] for joint in ('hip', 'shoulder'))
    torch.testing.assert_close(raised[:, hips], .9 * plain[:, hips] + .1 * plain[:, shoulders])
    others = [i for i in range(17) if i not in hips]
    torch.testing.assert_close(raised[:, others], plain[:, others])


# States and refits


def test_state_of_a_body_is_its_fits(fit, adults):
    for again, state in zip(fit.state(adults.pose, adults.state.betas, adults.transl), adults.state):
        torch.testing.assert_close(again, state, atol=1e-9, rtol=0)


@pytest.mark.parametrize('factor', [.75, 1.1])
def test_a_refit_holds_the_depth_and_finds_the_joints_again(fit, body_model, adults, factor):
    joints = exact(fit.tables, grown(0.))
    moved = adults.state._replace(pelvis=adults.state.pelvis + torch.tensor([0, 0, math.log(factor)]).double())
    assert pixels_off(fit.tables, moved, joints[0]) > 8
    again = fit.refit(moved, *joints).state
    torch.testing.assert_close(again.position[:, 2], moved.position[:, 2], rtol=.003, atol=0)
    assert pixels_off(fit.tables, again, joints[0]) < 2.5
    taller = body_model.height(again.betas.float()) / body_model.height(adults.state.betas.float())
    assert (taller / factor - 1).abs().median() < .035


# Other bodies


def test_a_body_without_child_blend(tmp_path):
    """SMPL's ten coefficients: everybody is an adult, the joints are met, refits hold depths."""
    model = BODY_MODELS.build(dict(type='SMPL', model_path=str(write_synthetic_smpl(tmp_path)), gender='neutral'))
    assert model.child_coefficient is None
    fit = KeypointFit(model, torch.from_numpy(random_poses(1000, noise=10., swapped=.5)),
                      torch.from_numpy(np.radians(np.array(LIMITS))))
    state = upright(6)
    joints = exact(fit.tables, state._replace(betas=state.betas[:, :10]))
    result = fit(*joints, children=torch.ones(6, dtype=bool))
    assert result.state.betas.shape == (6, 10)
    assert pixels_off(fit.tables, result.state, joints[0]) < 4
    moved = result.state._replace(pelvis=result.state.pelvis + torch.tensor([0, 0, math.log(1.05)]).double())
    again = fit.refit(moved, *joints).state
    torch.testing.assert_close(again.position[:, 2], moved.position[:, 2], rtol=.01, atol=0)
    assert pixels_off(fit.tables, again, joints[0]) < 4
