"""A tiny network with every loss, pictures and people for it."""
import torch

from mmhuman_dto.registry import MODELS
from mmhuman_dto.structures import Camera, HumanDataSample, People

LOSSES = dict(
    confs='ConfidenceLoss', boxes='BoxLoss', giou='GIoULoss', poses='PoseLoss', betas='ShapeLoss', j3ds='Joints3DLoss',
    j2ds='Joints2DLoss', depths='InverseDepthLoss', depths_mt='RelativeMetricLoss', map_confs='ScaleMapConfidenceLoss',
    map_scales='ScaleMapLoss', fov='FoVLoss')
COSTS = dict(confs='ConfidenceCost', boxes='BoxL1Cost', giou='GIoUCost', j2ds='KeypointCost')


def typed(names):
    return {name: dict(type=kind) for name, kind in names.items()}


def config(**changes):
    arch = dict(embed_dims=16, depth=3, num_heads=2)
    return dict(dict(
        type='MetricHMR',
        data_preprocessor=dict(type='HMRDataPreprocessor', input_size=112),
        backbone=dict(type='ScaleAdaptiveViT', arch=arch, input_size=112, num_additional_blocks=1, layer_scale=1.),
        decoder=dict(type='BoxQueryDecoder', in_dims=16, num_queries=6, num_layers=2, dims=16, num_heads=2,
                     ffn_dims=32),
        head=dict(type='PeopleHead', dims=16, num_layers=2, num_betas=11),
        camera_head=dict(type='FoVHead', in_dims=16),
        body_model=dict(type='OpenBody'), targets=dict(type='TargetEncoder'),
        criterion=dict(
            type='SetCriterion', assigner=dict(type='HungarianAssigner', costs=typed(COSTS)), losses=typed(LOSSES))),
        **changes)


def build(seed=0, **changes):
    torch.manual_seed(seed)
    model = MODELS.build(config(**changes)).eval()
    for name, parameter in model.named_parameters():  # residuals that start at zero would hide mistakes
        if 'heads' in name and parameter.abs().max() == 0:
            torch.nn.init.normal_(parameter, std=.3)
    return model


def images(*sizes):
    gen = torch.Generator().manual_seed(1)
    return [torch.randint(0, 256, (3, *size), generator=gen, dtype=torch.uint8) for size in sizes]


def sample(size, num_people=0, seed=0):
    gen = torch.Generator().manual_seed(seed)
    transl = torch.randn(num_people, 3, generator=gen) * .5 + torch.tensor([0, 0, 5.])
    orient = torch.tensor([3.1, 0, 0]).expand(num_people, 3)
    people = People(
        num_people=num_people, global_orient=orient, body_pose=torch.randn(num_people, 23, 3, generator=gen) * .2,
        betas=torch.randn(num_people, 11, generator=gen) * .3, transl=transl)
    camera = Camera(intrinsics=torch.tensor([[100., 0, size[1] / 2], [0, 100, size[0] / 2], [0, 0, 1]]))
    return HumanDataSample(gt_instances=people, gt_camera=camera)


def prepared(model, data, samples):
    return model.data_preprocessor(dict(inputs=data, data_samples=samples))
