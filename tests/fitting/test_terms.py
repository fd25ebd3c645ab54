"""Each term's derivatives are those of its cost, and its cost is what it says."""
import math

import numpy as np
import pytest
import torch
from fitted_people import upright

from mmhuman_dto.fitting.kinematics import logarithm
from mmhuman_dto.fitting.solver import Linearised
from mmhuman_dto.fitting.terms import JointLimits, KnownDepth, PosePrior, Reprojection, ShapePrior
from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.synthetic.poses import LIMITS

PEOPLE = 3
K = torch.tensor([[900., 0, 320], [0, 900, 240], [0, 0, 1]], dtype=torch.float64).expand(PEOPLE, 3, 3)


def picture(tables, state, shift=4.):
    keypoints = tables.joints(state) @ K.transpose(1, 2)
    keypoints = keypoints[..., :2] / keypoints[..., 2:] + shift
    sigma = torch.tensor([4., 8, 2], dtype=torch.float64)
    return Reprojection(keypoints, torch.full((PEOPLE, 17), .7, dtype=torch.float64), K, sigma)


def random_terms(tables, state):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    return dict(
        picture=picture(tables, state), depth=KnownDepth(draw(PEOPLE) + 4, .02),
        pose=PosePrior(.3 * draw(24, 3), .2 + draw(24, 3), .5),
        limits=JointLimits(*torch.from_numpy(np.radians(np.array(LIMITS)) * .2)),
        shape=ShapePrior(draw(11), .1 + draw(11)))


@pytest.mark.parametrize('name', ['picture', 'depth', 'pose', 'limits', 'shape'])
def test_gradient_of_each_term(fit, name):
    state = upright(PEOPLE)
    term = random_terms(fit.tables, state)[name]
    step = torch.zeros(PEOPLE, 86, dtype=torch.float64, requires_grad=True)
    cost = term(fit.tables, state.moved(step), derivatives=False)
    expected, = torch.autograd.grad(cost.sum(), step)
    assert expected.abs().max() > .1
    nothing = KnownDepth(state.position[:, 2], 1e3)  # the solver needs a row
    ours = 2 * Linearised(fit.tables, [term, nothing], state).gradient
    torch.testing.assert_close(ours, expected, atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(term(fit.tables, state).cost, cost.detach())


def test_damped_system_is_solved(fit):
    """Woodbury's identity against the whole matrix."""
    state = upright(PEOPLE)
    terms = list(random_terms(fit.tables, state).values())
    linearised = Linearised(fit.tables, terms, state)
    damping = torch.tensor([1e-3, .1, 10.], dtype=torch.float64)
    rows = linearised.weights[..., None] * linearised.jacobian
    matrix = linearised.jacobian.transpose(1, 2) @ rows
    extra = damping[:, None] * (matrix.diagonal(dim1=1, dim2=2) + 1)
    for bone in range(24):
        matrix[:, 3 * bone:3 * bone + 3, 3 * bone:3 * bone + 3] += linearised.turn_hessian[:, bone]
    matrix[:, 72:, 72:] += torch.diag_embed(linearised.rest_hessian)
    expected = -torch.linalg.solve(matrix + torch.diag_embed(extra), linearised.gradient)
    torch.testing.assert_close(linearised.step(damping), expected, atol=1e-8, rtol=1e-6)


def test_a_far_joint_costs_no_more_than_its_bound(fit):
    state = upright(PEOPLE)
    cost = picture(fit.tables, state, shift=1e5)(fit.tables, state, derivatives=False)
    torch.testing.assert_close(cost, torch.full_like(cost, 17 * .7 * 9), rtol=1e-3, atol=0)


def test_limits_count_what_is_beyond_them(fit):
    low, high = torch.from_numpy(np.radians(np.array(LIMITS)))
    state = upright(1)
    rotations = axis_angle_to_matrix(torch.zeros(1, 24, 3, dtype=torch.float64))
    knee = high[4, 0] + math.radians(10)
    rotations[0, 4] = axis_angle_to_matrix(torch.tensor([knee, 0, 0], dtype=torch.float64))
    cost = JointLimits(low, high, sigma=.06)(fit.tables, state._replace(rotations=rotations), derivatives=False)
    assert cost.item() == pytest.approx((math.radians(10) / .06)**2, rel=1e-6)
    assert logarithm(rotations)[0, 4, 0].item() == pytest.approx(knee.item())
