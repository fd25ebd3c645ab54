"""People of whom different things are annotated, in one batch: each gives the losses that it gives alone."""
import pytest
import torch
from parity.losses import COSTS, LOSSES

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.geometry import project
from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import TargetEncoder
from mmhuman_dto.models.task_modules.matched import Matched
from mmhuman_dto.structures import Camera, HumanDataSample, People

LOSSES = dict(LOSSES, rotations='RotationLoss')
SIZE, QUERIES, LAYERS, CELLS = 112, 6, 2, 16


@pytest.fixture(scope='module')
def body():
    return OpenBody()


def sample(body, seed, count, keep, camera=True, **meta):
    """``count`` people in random poses, all of whose annotations are there, of which the fields ``keep`` stay."""
    gen = torch.Generator().manual_seed(seed)
    pose = torch.randn(count, 24, 3, generator=gen) * .2 + torch.tensor([[3.1, 0, 0]] + [[0, 0, 0]] * 23)
    transl = torch.randn(count, 3, generator=gen) * torch.tensor([.4, .2, .5]) + torch.tensor([0, 0, 5.])
    betas = torch.randn(count, 11, generator=gen) * .3
    intrinsics = torch.tensor([[100., 0, SIZE / 2], [0, 100, SIZE / 2], [0, 0, 1]])
    joints = body(pose, betas, transl).joints
    pixels = project(joints, intrinsics.expand(count, 3, 3))
    fields = dict(
        global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas, transl=transl, keypoints_3d=joints,
        keypoints_2d=pixels, keypoints_2d_valid=torch.rand(count, 45, generator=gen) > .3,
        bboxes=torch.cat([pixels.amin(1), pixels.amax(1)], -1), depth_layers=torch.arange(count) % 2,
        has_mesh=torch.arange(count) % 2 == 0)
    result = HumanDataSample(metainfo=dict(img_shape=(SIZE, SIZE), joint_set='smpl45', **meta))
    result.gt_instances = People(num_people=count, **{name: fields[name] for name in keep})
    if camera:
        result.gt_camera = Camera(intrinsics=intrinsics)
    return result


MESH, JOINTS = ('global_orient', 'body_pose', 'betas', 'transl'), ('keypoints_2d', 'keypoints_2d_valid')


@pytest.fixture(scope='module')
def samples(body):
    return [
        sample(body, 0, 2, MESH),
        sample(body, 1, 1, MESH, has_3d=False),
        sample(body, 2, 3, JOINTS, camera=False, fully_annotated=False),
        sample(body, 3, 3, (*JOINTS, 'keypoints_3d', 'depth_layers')),
        sample(body, 4, 0, (), camera=False),
        sample(body, 5, 4, (*MESH, *JOINTS, 'has_mesh')),
        sample(body, 6, 2, ('bboxes', ), camera=False),
    ]


def answers(images):
    """Random outputs of a network; those of an image do not depend on which others there are."""
    rows = dict(confs=(1, ), boxes=(4, ), poses=(72, ), betas=(11, ), j3ds=(45, 3), j2ds=(45, 2), depths=(2, ))
    rand = [torch.Generator().manual_seed(100 + i) for i in images]
    layers = {f'pred_{name}': torch.stack([torch.rand(LAYERS, QUERIES, *row, generator=gen) for gen in rand], 1)
              for name, row in rows.items()}
    layers['pred_depths'][..., 0] += 4
    layers['pred_j2ds'] *= SIZE
    intrinsics = torch.stack([torch.eye(3) + torch.rand(3, 3, generator=gen) for gen in rand]) * 100
    return dict(layers=layers, scale_map=torch.cat([torch.rand(CELLS, 2, generator=gen) for gen in rand]),
                pred_intrinsics=intrinsics[:, None])


def criterion():
    """The losses before they are divided by their counts."""
    result = SetCriterion(dict(type='HungarianAssigner', costs=COSTS),
                          {name: dict(type=kind) for name, kind in LOSSES.items()})
    result._shared_counts = lambda totals, counts: [1.] * len(totals)
    return result


def test_images_give_together_what_they_give_alone(body, samples):
    encoder, losses = TargetEncoder(), criterion()

    def run(images):
        return losses(answers(images), encoder([samples[i] for i in images], body, SIZE, losses.labels))

    together, alone = run(range(len(samples))), [run([i]) for i in range(len(samples))]
    assert len(together) == LAYERS * len(LOSSES) - 3    # the camera's and the map's are given once
    for name, value in together.items():
        torch.testing.assert_close(value, sum(one[name] for one in alone), rtol=1e-5, atol=1e-5, msg=name)
    gives = {name: [i for i, one in enumerate(alone) if one[name]] for name in ('loss_poses', 'loss_j3ds', 'loss_j2ds',
             'loss_boxes', 'loss_depths_mt', 'loss_depths_re', 'loss_map_scales', 'loss_fov')}
    assert gives == dict(
        loss_poses=[0, 5], loss_j3ds=[0, 3, 5], loss_j2ds=[0, 1, 2, 3, 5], loss_boxes=[0, 1, 2, 3, 5, 6],
        loss_depths_mt=[0, 3, 5], loss_depths_re=[0, 3, 5],
        loss_map_scales=[0, 1, 5], loss_fov=[0, 1, 3, 5])


@pytest.mark.parametrize('name', ['boxes', 'giou', 'poses', 'rotations', 'betas', 'j3ds', 'j2ds', 'depths'])
def test_a_person_gives_among_others_what_it_gives_alone(body, samples, name):
    encoder, loss = TargetEncoder(), criterion().losses[name]
    outputs, counts = answers(range(len(samples))), [len(sample.gt_instances) for sample in samples]
    outputs = {**outputs, **outputs['layers']}
    places = [(image, row) for image, count in enumerate(counts) for row in range(count)]
    query = torch.tensor([[image * QUERIES + row for image, row in places]] * LAYERS)
    person = torch.arange(len(places)).expand(LAYERS, -1)
    targets = encoder(samples, body, SIZE)
    together, count = loss(Matched(outputs, targets, query, person, targets.fully_annotated))
    totals = []
    for image, row in places:
        one = samples[image].clone()
        one.gt_instances = one.gt_instances[[row]]
        targets = encoder([one], body, SIZE)
        first = torch.zeros(LAYERS, 1, dtype=torch.long)
        mine = {key: value[:, image, None, row, None] for key, value in outputs['layers'].items()}
        total, has = loss(Matched(mine, targets, first, first, targets.fully_annotated))
        assert has == 1 or (total == 0).all()
        totals.append((total, has))
    torch.testing.assert_close(together, sum(total for total, _ in totals), rtol=1e-5, atol=1e-5)
    assert count == sum(has for _, has in totals) > 0
