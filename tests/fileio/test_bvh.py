import numpy as np
import pytest
import torch
from bvh_files import read_bvh
from rigged_people import moving
from smplx_files import write_smplx

from mmhuman_dto.body_models import SMPLX, OpenBody
from mmhuman_dto.fileio.bvh import write_bvh


@pytest.mark.parametrize('scale', [100., 1.])
def test_joints_are_where_the_body_model_has_them(scale, tmp_path):
    body_model = OpenBody()
    skeleton, truth, *_ = moving(body_model, 3)
    write_bvh(tmp_path / 'a.bvh', skeleton, 25, scale)
    places, joints, ends, seconds = read_bvh(tmp_path / 'a.bvh')
    for row, name in enumerate(body_model.joint_names[:24]):
        np.testing.assert_allclose(places[name] / scale, truth[:, row], atol=2e-5)
    assert seconds == 1 / 25 and joints[0][2].tolist() == [0, 0, 0]
    assert sorted(ends) == ['head', 'left_foot', 'left_hand', 'right_foot', 'right_hand']
    assert joints[0][3] == ('Xposition', 'Yposition', 'Zposition', 'Zrotation', 'Xrotation', 'Yrotation')
    assert {joint[3] for joint in joints[1:]} == {('Zrotation', 'Xrotation', 'Yrotation')}


def test_fingers_are_written_too(tmp_path):
    body_model = SMPLX(write_smplx(tmp_path), whole_body=True)
    skeleton, truth, *_ = moving(body_model)
    write_bvh(tmp_path / 'a.bvh', skeleton, 30)
    places, joints, *_ = read_bvh(tmp_path / 'a.bvh')
    assert len(joints) == 55
    np.testing.assert_allclose(places['left_middle1'], truth[:, 22], atol=1e-4)


def test_angles_do_not_jump_by_whole_turns(tmp_path):
    body_model = OpenBody()
    pose = torch.zeros(9, 24, 3)
    pose[:, 0, 1] = torch.deg2rad(torch.arange(9.) * 50)
    skeleton = body_model.skin(pose, torch.zeros(body_model.num_betas), torch.zeros(9, 3)).skeleton
    write_bvh(tmp_path / 'a.bvh', skeleton, 30)
    rows = (tmp_path / 'a.bvh').read_text().split('Frame Time')[1].splitlines()[1:]
    turns = np.array([row.split()[5] for row in rows], float)
    np.testing.assert_allclose(np.diff(turns), 50, atol=1e-3)
