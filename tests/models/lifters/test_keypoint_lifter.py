"""The lifting network: laws of cameras that hold for any weights, what it learns, what it answers."""
import math

import pytest
import torch

from mmhuman_dto.geometry import axis_angle_to_matrix
from mmhuman_dto.models.lifters.normalise import normalise, towards
from mmhuman_dto.registry import DATASETS, MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

LOSSES = dict(
    poses=dict(type='RotationLoss', weight=10.), betas=dict(type='ShapeLoss'),
    j3ds=dict(type='Joints3DLoss', weight=20.), j2ds=dict(type='Joints2DLoss', weight=10.),
    depths=dict(type='InverseDepthLoss'), depths_mt=dict(type='RelativeMetricLoss'),
    stated_depths=dict(type='StatedDepthLoss'), stated_heights=dict(type='StatedHeightLoss'),
    stated_sizes=dict(type='StatedSizeLoss'), stated_j3ds=dict(type='StatedJointsLoss'))


def build(seed=0, random=True, **changes):
    """A small lifter; with random answers, for laws that must not hold by chance."""
    torch.manual_seed(seed)
    network = MODELS.build(dict(dict(
        type='KeypointLifter', body_model=dict(type='OpenBody'), width=32, num_blocks=1,
        criterion=dict(type='SetCriterion', assigner=dict(type='InOrder'), losses=LOSSES)), **changes))
    if random:
        torch.nn.init.normal_(network.head[1].weight, std=.1)
    return network.eval()


def people(count=6, seed=1):
    """Keypoints (N, 17, 2) px, scores (N, 17), K (N, 3, 3)."""
    gen = torch.Generator().manual_seed(seed)
    keypoints = 500 + 60 * torch.randn(count, 17, 2, generator=gen) + 150 * torch.randn(count, 1, 2, generator=gen)
    intrinsics = torch.tensor([[900., 0, 480], [0, 900, 520], [0, 0, 1]]).expand(count, 3, 3)
    return keypoints, torch.rand(count, 17, generator=gen) * .8 + .2, intrinsics


def test_rays_tell_all_whatever_the_pixels():
    """The same rays through a camera of another focal length and middle give the same bodies."""
    network, (keypoints, scores, intrinsics) = build(), people()
    other = torch.tensor([[450., 0, 100], [0, 450, 900], [0, 0, 1]]).expand(len(keypoints), 3, 3)
    moved = (keypoints - intrinsics[:, None, :2, 2]) / 2 + other[:, None, :2, 2]
    ours, theirs = network.lift(keypoints, scores, intrinsics), network.lift(moved, scores, other)
    torch.testing.assert_close(ours.joints, theirs.joints, atol=1e-4, rtol=1e-4)


def test_a_smaller_picture_of_a_person_is_farther_away():
    """Half as large on a ray: what the network is shown differs by the size alone."""
    keypoints, scores, intrinsics = people()
    middle = intrinsics[:, None, :2, 2]
    near = normalise(middle + .1 * (keypoints - keypoints.mean(1, keepdim=True)), scores, intrinsics)
    far = normalise(middle + .05 * (keypoints - keypoints.mean(1, keepdim=True)), scores, intrinsics)
    torch.testing.assert_close(near.size, 2 * far.size, rtol=1e-2, atol=0)
    torch.testing.assert_close(near.points, far.points, atol=2e-3, rtol=0)


def test_a_turned_camera_shows_the_same_person():
    """Joints turned about the camera's centre are the same along the person's ray, but for the ray itself."""
    gen = torch.Generator().manual_seed(2)
    joints = torch.randn(5, 17, 3, generator=gen) * .4 + torch.tensor([.3, -.2, 5])
    turn = axis_angle_to_matrix(torch.tensor([.1, -.25, 0]))
    intrinsics, scores = torch.eye(3).expand(5, 3, 3), torch.ones(5, 17)

    def seen(points):
        return normalise(points[..., :2] / points[..., 2:], scores, intrinsics)

    here, there = seen(joints), seen(joints @ turn.T)
    assert (here.size - there.size).abs().max() < .02 * here.size.min()
    # What is left is the roll about the ray, and that the box is upright in each picture.
    between = there.rotation @ turn @ here.rotation.transpose(1, 2)
    assert (between[:, 2, 2] > .9995).all()


def test_the_axis_points_at_the_person():
    ray = torch.tensor([[.5, -.3], [0, 0], [-2., 1.]])
    turn = towards(ray)
    torch.testing.assert_close(turn @ turn.transpose(1, 2), torch.eye(3).expand(3, 3, 3), atol=1e-6, rtol=0)
    direction = torch.nn.functional.pad(ray, (0, 1), value=1.)
    torch.testing.assert_close((turn @ direction[..., None])[:, :2, 0], torch.zeros(3, 2), atol=1e-6, rtol=0)


