"""Terms of points in space and of heights: their derivatives, and what nan leaves out."""
import pytest
import torch

from mmhuman_dto.body_models import SMPLX
from mmhuman_dto.fitting import FitState, JointTables
from mmhuman_dto.fitting.point_terms import KnownHeight, Near, Surface
from mmhuman_dto.geometry import axis_angle_to_matrix

POINTS = torch.tensor([5, 900, 3000, 6000])


@pytest.fixture(scope='module')
def tables(body_model):
    return JointTables(body_model, 'smpl24', points=POINTS)


def state_of(seed):
    generator = torch.Generator().manual_seed(seed)
    rotations = axis_angle_to_matrix(.5 * torch.randn(3, 24, 3, generator=generator, dtype=torch.float64))
    return FitState(rotations, torch.randn(3, 11, generator=generator, dtype=torch.float64) * .5,
                    torch.tensor([.1, -.2, 1.4], dtype=torch.float64).repeat(3, 1))


def terms(tables, body_model):
    generator = torch.Generator().manual_seed(9)
    joints = tables.joints(state_of(1))
    normals = torch.nn.functional.normalize(torch.randn(3, 4, 3, generator=generator, dtype=torch.float64), dim=-1)
    std = torch.full((24, ), .02)
    joints[0, 5] = torch.nan
    joints[1, 25] = torch.nan
    return dict(joints=Near(joints[:, :24], std), points=Near(joints[:, :24], std, Surface(joints[:, 24:]), .01),
                surface=Near(joints[:, :24] * torch.nan, std, Surface(joints[:, 24:], normals), .01),
                height=KnownHeight(torch.tensor([1.5, 1.6, 1.7]).double(), .01,
                                   lambda betas: body_model.height(betas.float()).double()))


@pytest.mark.parametrize('name', ['joints', 'points', 'surface', 'height'])
def test_derivatives(tables, body_model, name):
    term, state = terms(tables, body_model)[name], state_of(2)
    rows = term(tables, state)
    torch.testing.assert_close(rows.cost, (rows.weights * rows.residuals**2).sum(1))
    torch.testing.assert_close(rows.cost, term(tables, state, derivatives=False))
    step = 1e-3 if name == 'height' else 1e-6  # heights are computed in single precision
    for parameter in (0, 20, 71, 72, 82, 83, 84, 85):
        move = torch.zeros(3, 86, dtype=torch.float64)
        move[:, parameter] = step
        change = (term(tables, state.moved(move)).residuals - term(tables, state.moved(-move)).residuals) / (2 * step)
        torch.testing.assert_close(rows.jacobians[..., parameter], change, atol=2e-3 if name == 'height' else 1e-6,
                                   rtol=1e-4)


def test_what_is_not_known_has_no_weight(tables, body_model):
    known = terms(tables, body_model)
    rows = known['points'](tables, state_of(2))
    assert torch.isfinite(rows.residuals).all() and rows.weights.shape == (3, 3 * 28)
    assert not rows.weights[0, 15:18].any() and not rows.weights[1, 75:78].any()
    assert (rows.weights == 0).sum() == 6
    assert known['surface'](tables, state_of(2)).weights.shape == (3, 72 + 4)


def test_points_are_the_bodys_vertices(tables, body_model):
    state = state_of(3)
    pose = body_model.pose_of(state.rotations).float()
    output = body_model(pose, state.betas.float(), tables.transl(state).float())
    made = tables.joints(state).float()
    torch.testing.assert_close(made[:, 24:], output.vertices[:, POINTS], atol=1e-5, rtol=0)
    torch.testing.assert_close(made[:, :24], output.joints[:, :24], atol=1e-5, rtol=0)


@pytest.mark.parametrize('whole_body', [False, True])
def test_joints_of_a_body_with_bones_of_face_and_hands(smplx_dir, whole_body):
    """SMPL's hands are joints of fingers there, and its points on the skin follow 24 joints, not 55."""
    body = SMPLX(smplx_dir, whole_body=whole_body)
    body._buffers['pose_dirs'] = None  # tables leave pose correctives out
    generator = torch.Generator().manual_seed(4)
    pose = .4 * torch.randn(2, body.num_body_joints + 1, 3, generator=generator)
    betas = .5 * torch.randn(2, body.num_betas, generator=generator)
    transl = torch.tensor([.2, -.1, 4.])
    output = body(pose, betas, transl)
    for joint_set in ('smpl24', 'smpl45'):
        tables = JointTables(body, joint_set)
        place = transl + (betas.double() @ tables.rest_pelvis[:-1] + tables.rest_pelvis[-1])
        pelvis = torch.cat([place[:, :2] / place[:, 2:], place[:, 2:].log()], 1)
        state = FitState(body.bone_rotations(pose).double(), betas.double(), pelvis)
        known = output.joints[:, :tables.num_joints]
        torch.testing.assert_close(tables.joints(state).float(), known, atol=1e-4, rtol=0)
