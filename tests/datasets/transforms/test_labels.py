"""What is not sure goes: meshes, sizes, distances and focal lengths, each by its own bound; nothing else changes."""
import pytest
import torch

from mmhuman_dto.datasets.transforms import JointsFromMeshes, RandomView, TrustLabels
from mmhuman_dto.models.task_modules import TargetEncoder

NAN = float('nan')


@pytest.fixture
def labelled(make_sample):
    """Five people, 5 to 7 m away, 1.7 m tall: the second is hardly seen, the next are not sure in one thing each."""
    sample = make_sample(count=5)
    people, seen = sample.gt_instances, torch.full((5, 17), .7)
    del people.bboxes, people.masks, people.keypoints_3d, people.keypoints_3d_valid
    people.keypoints_2d, people.keypoints_2d_valid = people.keypoints_2d[:, 24:41], seen
    seen[1, 4:] = 0
    people.heights_std = torch.tensor([.2, .2, .3, .2, NAN])     # .3 / 1.7 = .18
    people.depths_std = torch.tensor([.3, .3, .3, 1.2, .3])
    sample.set_metainfo(dict(joint_set='coco17', focal_std=.05))
    return sample


def test_each_bound_takes_what_it_is_about(labelled):
    sample = TrustLabels()(labelled)
    people = sample.gt_instances
    assert people.has_mesh.tolist() == [True, False, True, True, True]
    assert people.has_shape.tolist() == [True, True, False, True, False]
    assert people.has_depth.tolist() == [True, True, True, False, True]
    assert sample.has_focal and not TrustLabels(max_focal_std=.04)(sample).has_focal
    wide = TrustLabels(min_joints=4, max_height_std=.2, max_depth_std=.3)(labelled).gt_instances
    assert wide.has_mesh.tolist() == [True, False, True, True, True]    # whoever had none before has none
    assert wide.has_shape.tolist() == [True, True, True, True, False] and wide.has_depth.all()


def test_what_a_table_does_not_say_is_trusted(make_sample):
    sample = make_sample()
    del sample.gt_instances.keypoints_2d_valid
    people = TrustLabels()(sample).gt_instances
    assert sample.has_focal and not {'has_mesh', 'has_shape', 'has_depth'} & set(people.keys())


def test_the_network_is_asked_for_what_is_left(labelled, body):
    """The person hardly seen keeps its four joints; of others the unsure targets alone are unknown."""
    sample = JointsFromMeshes(dict(type='OpenBody'))(TrustLabels()(labelled))
    sample = RandomView(112, rotation=20, flip=1.)(sample)
    targets = TargetEncoder()([sample], body, 112)
    names = ('boxes', 'j2ds', 'poses', 'betas', 'j3ds', 'depths')
    has = {name: targets.known[name].tolist() for name in names}
    assert has['boxes'] == has['j2ds'] == [True] * 5 and has['poses'] == [True, False, True, True, True]
    assert has['betas'] == has['j3ds'] == [True, False, False, True, False]
    assert has['depths'] == [True, False, True, False, True]
    assert targets.j2ds_mask[:, :, 0].sum(1).tolist() == [45, 4, 45, 45, 45]
    assert targets.focals.isfinite().all() and targets.map_known == [False]
    sample.set_metainfo(dict(has_focal=False))
    unknown = TargetEncoder()([sample], body, 112)
    assert unknown.focals.isnan().all() and unknown.depths.isfinite().all()
    assert torch.equal(unknown.known['depths'], targets.known['depths'])
