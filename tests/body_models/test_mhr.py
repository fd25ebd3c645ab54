"""MHR through a file of its layout: units, axes, heights from shape and bone sizes, SMPL's joints."""
import math

import pytest
import torch
from mhr_file import JOINTS, write_mhr

from mmhuman_dto.body_models import BodyModelError, mhr_smpl24
from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.registry import BODY_MODELS


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('mhr')
    write_mhr(path)
    return path


@pytest.fixture(scope='module')
def mhr(folder):
    return BODY_MODELS.build(dict(type='MHR', model_path=str(folder)))


def test_height_is_of_shape_and_bone_sizes_whatever_the_pose(mhr):
    assert mhr.height(torch.zeros(45)).item() == pytest.approx(2.)
    pose = torch.randn(3, 204, generator=torch.Generator().manual_seed(0))
    pose[:, 136] = torch.tensor([0., 1, -1])
    torch.testing.assert_close(mhr.height(torch.randn(3, 45), pose), torch.tensor([2., 4, 1]))
    assert mhr.height(torch.zeros(0, 45)).shape == (0, )


def test_metres_where_they_are_told(mhr):
    pose = torch.zeros(2, 204)
    pose[:, :3] = torch.tensor([10., 0, -20])  # tenths of a metre
    pose[1, 4] = math.pi / 2  # about y
    vertices, joints = mhr(pose, torch.zeros(45), torch.tensor([0., 5, 0]))
    assert vertices.shape == (2, 18439, 3) and joints.shape == (2, 24, 3)
    torch.testing.assert_close(vertices.amin(1)[0], torch.tensor([.75, 5, -2.15]), atol=1e-3, rtol=0)
    torch.testing.assert_close(vertices.amax(1)[0], torch.tensor([1.25, 7, -1.85]), atol=1e-3, rtol=0)
    torch.testing.assert_close(vertices.amax(1)[1], torch.tensor([1.15, 7, -1.75]), atol=1e-3, rtol=0)
    root = JOINTS['root'] / 100
    torch.testing.assert_close(joints[0, 0], torch.tensor([1 + root, 5 + root + 2, -2 + root + 4]))
    wide = mhr(pose, torch.ones(2, 45)).vertices
    torch.testing.assert_close(wide.amax(1)[0, 0], torch.tensor(1.275), atol=1e-3, rtol=0)


def test_smpls_joints_by_mhrs_names(mhr):
    theirs = dict(hip='upleg', knee='lowleg', ankle='foot', foot='ball', collar='clavicle', shoulder='uparm',
                  elbow='lowarm', wrist='wrist', hand='middle1', pelvis='root', spine1='c_spine1', spine2='c_spine2',
                  spine3='c_spine3', neck='c_neck', head='c_head')
    places = torch.arange(127.)[None, :, None].expand(2, 127, 3)
    for row, name in enumerate(JOINT_SETS['smpl24'].names):
        side, _, joint = name.rpartition('_')
        assert mhr_smpl24(places)[0, row, 0] == JOINTS[(side and side[0] + '_') + theirs[joint]]
    with pytest.raises(ValueError, match=r'\(\*, 127, 3\), got \(24, 3\)'):
        mhr_smpl24(torch.zeros(24, 3))


def test_the_camera_sees_people_upright_from_in_front(mhr):
    up, front, left = mhr.to_camera(torch.eye(3)[[1, 2, 0]])
    torch.testing.assert_close(up, torch.tensor([0., -1, 0]))  # y down
    torch.testing.assert_close(front, torch.tensor([0., 0, -1]))  # towards the camera
    torch.testing.assert_close(left, torch.tensor([1., 0, 0]))  # the left side is on the right of the picture


def test_coco_joints_that_mhr_has(mhr):
    output = mhr(torch.zeros(204), torch.zeros(45))
    coco = mhr.select_joints(output, 'coco17')
    names = JOINT_SETS['coco17'].names
    assert torch.isnan(coco).all(-1).tolist() == [name.endswith(('nose', 'eye', 'ear')) for name in names]
    torch.testing.assert_close(coco[names.index('left_hip')], output.joints[1])
    with pytest.raises(KeyError, match='MHR has no vertex regressor'):
        mhr.regress(output.vertices, 'coco17')


@pytest.mark.parametrize('pose, betas, message', [(136, 45, r'MHR takes pose \(\*, 204\)'),
                                                  (204, 10, r'MHR takes betas \(\*, 45\), got \(10,\)')])
def test_other_sizes(mhr, pose, betas, message):
    with pytest.raises(ValueError, match=message):
        mhr(torch.zeros(pose), torch.zeros(betas))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='mhr_model.pt.*Apache-2.0.*facebookresearch/MHR.*SAM 3D Body'):
        BODY_MODELS.build(dict(type='MHR', model_path=str(tmp_path)))


def test_its_meshes_are_nobody_elses():
    MHR = BODY_MODELS.get('MHR')
    MHR.check_meshes_of('MHR', 'a table')
    with pytest.raises(BodyModelError, match='its meshes are of SMPL, this body model is MHR'):
        MHR.check_meshes_of('SMPL', 'a table')