def test_joints_without_score_do_not_matter():
    network, (keypoints, scores, intrinsics) = build(), people()
    scores[:, 3], scores[:, 9] = 0, .05
    elsewhere = keypoints.clone()
    elsewhere[:, 3], elsewhere[:, 9] = math.nan, -5e4
    ours, theirs = network.lift(keypoints, scores, intrinsics), network.lift(elsewhere, scores, intrinsics)
    assert torch.equal(ours.joints, theirs.joints) and ours.joints.isfinite().all()
    nothing = network.lift(keypoints, scores * 0, intrinsics)
    assert nothing.joints.isfinite().all()


def test_an_untrained_network_answers_with_an_upright_person_of_the_right_size():
    network, (keypoints, scores, intrinsics) = build(random=False), people(seed=4)
    lifted = network.lift(keypoints, scores, intrinsics)
    up = lifted.joints[:, 15] - lifted.joints[:, 0]  # head over pelvis, y down
    assert (up[:, 1] < -.4).all()
    size = normalise(keypoints, scores, intrinsics).size
    # As far as a body of that spread is.
    torch.testing.assert_close(lifted.state.position.norm(dim=1) * size, torch.full_like(size, .38), rtol=.15, atol=0)
    torch.testing.assert_close(lifted.log_depth_std, torch.full_like(size, .2))


def test_it_learns_from_synthetic_keypoints():
    """A hundred steps halve the error of the joints; every loss is finite and has a gradient."""
    data = DATASETS.build(dict(type='SyntheticKeypoints', seed=1, scenes=dict(unusual=0., tilted=0.)))
    held_out = DATASETS.build(dict(type='SyntheticKeypoints', seed=2, scenes=dict(unusual=0., tilted=0.)))
    test = [held_out[i]['data_samples'] for i in range(10)]
    network = build(random=False, width=128).train()
    network.dropped = 0.
    before = network(test, mode='loss')
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    batches = [[data[8 * step + i]['data_samples'] for i in range(8)] for step in range(10)]
    for step in range(100):
        losses = network(batches[step % 10], mode='loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    after = network(test, mode='loss')
    assert set(after) == {f'loss_{name}' for name in LOSSES}
    assert after['loss_j3ds'] < .75 * before['loss_j3ds'] and after['loss_j2ds'] < .6 * before['loss_j2ds']
    assert after['loss_poses'] < .97 * before['loss_poses']
    assert after['loss_stated_sizes'] < before['loss_stated_sizes']


def test_predictions_are_rows_of_their_samples():
    network, samples = build(), []
    for count in (2, 0, 3):
        keypoints, scores, intrinsics = people(max(count, 1), seed=count)
        sample = HumanDataSample()
        sample.detected_instances = People(keypoints_2d=keypoints[:count], keypoints_2d_valid=scores[:count])
        sample.pred_camera = Camera(intrinsics=intrinsics[0])
        samples.append(sample)
    found = network(samples, mode='predict')
    assert [len(sample.pred_instances) for sample in found] == [2, 0, 3]
    last = found[2].pred_instances
    output = network.body_model(last.pose, last.betas, last.transl)
    torch.testing.assert_close(network.body_model.select_joints(output, 'coco17'), last.keypoints_3d, atol=1e-4, rtol=0)
    torch.testing.assert_close(network.body_model.height(last.betas), last.heights)
    alone = network.lift(*people(3, seed=3))
    torch.testing.assert_close(last.depths_std, alone.state.position[:, 2] * alone.log_depth_std)
    torch.testing.assert_close(last.heights_std, alone.heights * alone.log_height_std)
    assert last.keypoints_3d_std.shape == (3, 17)


@pytest.mark.parametrize('kind, joint_set', [('SMPL+A', 'coco17'), ('SMPL+A', 'smpl24'), ('OpenBody', 'crowdpose14')])
def test_other_bodies_and_joints(kind, joint_set, tmp_path):
    body_model = dict(type=kind)
    if kind != 'OpenBody':
        body_model['model_path'] = str(write_synthetic_smpl(tmp_path))
    data = DATASETS.build(dict(type='SyntheticKeypoints', body_model=body_model, joint_set=joint_set))
    network = build(body_model=body_model, joint_set=joint_set).train()
    losses = network([data[0]['data_samples']], mode='loss')
    assert all(loss.isfinite() for loss in losses.values())


def test_what_it_cannot_do_is_said():
    with pytest.raises(ValueError, match="unknown mode 'guess'"):
        build()([], mode='guess')
    sample = DATASETS.build(dict(type='SyntheticKeypoints'))[0]['data_samples']
    with pytest.raises(ValueError, match='without criterion'):
        build(criterion=None)([sample], mode='loss')


def test_joints_that_score_little_hardly_move_the_middle():
    """By the squared score: one of .2 among sixteen of .8 weighs as the sixteenth part of one of them."""
    keypoints, scores = torch.zeros(1, 17, 2), torch.full((1, 17), .8)
    keypoints[0, :8, 1], keypoints[0, 8:16, 1], keypoints[0, 16, 0], scores[0, 16] = -.01, .01, .257, .2
    local = normalise(keypoints, scores, torch.eye(3)[None])
    assert local.ray[0, 0].item() == pytest.approx(.257 / 257, rel=1e-3)
