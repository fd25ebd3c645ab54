"""From a public file by way of a table to what the network should answer, through the recipes' transforms."""
import pytest
import torch

from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.geometry import project
from mmhuman_dto.models.task_modules.target_encoder import TargetEncoder
from mmhuman_dto.tables.people_table import PeopleTableBuilder

from .conftest import BODY

SIZE = 112
VIEW = [dict(type='RandomView', input_size=SIZE), dict(type='KeepVisiblePeople', min_joints=4),
        dict(type='ColorJitter'), dict(type='PackHumanInputs')]
READ_MESHES = [dict(type='LoadImage'), dict(type='JointsFromMeshes', body_model=BODY)]


def samples_of(written, folder, pipeline, **kwargs):
    builder = PeopleTableBuilder('OpenBody')
    for sample in written.reader:
        builder.add(sample)
    builder.write(folder)
    dataset = HumanTable(written.config['data_root'], folder, pipeline=pipeline, **kwargs)
    return [dataset[i]['data_samples'] for i in range(len(dataset))]


@pytest.mark.parametrize('name, everyone', [('AGORA', True), ('BEDLAM', True), ('Hi4D', True), ('ThreeDPW', False)])
def test_meshes(public_sets, body_model, tmp_path, name, everyone):
    samples = samples_of(public_sets[name], tmp_path / 't', READ_MESHES + VIEW, num_betas=11)
    for sample in samples:
        seen = project(sample.gt_instances.keypoints_3d, sample.gt_camera.intrinsics)
        torch.testing.assert_close(sample.gt_instances.keypoints_2d, seen, atol=.01, rtol=0)
    targets = TargetEncoder()(samples, body_model, SIZE)
    assert targets.num_people == targets.known['poses'].sum() >= 3 and targets.fully_annotated == [everyone] * 3
    joints = torch.cat([sample.gt_instances.keypoints_3d for sample in samples])
    torch.testing.assert_close(targets.j3ds, joints, atol=1e-4, rtol=0)
    assert all(torch.isfinite(value).all() for value in (targets.boxes, targets.poses, targets.betas, targets.depths))


def test_relative_human(public_sets, body_model, tmp_path):
    written = public_sets['RelativeHuman']
    samples = samples_of(written, tmp_path / 't', [dict(type='LoadImage'), *VIEW])
    targets = TargetEncoder(joint_set='crowdpose14')(samples, body_model, SIZE, ['depth_layers'])
    assert not targets.known['poses'].any() and targets.fully_annotated == targets.map_known == [False] * 3
    # The one without joints in each image is left out, so every depth layer is known but by chance.
    assert targets.num_people <= sum(map(len, written.scenes)) and targets.j2ds.shape[1:] == (14, 2)
    assert targets.known['depth_layers'].all() and targets.labels['depth_layers'].max() > 0
    assert targets.j2ds_mask.any() and torch.isfinite(targets.boxes).all()
