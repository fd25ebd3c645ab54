"""Light copies for joints alone."""
import pytest
import torch

from mmhuman_dto.registry import BODY_MODELS


@pytest.mark.parametrize('config, joint_set, most', [
    (dict(type='OpenBody'), 'smpl45', 21), (dict(type='OpenBody'), 'crowdpose14', 2000),
    (dict(type='SMPL'), 'smpl24', 21), (dict(type='SMPL+A'), 'crowdpose14', 101), (dict(type='SMPL'), 'h36m17', 800),
    (dict(type='SMPLX'), 'smpl45', 60)],
    ids=lambda x: x['type'] if isinstance(x, dict) else str(x))
def test_gives_the_joints_of_the_whole_body(smpl_dir, smplx_dir, config, joint_set, most):
    if config['type'] != 'OpenBody':
        config = dict(config, model_path=str(smplx_dir if config['type'] == 'SMPLX' else smpl_dir))
    model = BODY_MODELS.build(config)
    thin = model.thinned(joint_set)
    gen = torch.Generator().manual_seed(0)
    people = (torch.randn(2, 3, 24, 3, generator=gen) * .5, torch.randn(2, 3, model.num_betas, generator=gen),
              torch.randn(2, 3, 3, generator=gen))
    joints = thin.select_joints(thin(*people), joint_set)
    torch.testing.assert_close(joints, model.select_joints(model(*people), joint_set), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(thin(*people).joints, model(*people).joints, atol=1e-6, rtol=1e-6)
    assert thin.num_vertices <= most < model.num_vertices
    assert model(*people).vertices.shape[-2] == model.num_vertices


def test_no_vertex_is_lost_where_regressors_are_negative(smpl_dir):
    model = BODY_MODELS.build(dict(type='SMPL', model_path=str(smpl_dir)))
    matrix = torch.zeros_like(model.regressor_h36m17)
    matrix[0, 5], matrix[1, 5], matrix[2, 9] = 1., -1., 1.
    model.regressor_h36m17 = matrix
    assert model._vertices_of('h36m17').tolist() == [5, 9]
