import numpy as np
import pytest
import smplx
import torch

from mmhuman_dto.body_models import SMPLX
from mmhuman_dto.registry import BODY_MODELS


def people(num_betas, rows=3):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(rows, *size, generator=generator) * 0.6 for size in ((24, 3), (num_betas, ), (3, ))]


def reference(smplx_dir, pose, betas, transl, **kwargs):
    rows = len(pose)
    model = smplx.create(str(smplx_dir), 'smplx', use_pca=False, batch_size=rows, **kwargs)
    return model(global_orient=pose[:, 0], body_pose=pose[:, 1:22].flatten(1), betas=betas, transl=transl)


def check(got, want):
    torch.testing.assert_close(got.vertices, want.vertices, atol=2e-5, rtol=0)
    rows = [*range(22), 28, 43, *range(55, 76)]
    torch.testing.assert_close(got.joints, want.joints[:, rows], atol=2e-5, rtol=0)


def test_equals_smplx(smplx_dir):
    model = BODY_MODELS.build(dict(type='SMPLX', model_path=str(smplx_dir), gender='neutral'))
    pose, betas, transl = people(10)
    got = model(pose, betas, transl)
    check(got, reference(smplx_dir, pose, betas, transl))
    torch.testing.assert_close(model.skeleton(pose, betas, transl), got.joints[:, :24])
    still = pose.clone()
    still[:, 22:] = 0
    torch.testing.assert_close(model(still, betas, transl).vertices, got.vertices)


def test_child_equals_smplx_kid(smplx_dir):
    kid = str(smplx_dir / 'smplx/smplx_kid_template.npy')
    model = SMPLX(smplx_dir, kid_template_path=kid)
    pose, betas, transl = people(11)
    check(model(pose, betas, transl), reference(smplx_dir, pose, betas, transl, age='kid', kid_template_path=kid))
    assert model.child_coefficient == 10


def test_height_is_the_zero_pose_extent(smplx_dir):
    model = SMPLX(smplx_dir, num_betas=5)
    betas = torch.linspace(-1, 1, 5)
    with np.load(smplx_dir / 'smplx/SMPLX_NEUTRAL.npz', allow_pickle=False) as file:
        ys = file['v_template'][:, 1] + file['shapedirs'][:, 1, :5] @ betas.double().numpy()
    assert model.height(betas).item() == pytest.approx(np.ptp(ys), abs=1e-5)


def test_expression_directions_are_no_betas(smplx_dir):
    with pytest.raises(ValueError, match='has 10 shape coefficients, num_betas is 11'):
        SMPLX(smplx_dir, num_betas=11)
