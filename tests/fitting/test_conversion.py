"""People of one body model as those of another, only where it is asked for."""
import numpy as np
import pytest
import torch

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.datasets.transforms import ConvertMeshes, JointsFromMeshes
from mmhuman_dto.fitting import MeshConversion
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People

OPEN = dict(type='OpenBody')


def build(kind, folder, **kwargs):
    return BODY_MODELS.build(dict(type=kind, **kwargs, **({} if kind == 'OpenBody' else dict(model_path=str(folder)))))


def people_of(model, statures, blends=None):
    betas = torch.zeros(len(statures), model.num_betas)
    betas[:, 0] = torch.tensor(statures)
    betas[:, 1:10] = torch.randn(len(statures), 9, generator=torch.Generator().manual_seed(0)) * .5
    if blends is not None:
        betas[:, model.child_coefficient] = torch.tensor(blends)
    count = len(statures)
    return People(global_orient=torch.randn(count, 3), body_pose=torch.randn(count, 23, 3) * .2, betas=betas,
                  transl=torch.randn(count, 3) + torch.tensor([0, 0, 5.]), ages=torch.arange(float(count)))


@pytest.mark.parametrize('source, target', [('SMPL', 'OpenBody'), ('OpenBody', 'SMPL'), ('SMPL+A', 'OpenBody'),
                                            ('OpenBody', 'SMPL+A')])
def test_height_pose_and_pelvis_stay(source, target, smpl_dir):
    source, target = build(source, smpl_dir), build(target, smpl_dir)
    people = people_of(source, [-1., 0, 1.2])
    changed = MeshConversion(source, target)(people)
    assert changed.betas.shape == (3, target.num_betas)
    np.testing.assert_allclose(target.height(changed.betas), source.height(people.betas), atol=2e-3)
    for name in ('global_orient', 'body_pose', 'ages'):
        assert torch.equal(changed[name], people[name])
    roots = [model.skeleton(who.pose, who.betas, who.transl)[:, 0]
             for model, who in ((source, people), (target, changed))]
    np.testing.assert_allclose(*roots, atol=1e-5)
    if target.child_coefficient is not None:
        assert not changed.betas[:, target.child_coefficient].any()


def test_children_become_children(smpl_dir):
    source, target = build('OpenBody', smpl_dir), build('SMPL+A', smpl_dir)
    people = people_of(source, [0., 0, 0], [.3, .7, 0])
    changed = MeshConversion(source, target)(people)
    assert (changed.betas[:2, 10] > .05).all() and changed.betas[2, 10] == 0
    np.testing.assert_allclose(target.height(changed.betas), source.height(people.betas), atol=2e-3)
    # Who has no child blend to become comes as near as it can.
    adults = MeshConversion(source, build('SMPL', smpl_dir))(people)
    assert adults.betas[1, 0] == -5 and adults.betas.shape[1] == 10


def test_as_a_transform(smpl_dir):
    smpl = dict(type='SMPL', model_path=str(smpl_dir))
    convert, joints = ConvertMeshes(meshes_of=smpl, body_model=OPEN), JointsFromMeshes(OPEN)
    for count in (2, 0):
        sample = HumanDataSample(metainfo=dict(img_id='a.jpg', body_model='SMPL', img_shape=(200, 300)))
        sample.gt_instances = people_of(build('SMPL', smpl_dir), [0.] * count)
        sample.gt_camera = Camera(intrinsics=torch.tensor([[200., 0, 150], [0, 200, 100], [0, 0, 1]]))
        with pytest.raises(BodyModelError, match='a.jpg: its meshes are of SMPL, this body model is OpenBody.*Convert'):
            joints(sample)
        people = joints(convert(sample)).gt_instances
        assert people.betas.shape == (count, 11) and len(people.keypoints_2d) == count
        with pytest.raises(BodyModelError, match='its meshes are of OpenBody, this body model is SMPL'):
            convert(sample)


def test_more_coefficients_than_there_are(smpl_dir):
    source = build('SMPL', smpl_dir)
    people = people_of(source, [0.])
    people = People(**{name: value for name, value in people.items() if name != 'betas'}, betas=torch.ones(1, 11))
    with pytest.raises(ValueError, match='betas have 11 coefficients, SMPL 10'):
        MeshConversion(source, build('OpenBody', smpl_dir))(people)
