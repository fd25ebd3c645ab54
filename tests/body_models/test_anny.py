"""Anny through its package: what it says is ours in units, axes, joints and heights."""
import math
import sys

import pytest
import torch

from mmhuman_dto.body_models import measured_heights
from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.body_models.measuring import LENGTHS, lengths
from mmhuman_dto.registry import BODY_MODELS

NAMES = JOINT_SETS['smpl24'].names


def test_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'anny', None)
    with pytest.raises(ImportError, match=r'anny cannot be imported.*pip install "mmhuman_dto\[anny\]".*bodies.md'):
        BODY_MODELS.build(dict(type='Anny'))


@pytest.fixture(scope='module')
def anny():
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    return BODY_MODELS.build(dict(type='Anny'))


@pytest.fixture(scope='module')
def ages():
    """Phenotypes of six ages from newborn to old, else average."""
    betas = torch.full((6, 6), .5)
    betas[:, 1] = torch.tensor([-1 / 3, 0., .2, 1 / 3, 2 / 3, 1])
    return betas


@pytest.mark.slow
def test_heights_grow_with_age(anny, ages):
    heights = anny.height(ages)
    assert (heights[:5].diff() > .1).all() and .4 < heights[0] < .7 and 1.5 < heights[4] < 1.85
    pose = torch.zeros(6, 104, 3)
    # The pose without rotations in the frames of bones is another than the package's rest, but stands upright.
    rest = anny.model(phenotype_kwargs=ages)['rest_vertices'][..., 2]
    torch.testing.assert_close(heights, rest.amax(1) - rest.amin(1))
    assert anny(pose, ages).vertices.shape == (6, 13718, 3)
    torch.testing.assert_close(anny.height(ages[:, None].expand(6, 2, 6))[:, 1], heights)
    assert anny.height(ages[:0]).shape == (0, )
    # Multi-HMR writes eleven phenotypes and uses six.
    torch.testing.assert_close(anny.height(torch.cat([ages, torch.rand(6, 5)], 1)), heights)
    with pytest.raises(ValueError, match=r'Anny takes betas \(\*, 6\), got \(6, 3\)'):
        anny.height(ages[:, :3])


@pytest.mark.slow
@pytest.mark.parametrize('rig, bones', [('anny', 104), ('makehuman', 163)])
def test_the_root_joint_is_where_it_is_told(ages, rig, bones):
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    body = BODY_MODELS.build(dict(type='Anny', rig=rig))
    pose = torch.zeros(bones, 3)
    pose[0, 0] = math.pi / 2  # from z up, facing -y, to y down, facing -z
    transl = torch.tensor([1., -2, 7])
    vertices, joints = body(pose, ages, transl)
    torch.testing.assert_close(joints[:, 0], transl.expand(6, 3))
    rest = body(0 * pose, ages).vertices
    torch.testing.assert_close(vertices, body.to_camera(rest) + transl, atol=1e-5, rtol=0)
    by_name = dict(zip(NAMES, joints.unbind(1)))
    assert (by_name['head'][:, 1] < by_name['pelvis'][:, 1]).all() and (
        by_name['pelvis'][:, 1] < by_name['left_ankle'][:, 1]).all()
    # Who faces the camera has the left side on the right of the picture, and toes nearer than heels.
    assert (by_name['left_hip'][:, 0] > by_name['right_hip'][:, 0]).all()
    assert (by_name['left_foot'][:, 2] < by_name['left_ankle'][:, 2]).all()


@pytest.mark.slow
def test_bones_keep_their_lengths(anny, ages):
    bent = [anny.bone_names.index(f'{bone}.{side}') for side in 'LR' for bone in ('upperleg01', 'lowerleg01', 'foot',
                                                                                 'upperarm01', 'lowerarm01', 'wrist')]
    pose = torch.zeros(6, 104, 3)
    pose[:, bent] = torch.randn(6, len(bent), 3, generator=torch.Generator().manual_seed(0))
    kept = [LENGTHS.index(name) for name in ('shank', 'thigh', 'spine', 'upper_arm', 'forearm')]
    one, other = (lengths(anny(turned, ages).joints)[:, kept] for turned in (pose, 0 * pose))
    torch.testing.assert_close(torch.tensor(one), torch.tensor(other), rtol=1e-4, atol=0)


@pytest.mark.slow
def test_measured_heights_hold_for_anny(anny, ages):
    output = anny(torch.zeros(104, 3), ages)
    for known in ((output.joints, ), (output.joints, output.vertices, anny.faces), (None, output.vertices, anny.faces)):
        heights, stds = measured_heights(*known)
        off = ((heights - anny.height(ages)) / stds).abs()
        assert (off[1:] < 2).all()  # newborns are none of the shapes that were measured


@pytest.mark.slow
def test_coco_joints(anny, ages):
    output = anny(torch.zeros(104, 3), ages)
    coco = dict(zip(JOINT_SETS['coco17'].names, anny.regress(output.vertices, 'coco17').unbind(1)))
    for name in ('left_knee', 'right_elbow', 'left_hip'):
        away = (coco[name] - output.joints[:, NAMES.index(name)]).norm(dim=-1)
        assert (away < .05 * anny.height(ages)).all()
    assert (coco['nose'][:, 1] < coco['left_ear'][:, 1]).all()  # faces -y
    with pytest.raises(KeyError, match='h36m17'):
        anny.regress(output.vertices, 'h36m17')
