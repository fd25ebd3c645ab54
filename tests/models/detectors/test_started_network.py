"""A network whose people are found by its encoder: it starts from the lifter's bodies and learns beside them."""
import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.models.detectors import MetricHMR
from mmhuman_dto.registry import MODELS

SIZE, SLOTS, QUERIES = 128, 6, 8


def config():
    body_model, criterion = dict(type='OpenBody'), dict(
        type='SetCriterion', assigner=dict(type='HungarianAssigner', costs=dict(j2ds=dict(type='KeypointCost'))),
        losses=dict(confs=dict(type='ConfidenceLoss'), poses=dict(type='RotationLoss'), j2ds=dict(type='Joints2DLoss'),
                    depths=dict(type='InverseDepthLoss')))
    return dict(
        type='MetricHMR', body_model=body_model, criterion=criterion,
        targets=dict(type='TargetEncoder', scale_map=False),
        data_preprocessor=dict(
            type='HMRDataPreprocessor', input_size=SIZE, mean=(0., ) * 3, std=(1., ) * 3, pad_multiple=32),
        backbone=dict(type='MoveNetBackbone', input_size=SIZE, dims=32, depth=1, num_heads=2, num_people=SLOTS),
        decoder=dict(type='BoxQueryDecoder', in_dims=32, num_queries=QUERIES, num_layers=2, dims=32, num_heads=2,
                     ffn_dims=32, num_levels=0),
        head=dict(type='PeopleHead', dims=32, num_layers=2, num_betas=11, depths=(2, 2)),
        camera_head=dict(type='FoVHead', in_dims=32),
        lifter=dict(type='KeypointLifter', body_model=body_model, width=16, num_blocks=1))


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = MODELS.build(config())
    torch.nn.init.normal_(model.start.lifter.head[1].weight, std=.02)  # bodies that differ
    return model


@pytest.fixture(scope='module')
def batch():
    crowd = SyntheticCrowd(scenes=dict(size=(96, 128), people=(2, 3)), seed=4, pipeline=[dict(type='PackHumanInputs')])
    return pseudo_collate([crowd[i] for i in range(2)])


def prepared(model, batch):
    return model.data_preprocessor(dict(inputs=list(batch['inputs']), data_samples=batch['data_samples']))


@torch.no_grad()
def test_before_training_it_answers_what_the_lifter_does(model, batch):
    data = prepared(model.eval(), batch)
    outputs = model(**data)
    people, intrinsics = model.backbone(data['inputs']).people, outputs['pred_intrinsics'][:, 0]
    assert people.known.any()
    for i, slot in people.known.nonzero().tolist():
        lifted = model.start.lifter.lift(people.joints[i, slot:slot + 1] * SIZE, people.scores[i, slot:slot + 1],
                                         intrinsics[i:i + 1])
        torch.testing.assert_close(outputs['pred_betas'][i, slot], lifted.state.betas[0])
        bones = lifted.joints[0, :24]
        torch.testing.assert_close(outputs['pred_j3ds'][i, slot, :24], bones, rtol=1e-3, atol=1e-3)
    confs = outputs['pred_confs'][:, :SLOTS, 0]
    assert (confs[people.known] > .25).all() and (confs[~people.known] < .1).all()


def test_a_step_trains_all_but_the_lifter(model, batch):
    model.train()
    losses = model(**prepared(model, batch), mode='loss')
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        if name.startswith('start.lifter.'):
            assert parameter.grad is None and not parameter.requires_grad
        elif name.startswith(('backbone.', 'start.embed.', 'decoder.layers.')):
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert not model.start.lifter.training


@torch.no_grad()
def test_pictures_without_people(model):
    model.eval()
    outputs = model.outputs([torch.full((3, 96, 128), 127.)], [(96, 128)])
    assert all(value.isfinite().all() for value in outputs['layers'].values())
    assert (outputs['pred_confs'] < model.threshold).all()


def test_its_checkpoint_has_the_lifter_but_not_movenet(model):
    names = model.state_dict()
    assert any(name.startswith('start.lifter.') for name in names)
    assert not any('movenet' in name for name in names)
    assert isinstance(model, MetricHMR)
