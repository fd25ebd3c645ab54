import numpy as np
import pytest
import smplx
import torch

from mmhuman_dto.body_models import SMPLX
from mmhuman_dto.fileio import load_npz
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


@pytest.mark.parametrize('flat, kid', [(False, False), (True, False), (False, True)])
def test_whole_body_equals_smplx(smplx_dir, flat, kid):
    """Hands and face by SMPL-X's own pose, expression after the shape, a child's coefficient last."""
    kwargs = dict(kid_template_path=str(smplx_dir / 'smplx/smplx_kid_template.npy')) if kid else {}
    model = SMPLX(smplx_dir, whole_body=True, flat_hand_mean=flat, **kwargs)
    _, betas, transl = people(20 + kid)
    pose = torch.randn(3, 55, 3, generator=torch.Generator().manual_seed(2)) * .5
    parts = dict(global_orient=1, body_pose=21, jaw_pose=1, leye_pose=1, reye_pose=1, left_hand_pose=15,
                 right_hand_pose=15)
    given = {name: part.flatten(1) for name, part in zip(parts, pose.split([*parts.values()], 1))}
    reference = smplx.create(str(smplx_dir), 'smplx', use_pca=False, batch_size=3, flat_hand_mean=flat,
                             **dict(kwargs, age='kid') if kid else {})
    got = model(pose, betas, transl)
    check(got, reference(**given, betas=torch.cat([betas[:, :10], betas[:, 20:]], 1), expression=betas[:, 10:20],
                         transl=transl))
    assert model.num_body_joints == 54 and model.child_coefficient == (20 if kid else None)
    thin = model.thinned('smpl45')
    torch.testing.assert_close(thin(pose, betas, transl).joints, got.joints, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=r'got \(3, 24, 3\). 55 rotations are for whole_body=True'):
        model(pose[:, :24], betas, transl)


@pytest.mark.parametrize('count', [16, 300])
def test_large_files_have_more_betas(smplx_dir, tmp_path, count):
    """Files of 300 directions of shape and 100 of expression, of which AMASS uses 16."""
    (tmp_path / 'smplx').mkdir()
    with load_npz(smplx_dir / 'smplx/SMPLX_NEUTRAL.npz') as file:
        arrays = {name: file[name] for name in file if name != 'part2num'}
    directions = np.random.default_rng(3).normal(size=(10475, 3, 400)).astype(np.float32) * .02
    np.savez(tmp_path / 'smplx/SMPLX_NEUTRAL.npz', **dict(arrays, shapedirs=directions))
    model = SMPLX(tmp_path, num_betas=count)
    pose, betas, transl = people(count, rows=2)
    check(model(pose, betas, transl), reference(tmp_path, pose, betas, transl, num_betas=count))
    assert model.height(betas).shape == (2, ) and not torch.allclose(model.height(betas), model.height(0 * betas))
    whole = SMPLX(tmp_path, num_betas=count, whole_body=True)
    torch.testing.assert_close(whole.shape_dirs[count:], torch.from_numpy(directions[..., 300:310]).permute(2, 1, 0))


def test_expression_directions_are_no_betas(smplx_dir):
    with pytest.raises(ValueError, match='has 10 shape coefficients, num_betas is 11'):
        SMPLX(smplx_dir, num_betas=11)
