"""Meshes by the bundled lifting network, alone and as what fits start from."""
import numpy as np
import pytest
import torch
from fitted_people import upright

from mmhuman_dto.evaluation.functional.pose import pa_mpjpe
from mmhuman_dto.fitting import JointTables
from mmhuman_dto.perception import SourceError
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

K = torch.tensor([[700., 0, 320], [0, 700, 240], [0, 0, 1]])


@pytest.fixture(scope='module')
def lifted():
    return SOURCES.build(dict(type='LiftedMeshes', device='cpu'))


@pytest.fixture(scope='module')
def fitted():
    return SOURCES.build(dict(type='KeypointFitMeshes', lifter='openbody_coco17', device='cpu'))


def sample_of(joints, known=True):
    keypoints = joints.float() @ K.T
    keypoints = keypoints[..., :2] / keypoints[..., 2:]
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))
    sample.detected_instances = People(keypoints_2d=keypoints, keypoints_2d_valid=torch.full(keypoints.shape[:2], .8))
    if known:
        sample.pred_camera = Camera(intrinsics=K)
    return sample


def joints_of(people, body_model):
    output = body_model(people.pose, people.betas, people.transl)
    return body_model.select_joints(output, 'coco17').double()


@pytest.mark.parametrize('kind, aligned, away', [('lifted', 60, .2), ('fitted', 55, .1)])
def test_people_are_posed_and_placed(kind, aligned, away, request):
    """From exact joints: limbs to some 5 cm once aligned, in the median; depths to a few per cent where heights are."""
    source = request.getfixturevalue(kind)
    truth = upright(40, shape_std=.3)
    joints = JointTables(source.body_model).joints(truth)
    (people, camera), = source([sample_of(joints)])
    assert torch.equal(camera.intrinsics, K) and len(people) == 40
    found = joints_of(people, source.body_model)
    assert np.median(pa_mpjpe(found[:, 5:].numpy(), joints[:, 5:].numpy())) < aligned
    depth = found[:, 11:13, 2].mean(1) / joints[:, 11:13, 2].mean(1)
    assert (depth - 1).abs().median() < away
    assert ((people.depths_std > .02) & (people.depths_std < 2)).all() and (people.sizes_std < .3).all()


def test_a_lifted_person_states_joints(lifted):
    (people, _), (nobody, _) = lifted([sample_of(JointTables(lifted.body_model).joints(upright(3))),
                                       sample_of(torch.ones(0, 17, 3))])
    torch.testing.assert_close(joints_of(people, lifted.body_model).float(), people.keypoints_3d, atol=1e-4, rtol=0)
    assert people.keypoints_3d_std.shape == (3, 17) and (people.keypoints_3d_std > .003).all()
    assert len(nobody) == 0


def test_unknown_focal_length_is_guessed_and_missing_joints_are_named(lifted):
    (_, camera), = lifted([sample_of(JointTables(lifted.body_model).joints(upright(1)), known=False)])
    assert camera.focal_std > .1
    with pytest.raises(SourceError, match='a.jpg: no detected_instances with keypoints_2d'):
        lifted([HumanDataSample(metainfo=dict(img_id='a.jpg', ori_shape=(480, 640)))])


def test_fits_from_a_lifter_keep_mean_shapes_for_ages_to_tell(fitted):
    """The network's shapes follow the children of its training; the fit's stay adults' until something tells."""
    tables = JointTables(fitted.body_model)
    (people, _), = fitted([sample_of(tables.joints(upright(12)))])
    assert people.betas[:, 10].abs().max() < .2
    height = fitted.body_model.height(people.betas)
    assert ((height > 1.45) & (height < 1.95)).all()


def test_a_lifter_of_another_body_is_refused(tmp_path):
    smpl = BODY_MODELS.build(dict(type='SMPL+A', model_path=str(write_synthetic_smpl(tmp_path))))
    with pytest.raises(ValueError, match='lifter gives OpenBody from coco17 with 11 betas, this fit is of SMPL'):
        SOURCES.build(dict(type='KeypointFitMeshes', body_model=smpl, lifter='openbody_coco17', device='cpu'))
