import numpy as np
import pytest
import torch
from results.peers import crowd

from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.results.smpl_family import REST_PELVIS, SmplFamily
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl


@pytest.fixture(scope='module')
def smpl_files(tmp_path_factory):
    return write_synthetic_smpl(tmp_path_factory.mktemp('smpl'))


def test_pelvis_or_transl_say_where(smpl_files):
    truth = crowd()
    betas, pelvis = torch.zeros(len(truth), 10), torch.from_numpy(truth.joints[:, 0])
    for family in SmplFamily(), SmplFamily(smpl_files):
        posed = family('smpl', truth.pose, betas, pelvis=pelvis)
        np.testing.assert_allclose(posed.pelvis, truth.joints[:, 0], atol=1e-5)
        np.testing.assert_allclose(posed.smpl_joints[:, 0], truth.joints[:, 0], atol=1e-5)
    by_transl = SmplFamily()('smpl', truth.pose, betas, pelvis - torch.tensor(REST_PELVIS['smpl']))
    np.testing.assert_allclose(by_transl.vertices, SmplFamily()('smpl', truth.pose, betas, pelvis=pelvis).vertices,
                               atol=1e-5)


def test_files_pose_the_true_bodies(smpl_files):
    smpl = BODY_MODELS.build(dict(type='SMPL', model_path=smpl_files))
    truth, betas = crowd(), torch.randn(3, 10, generator=torch.Generator().manual_seed(0))
    transl = torch.tensor([[0., 0, 3]]).repeat(3, 1)
    want = smpl(torch.from_numpy(truth.pose).float(), betas, transl)
    posed = SmplFamily(smpl_files)('smpl', truth.pose, betas, transl)
    np.testing.assert_allclose(posed.vertices, want.vertices, atol=1e-5)
    np.testing.assert_allclose(posed.pelvis, want.joints[:, 0], atol=1e-5)
    again = SmplFamily(smpl_files)('smpl', truth.pose, betas, pelvis=posed.pelvis)
    np.testing.assert_allclose(again.vertices, want.vertices, atol=1e-5)


def test_heights_of_stand_ins_are_as_unsure_as_what_they_are_told_by():
    truth = crowd()
    still = SmplFamily()('smpl', truth.pose, torch.zeros(3, 10), torch.zeros(3, 3))
    torch.testing.assert_close(still.heights_std, torch.full((3, ), .1))
    grown = SmplFamily()('smpl', truth.pose, torch.zeros(3, 10), torch.zeros(3, 3), vertices=1.1 * still.vertices)
    torch.testing.assert_close(grown.heights, 1.1 * still.heights, rtol=1e-4, atol=0.)
    torch.testing.assert_close(grown.heights_std, .03 * grown.heights, rtol=1e-4, atol=0.)
