"""Joints by tables are those of the skinned body; rotations, their logarithms and tangents."""
import pytest
import torch
from fitted_people import upright

from mmhuman_dto.fitting import JointTables
from mmhuman_dto.fitting.kinematics import logarithm, tangent_inverse
from mmhuman_dto.geometry import axis_angle_to_matrix, matrix_to_axis_angle
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic.writers import write_synthetic_smpl


def skinned(body_model, state, tables, joint_set):
    rest = state.betas @ tables.rest_pelvis[:-1] + tables.rest_pelvis[-1]
    pose = matrix_to_axis_angle(state.rotations)
    output = body_model(pose.float(), state.betas.float(), (state.position - rest).float())
    return body_model.select_joints(output, joint_set).double()


@pytest.mark.parametrize('joint_set', ['coco17', 'h36m17', 'smpl24', 'smpl45'])
def test_tables_give_openbodys_joints(body_model, joint_set):
    tables, state = JointTables(body_model, joint_set), upright(8)
    torch.testing.assert_close(tables.joints(state), skinned(body_model, state, tables, joint_set), atol=3e-6, rtol=0)


def test_smpls_pose_correctives_are_left_out(tmp_path):
    """Kinematic joints are exact, those picked from the skin within 2 cm for the synthetic body in random poses."""
    model = BODY_MODELS.build(dict(type='SMPL+A', model_path=str(write_synthetic_smpl(tmp_path)), gender='neutral'))
    state = upright(8)
    for joint_set, tolerance in (('smpl24', 3e-6), ('smpl45', .02)):
        tables = JointTables(model, joint_set)
        expected = skinned(model, state, tables, joint_set)
        torch.testing.assert_close(tables.joints(state), expected, atol=tolerance, rtol=0)


def test_derivatives_of_joints(body_model):
    tables, state = JointTables(body_model, 'coco17'), upright(3)
    places = tables.places(state)
    zero = torch.zeros(3, 3 * tables.num_bones + tables.num_betas + 3, dtype=torch.float64)
    jacobian = torch.func.vmap(torch.func.jacfwd(lambda rotations, betas, pelvis, step: tables.joints(
        type(state)(rotations[None], betas[None], pelvis[None]).moved(step[None]))[0], argnums=3))(*state, zero)
    ours = torch.cat([places.by_rotations, places.by_betas], -1)
    torch.testing.assert_close(ours, jacobian[..., :-3], atol=1e-9, rtol=0)
    torch.testing.assert_close(places.joints + state.position[:, None], tables.joints(state))


def test_logarithm_undoes_exponential_and_its_tangent():
    vectors = torch.tensor([[0., 0, 0], [1e-7, 0, 0], [.3, -.5, 1.2], [0, 3.1, 0], [-2., 2, .5]], dtype=torch.float64)
    torch.testing.assert_close(logarithm(axis_angle_to_matrix(vectors)), vectors, atol=1e-9, rtol=0)
    step = 1e-6 * torch.tensor([.2, -1., .7], dtype=torch.float64)
    moved = logarithm(axis_angle_to_matrix(vectors) @ axis_angle_to_matrix(step)) - vectors
    torch.testing.assert_close(moved / 1e-6, (tangent_inverse(vectors) @ step) / 1e-6, atol=1e-4, rtol=0)
