import contextlib
import io

import numpy as np
import pytest
import smplx
import torch

from mmhuman_dto.body_models import SMPL
from mmhuman_dto.body_models.smpl import _EXTRA_JOINTS
from mmhuman_dto.fileio import load_pickle
from mmhuman_dto.registry import BODY_MODELS


def random_people(model, *lead, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*lead, *size, generator=generator) * scale
            for size, scale in (((24, 3), 0.6), ((model.num_betas, ), 1.5), ((3, ), 3.0))]


def reference(smpl_dir, people, **kwargs):
    """The smplx package's vertices and 45 joints."""
    pose, betas, transl = people
    with contextlib.redirect_stdout(io.StringIO()):
        body = smplx.create(str(smpl_dir), 'smpl', gender='neutral', **kwargs)
    return body(global_orient=pose[:, 0], body_pose=pose[:, 1:].flatten(1), betas=betas, transl=transl)


def write_variant(smpl_dir, folder, **changes):
    """A body file with some keys changed, or removed where None; returns its path."""
    content = load_pickle(smpl_dir / 'smpl' / 'SMPL_NEUTRAL.pkl')
    content.update(changes)
    path = folder / 'SMPL_NEUTRAL.npz'
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


@pytest.fixture(scope='module')
def smpl(smpl_dir):
    return BODY_MODELS.build(dict(type='SMPL', model_path=str(smpl_dir), gender='neutral'))


@pytest.fixture(scope='module')
def child_smpl(smpl_dir):
    return BODY_MODELS.build(dict(type='SMPL+A', model_path=str(smpl_dir), gender='neutral'))


def test_equals_smplx(smpl, smpl_dir):
    people = random_people(smpl, 5)
    want, got = reference(smpl_dir, people), smpl(*people)
    torch.testing.assert_close(got.vertices, want.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(got.joints, want.joints, atol=1e-5, rtol=0)
    assert len(smpl.joint_names) == got.joints.shape[1] == 45


def test_child_equals_smplx_kid(child_smpl, smpl_dir):
    people = random_people(child_smpl, 5)
    want = reference(smpl_dir, people, age='kid', kid_template_path=str(smpl_dir / 'smpl/smpl_kid_template.npy'))
    got = child_smpl(*people)
    torch.testing.assert_close(got.vertices, want.vertices, atol=1e-5, rtol=0)
    torch.testing.assert_close(got.joints, want.joints, atol=1e-5, rtol=0)
    assert child_smpl.num_betas == 11 and child_smpl.child_coefficient == 10


def test_reads_npz_and_direct_paths(smpl, smpl_dir, tmp_path):
    path = write_variant(smpl_dir, tmp_path)
    people = random_people(smpl, 2)
    for place in (path, tmp_path, smpl_dir / 'smpl', smpl_dir / 'smpl/SMPL_NEUTRAL.pkl'):
        torch.testing.assert_close(SMPL(place)(*people).vertices, smpl(*people).vertices)


def test_fewer_betas(smpl, smpl_dir):
    pose, betas, transl = random_people(smpl, 2)
    betas[:, 4:] = 0
    few = SMPL(smpl_dir, num_betas=4)
    torch.testing.assert_close(few(pose, betas[:, :4], transl).vertices, smpl(pose, betas, transl).vertices)
    with pytest.raises(ValueError, match='has 10 shape coefficients, num_betas is 11'):
        SMPL(smpl_dir, num_betas=11)


def test_crowdpose_joints_follow_the_extra_regressor(smpl, smpl_dir):
    body = smpl(*random_people(smpl, 3))
    extra = torch.tensor(np.load(smpl_dir / 'smpl/J_regressor_extra.npy')).float() @ body.vertices
    pool = torch.cat([body.joints[:, :24], extra], 1)
    rows = [16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8, 27, 26]
    torch.testing.assert_close(smpl.select_joints(body, 'crowdpose14'), pool[:, rows])
    assert len(_EXTRA_JOINTS) == 9


def test_h36m_regressor(smpl, smpl_dir):
    body = smpl(*random_people(smpl, 2, 3))
    matrix = torch.tensor(np.load(smpl_dir / 'smpl/J_regressor_h36m_correct.npy')).float()
    want = torch.einsum('kv,abvc->abkc', matrix, body.vertices)
    torch.testing.assert_close(smpl.regress(body.vertices, 'h36m17'), want)


def test_missing_optional_files_are_named(smpl_dir, tmp_path):
    model = SMPL(write_variant(smpl_dir, tmp_path))
    body = model(torch.zeros(24, 3), torch.zeros(10))
    with pytest.raises(KeyError, match=r'J_regressor_extra\.npy \(9, 6890\)'):
        model.select_joints(body, 'crowdpose14')
    with pytest.raises(KeyError, match=r'J_regressor_h36m_correct\.npy \(17, 6890\)'):
        model.regress(body.vertices, 'h36m17')


@pytest.mark.parametrize('body_type', ['SMPL', 'SMPL+A', 'SMPLX'])
def test_missing_file_says_what_to_do(body_type, tmp_path):
    steps = {'SMPL': r'basicmodel_m_lbs_10_207_0_v1\.1\.0\.pkl.* save it as .*SMPL_MALE\.pkl', 'SMPLX': 'SMPLX_MALE',
             'SMPL+A': r'basicmodel_m.*Next: smpl_kid_template\.npy \(register at https://agora.*, beside it'}
    with pytest.raises(FileNotFoundError, match=r'_MALE\.pkl.*register at https://smpl.*is\.tue\.mpg\.de.*'
                                                + steps[body_type]):
        BODY_MODELS.build(dict(type=body_type, model_path=str(tmp_path), gender='male'))


def test_missing_child_template_is_named(smpl_dir, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'smpl_kid_template\.npy.*https://agora'):
        BODY_MODELS.build(dict(type='SMPL+A', model_path=str(write_variant(smpl_dir, tmp_path))))


def test_unknown_gender():
    with pytest.raises(ValueError, match="gender 'boy'"):
        SMPL('anywhere', gender='boy')
