import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmhuman_dto.body_models import JOINT_SETS, SMPL_PARENTS, BodyModel
from mmhuman_dto.body_models import base as base_module

NUM_VERTICES, NUM_BETAS = 60, 4


def build(**changes):
    """A small random body; vertex i of the first 24 sits on joint i."""
    rng = np.random.default_rng(3)
    weights = rng.random((NUM_VERTICES, 24))
    data = dict(
        template=rng.normal(size=(NUM_VERTICES, 3)), shape_dirs=rng.normal(size=(NUM_VERTICES, 3, NUM_BETAS)) * 0.1,
        skin_weights=weights / weights.sum(1, keepdims=True), joint_regressor=np.eye(24, NUM_VERTICES),
        pose_dirs=rng.normal(size=(NUM_VERTICES, 3, 207)) * 0.01, parents=SMPL_PARENTS, faces=[[0, 1, 2], [2, 3, 4]],
        joint_vertices=range(30, 51), joint_names=JOINT_SETS['smpl45'].names,
        regressors={'h36m17': np.full((17, NUM_VERTICES), 1 / NUM_VERTICES)})
    return BodyModel(**{**data, **changes})


@pytest.fixture(scope='module')
def model():
    return build()


def people(*lead, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*lead, *size, generator=generator) for size in ((24, 3), (NUM_BETAS, ), (3, ))]


@settings(deadline=None, max_examples=20)
@given(lead=st.lists(st.integers(0, 3), max_size=3), flat=st.booleans())
def test_any_leading_shape(lead, flat):
    model = build()
    pose, betas, transl = people(*lead)
    out = model(pose.flatten(-2) if flat else pose, betas, transl)
    assert out.vertices.shape == (*lead, NUM_VERTICES, 3) and out.joints.shape == (*lead, 45, 3)
    assert model.height(betas).shape == tuple(lead)
    torch.testing.assert_close(model.skeleton(pose, betas, transl), out.joints[..., :24, :], atol=1e-5, rtol=1e-5)


def test_leading_shapes_broadcast(model):
    pose, betas, transl = people(5)
    one = model(pose[0], betas, transl)
    many = model(pose[:1].expand(5, -1, -1), betas, transl)
    torch.testing.assert_close(one.vertices, many.vertices)


def test_height_equals_the_zero_pose_mesh_in_any_chunks(model, monkeypatch):
    betas = torch.randn(7, NUM_BETAS)
    ys = model(torch.zeros(7, 24, 3), betas).vertices[..., 1]
    want = ys.amax(1) - ys.amin(1)
    torch.testing.assert_close(model.height(betas), want)
    monkeypatch.setattr(base_module, '_HEIGHT_CHUNK', 3)
    torch.testing.assert_close(model.height(betas), want)


def test_double_inputs_and_double_models(model):
    pose, betas, transl = (x.double() for x in people(2))
    assert model(pose, betas, transl).vertices.dtype == torch.float32
    out = build().double()(pose, betas, transl)
    assert out.vertices.dtype == torch.float64
    torch.testing.assert_close(out.vertices.float(), model(pose, betas, transl).vertices, atol=1e-5, rtol=1e-5)


def test_gradients_reach_every_argument():
    model = build().double()
    arguments = [x.double().requires_grad_() for x in people(1)]
    assert torch.autograd.gradcheck(lambda *x: model(*x).joints[:, ::7], arguments)
    assert torch.autograd.gradcheck(model.height, arguments[1])


def test_zero_pose_has_finite_gradients(model):
    pose = torch.zeros(24, 3, requires_grad=True)
    model(pose, torch.zeros(NUM_BETAS)).vertices.square().sum().backward()
    assert pose.grad.isfinite().all() and pose.grad.abs().sum() > 0


def test_body_data_stay_out_of_checkpoints(model):
    assert not model.state_dict() and not list(model.parameters())


def test_named_joint_sets(model):
    out = model(*people(2))
    centres = out.vertices.mean(1, keepdim=True).expand(-1, 17, -1)
    torch.testing.assert_close(model.select_joints(out, 'h36m17'), centres)
    torch.testing.assert_close(model.select_joints(out, 'coco17')[:, 0], out.joints[:, 24])
    with pytest.raises(KeyError, match="'crowdpose14' needs \\['head_top'\\]"):
        model.select_joints(out, 'crowdpose14')
    with pytest.raises(KeyError, match="no vertex regressor of joint set 'coco17', it has \\['h36m17'\\]"):
        model.regress(out.vertices, 'coco17')


@pytest.mark.parametrize('pose, betas, transl, message', [
    ((2, 23, 3), (2, NUM_BETAS), (2, 3), r'pose \(\*, 24, 3\) or \(\*, 72\), got \(2, 23, 3\)'),
    ((2, 24, 3), (2, 11), (2, 3), r'betas \(\*, 4\), got \(2, 11\)'),
    ((2, 24, 3), (2, NUM_BETAS), (2, 2), r'transl \(\*, 3\), got \(2, 2\)'),
])
def test_wrong_shapes_are_named(model, pose, betas, transl, message):
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(pose), torch.zeros(betas), torch.zeros(transl))


def test_wrong_data_are_named():
    with pytest.raises(ValueError, match=r'skin_weights has shape \(60, 23\), expected \(60, 24\)'):
        build(skin_weights=np.ones((NUM_VERTICES, 23)))


def test_a_skin_moves_as_the_body_does(model):
    pose, betas, transl = people(3)
    skin = model.skin(pose, betas[0], transl)
    output = model(pose, betas[:1], transl)
    turned, joints = skin.skeleton.world()
    np.testing.assert_allclose(joints, output.joints[:, :24], atol=1e-5)
    points = skin.vertices + skin.correctives - skin.skeleton.rest[:, None, None]  # (K, T, V, 3)
    moved = np.einsum('tkij,ktvj->tkvi', turned, points) + joints[:, :, None]
    np.testing.assert_allclose(np.einsum('vk,tkvi->tvi', skin.weights, moved), output.vertices, atol=2e-5)
    assert skin.skeleton.names == JOINT_SETS['smpl24'].names and skin.skeleton.parents == SMPL_PARENTS


def test_no_correctives_where_the_body_has_none():
    pose, betas, transl = people(1)
    assert build(pose_dirs=None).skin(pose, betas[0], transl).correctives is None
