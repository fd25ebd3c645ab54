"""A tiny network with random weights on the disk, as a user would have it."""
import pytest
import tiny_network
import torch
from mmengine.config import Config

from mmhuman_dto.engine.model import for_inference
from mmhuman_dto.registry import MODELS


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """(config file, checkpoint) of a network that finds people in everything."""
    folder = tmp_path_factory.mktemp('tiny')
    config = tiny_network.config(threshold=.4, denoising=dict(type='Denoising', dims=16, num_betas=11, num_groups=3))
    config['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='not/there.pth')
    config['head']['mean_params'] = 'not/there.npz'
    Config(dict(model=config)).dump(folder / 'tiny.py')
    torch.manual_seed(0)
    model = MODELS.build(for_inference(config))
    for name, parameter in model.named_parameters():  # residuals that start at zero would hide mistakes
        if 'head' in name and parameter.abs().max() == 0:
            torch.nn.init.normal_(parameter, std=.3)
    torch.nn.init.zeros_(model.head.conf_head.bias)
    torch.nn.init.normal_(model.head.conf_head.weight, std=.5)
    torch.save(dict(state_dict=model.state_dict()), folder / 'tiny.pth')
    return folder / 'tiny.py', folder / 'tiny.pth'
