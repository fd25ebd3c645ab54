import pytest
import torch
from torch import nn

from mmhuman_dto.engine.optim import AutocastOptimWrapper, LayerDecayConstructor


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.blocks = nn.Linear(3, 3), nn.ModuleList(nn.Linear(3, 3) for _ in range(3))
        self.head = nn.Linear(3, 1)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def test_autocast_computes_in_bfloat16_and_steps_in_float32():
    torch.manual_seed(0)
    model = Tower()
    before = model.head.weight.clone()
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=.1))
    with wrapper.optim_context(model):
        y = model(torch.rand(4, 3))
    assert y.dtype == torch.bfloat16
    wrapper.update_params(y.float().square().mean())
    assert model.head.weight.dtype == torch.float32 and not torch.equal(model.head.weight, before)
    assert model(torch.rand(4, 3)).dtype == torch.float32


def test_rates_fall_with_depth_and_vectors_do_not_decay():
    model = Tower()
    model.blocks[0].bias.requires_grad_(False)
    constructor = LayerDecayConstructor(
        dict(type='mmhuman_dto.AutocastOptimWrapper', optimizer=dict(type='AdamW', lr=1., weight_decay=.2)),
        dict(layer_decay=.5, num_layers=3, block_pattern=r'^blocks\.(\d+)\.', before_pattern='^embed'))
    wrapper = constructor(model)
    assert isinstance(wrapper, AutocastOptimWrapper)
    settings = {}
    for group in wrapper.optimizer.param_groups:
        for param in group['params']:
            settings[id(param)] = group['lr'], group['weight_decay']
    expected = {'embed': .5**4, 'blocks.0': .5**3, 'blocks.1': .5**2, 'blocks.2': .5, 'head': 1.}
    for name, param in model.named_parameters():
        if name == 'blocks.0.bias':
            assert id(param) not in settings
            continue
        rate, decay = settings[id(param)]
        assert rate == pytest.approx(expected[name.rsplit('.', 1)[0]]), name
        assert decay == (0. if name.endswith('bias') else .2), name
