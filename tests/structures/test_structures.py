import copy

import numpy as np
import pytest
import torch

from mmhuman_dto.structures import Camera, HumanDataSample, People


def people(n=3):
    return People(global_orient=torch.zeros(n, 3), body_pose=torch.zeros(n, 23, 3), betas=torch.zeros(n, 11),
                  transl=torch.arange(3. * n).reshape(n, 3))


@pytest.mark.parametrize('name, value, message', [
    ('ages', np.zeros(2), "'ages' has 2 rows, this container holds 3 people"),
    ('bboxes', np.zeros((3, 5)), r"'bboxes' has rows of shape \(5,\), expected \(4,\) \(px"),
    ('ages', 3, "'ages' needs one row a person, got int"),
])
@pytest.mark.parametrize('setter', [setattr, lambda p, k, v: p.set_field(v, k), lambda p, k, v: p.__setitem__(k, v)])
def test_people_refuse_what_does_not_fit(setter, name, value, message):
    with pytest.raises(ValueError, match=message):
        setter(people(), name, value)


def test_nobody_is_a_number_of_people():
    nobody = People(transl=torch.zeros(0, 3))
    with pytest.raises(ValueError, match='holds 0 people'):
        nobody.ages = torch.zeros(2)
    assert len(nobody) == 0
    assert nobody[[]].transl.shape == (0, 3)


@pytest.mark.parametrize('pick, rows', [
    (torch.tensor([True, False, True]), [0, 2]),
    (np.array([2, 1]), [2, 1]),
    ([1], [1]),
    (1, [1]),
    ([], []),
])
def test_people_picked(pick, rows):
    everyone = people()
    picked = everyone[pick]
    assert len(picked) == len(rows)
    torch.testing.assert_close(picked.transl, everyone.transl[rows])


def test_pose_joins_root_and_body():
    everyone = people()
    everyone.global_orient = torch.ones(3, 3)
    assert everyone.pose.shape == (3, 24, 3)
    assert everyone.pose[:, 0].eq(1).all() and everyone.pose[:, 1:].eq(0).all()
    np.testing.assert_array_equal(everyone.numpy().pose, everyone.pose.numpy())


def test_copies_do_not_share_data():
    everyone = people()
    other = copy.deepcopy(everyone)
    other.transl += 1
    assert everyone.transl[0, 0] == 0 and other.transl[0, 0] == 1
    assert len(everyone.clone()) == len(everyone.to('cpu')) == 3
    assert len(People.cat([everyone, other])) == 6


def test_sample_keeps_its_parts_apart():
    sample = HumanDataSample(metainfo=dict(img_id='a.jpg'))
    sample.pred_instances = people()
    sample.pred_camera = Camera(intrinsics=torch.eye(3))
    with pytest.raises(TypeError, match='gt_instances must be a People, got Camera'):
        sample.gt_instances = Camera()
    assert sample.img_id == 'a.jpg' and len(sample.clone().pred_instances) == 3
