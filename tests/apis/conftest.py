"""A tiny network with random weights on the disk, as a user would have it."""
import pytest
import torch

from mmhuman_dto.registry import MODELS

CONFIG = '''
arch = dict(embed_dims=16, depth=3, num_heads=2)
model = dict(
    type='MetricHMR',
    data_preprocessor=dict(type='HMRDataPreprocessor', input_size=112),
    backbone=dict(type='ScaleAdaptiveViT', arch=arch, input_size=112, num_additional_blocks=1, layer_scale=1.,
                  init_cfg=dict(type='Pretrained', checkpoint='not/there.pth')),
    decoder=dict(type='BoxQueryDecoder', in_dims=16, num_queries=6, num_layers=2, dims=16, num_heads=2, ffn_dims=32),
    head=dict(type='PeopleHead', dims=16, num_layers=2, num_betas=11, mean_params='not/there.npz'),
    camera_head=dict(type='FoVHead', in_dims=16),
    body_model=dict(type='OpenBody'),
    threshold=.4,
    denoising=dict(type='Denoising', dims=16, num_betas=11, num_groups=3),
    targets=dict(type='TargetEncoder'),
    criterion=dict(type='SetCriterion', losses={}, assigner=dict(type='HungarianAssigner', costs={})))
'''


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """(config file, checkpoint) of a network that finds people in everything."""
    from mmengine.config import Config

    from mmhuman_dto.engine.model import for_inference
    folder = tmp_path_factory.mktemp('tiny')
    (folder / 'tiny.py').write_text(CONFIG)
    torch.manual_seed(0)
    model = MODELS.build(for_inference(Config.fromfile(folder / 'tiny.py').model.to_dict()))
    for name, parameter in model.named_parameters():  # residuals that start at zero would hide mistakes
        if 'head' in name and parameter.abs().max() == 0:
            torch.nn.init.normal_(parameter, std=.3)
    torch.nn.init.zeros_(model.head.conf_head.bias)
    torch.nn.init.normal_(model.head.conf_head.weight, std=.5)
    torch.save(dict(state_dict=model.state_dict()), folder / 'tiny.pth')
    return folder / 'tiny.py', folder / 'tiny.pth'
