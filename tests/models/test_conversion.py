import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from scripts import load_script

from mmhuman_dto.fileio.state_dict import unwrap
from mmhuman_dto.models.conversion import convert, convert_dinov2, convert_release, model_config
from mmhuman_dto.models.layers.position import resample_dinov2_positions
from mmhuman_dto.registry import MODELS

ROOT = Path(__file__).parents[2]
PUBLIC = ROOT / 'tests/data/parity/model_checkpoint_vitb_1288_state.json'


tool = load_script('tools/model_converters/mahmr2mmhuman.py')


def public_state():
    """The public checkpoint's names and shapes without memory for values."""
    shapes = json.loads(PUBLIC.read_text())
    return {name: torch.empty(shape, device='meta') for name, shape in shapes.items()}


def small_release(dims=8, width=8, **changes):
    """A small network with MA-HMR's names and shapes like the public file's, random values."""
    sizes = {768: dims, 2304: 3 * dims, 3072: 4 * dims, 1536: 2 * width, 384: width // 2, 92: 4, 6890: 30, 20670: 90,
             12696: 20}
    gen = torch.Generator().manual_seed(0)
    state = {name: torch.randn([sizes.get(n, n) for n in shape], generator=gen)
             for name, shape in json.loads(PUBLIC.read_text()).items()}
    return dict(state, **changes)


def dinov2_state(dims=8, depth=4):
    gen = torch.Generator().manual_seed(0)

    def rand(*shape):
        return torch.randn(*shape, generator=gen)

    state = {'cls_token': rand(1, 1, dims), 'pos_embed': rand(1, 1 + 37 * 37, dims), 'mask_token': rand(1, dims),
             'patch_embed.proj.weight': rand(dims, 3, 14, 14), 'patch_embed.proj.bias': rand(dims),
             'norm.weight': rand(dims), 'norm.bias': rand(dims)}
    for i in range(depth):
        shapes = {'norm1.weight': (dims, ), 'norm1.bias': (dims, ), 'attn.qkv.weight': (3 * dims, dims),
                  'attn.qkv.bias': (3 * dims, ), 'attn.proj.weight': (dims, dims), 'attn.proj.bias': (dims, ),
                  'ls1.gamma': (dims, ), 'norm2.weight': (dims, ), 'norm2.bias': (dims, ),
                  'mlp.fc1.weight': (4 * dims, dims), 'mlp.fc1.bias': (4 * dims, ),
                  'mlp.fc2.weight': (dims, 4 * dims), 'mlp.fc2.bias': (dims, ), 'ls2.gamma': (dims, )}
        state.update({f'blocks.{i}.{name}': rand(*shape) for name, shape in shapes.items()})
    return state


def test_public_checkpoint_is_the_published_network():
    state = public_state()
    converted = convert_release(state)
    assert len(converted.state) + len(converted.left_out) == len(state) == 687
    config = model_config(converted.state)
    assert config['backbone'] == dict(type='ScaleAdaptiveViT', input_size=1288, num_additional_blocks=3, num_levels=3,
                                      arch=dict(embed_dims=768, depth=12, num_heads=12))
    assert config['camera_head'] == dict(type='FoVHead', in_dims=768)
    assert config['head']['num_betas'] == 11 and config['decoder']['num_queries'] == 50
    with torch.device('meta'):
        expected = tool.build_parts(config, converted.state).state_dict()
    assert {k: v.shape for k, v in converted.state.items()} == {k: v.shape for k, v in expected.items()}


def test_base_config_is_the_public_checkpoints_network():
    converted = convert_release(public_state()).state
    model = Config.fromfile(ROOT / 'configs/_base_/models/metric_hmr.py').model
    with torch.device('meta'):
        expected = tool.build_parts(model, converted).state_dict()
    assert converted.keys() == expected.keys()
    # The list of the public names was recorded with a feed-forward of 64; the paper's has 2048.
    other = {name for name in converted if converted[name].shape != expected[name].shape}
    assert other == {name for name in converted if '.ffn' in name and not name.endswith('ffn2.bias')}


def test_root_box_heads_are_the_ones_in_effect():
    state = small_release()
    converted = convert_release(state)
    name = 'bbox_embed.2.layers.1.weight'
    assert torch.equal(converted.state['decoder.box_heads.2.layers.1.weight'], state[name])
    assert 'same module' in converted.left_out[f'decoder.decoder.{name}']


def test_unknown_tensors_are_refused_by_name():
    with pytest.raises(ValueError, match='1 tensors are not known as MA-HMR.*encoder.surprise'):
        convert_release(small_release(**{'encoder.surprise': torch.zeros(1)}))
    with pytest.raises(ValueError, match='DINOv2 weights: blocks.0.mlp.w12.weight, register_tokens'):
        convert_dinov2(dict(dinov2_state(), **{'blocks.0.mlp.w12.weight': torch.zeros(1),
                                               'register_tokens': torch.zeros(1)}))


@pytest.mark.parametrize('wrap', [lambda s: s, lambda s: dict(model=s, epoch=3), lambda s: dict(state_dict=s),
                                  lambda s: {f'module.{k}': v for k, v in s.items()}])
def test_state_dict_is_found_where_it_lies(wrap):
    state = dict(a=torch.ones(1), b=torch.zeros(2))
    assert unwrap(wrap(state), 'a.pth').keys() == state.keys()
    with pytest.raises(ValueError, match='a.pth: holds no state dict'):
        unwrap(dict(epoch=3, model={}), 'a.pth')


def test_dinov2_gives_positions_camera_token_and_copied_blocks():
    state = dinov2_state()
    converted = convert(state, input_size=112, num_additional_blocks=2)
    assert converted.left_out == {'mask_token': 'used in pre-training only'}
    used = converted.state
    grid = state['pos_embed'][0, 1:].view(37, 37, 8)
    assert torch.equal(used['backbone.pos_embed'], resample_dinov2_positions(grid, 8))
    assert torch.equal(used['backbone.camera_token'], state['cls_token'][0] + state['pos_embed'][0, :1])
    for i in range(2):
        assert torch.equal(used[f'backbone.additional_blocks.{i}.mlp.fc1.bias'], state[f'blocks.{i}.mlp.fc1.bias'])
        assert torch.equal(used[f'backbone.patch_embed.{i}.proj.bias'], state['patch_embed.proj.bias'])
    assert 'backbone.additional_blocks.2.mlp.fc1.bias' not in used


@pytest.mark.parametrize('blocks', [0, 2])
def test_converted_dinov2_initialises_a_backbone(tmp_path, blocks, capsys):
    torch.save(dinov2_state(), tmp_path / 'in.pth')
    args = [str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth'), '--input-size', '112', '--num-heads', '2',
            '--additional-blocks', str(blocks), '--verify']
    assert tool.main(args) == 0
    assert 'verified' in capsys.readouterr().out
    config = dict(arch=dict(embed_dims=8, depth=4, num_heads=2), input_size=112, init_cfg=dict(
        type='Pretrained', checkpoint=str(tmp_path / 'out.pth'), prefix='backbone.'))
    config.update(dict(type='ScaleAdaptiveViT', num_additional_blocks=blocks) if blocks else
                  dict(type='VisionTransformer'))
    backbone = MODELS.build(config)
    backbone.init_weights()
    assert torch.equal(backbone.blocks[3].attn.qkv.weight, dinov2_state()['blocks.3.attn.qkv.weight'])


def test_converted_release_is_verified_in_the_network(tmp_path, capsys):
    state = small_release()
    torch.save(dict(model=state), tmp_path / 'in.bin')
    args = [str(tmp_path / 'in.bin'), str(tmp_path / 'sub/out.pth'), '--num-heads', '2', '--verify']
    assert tool.main(args) == 0
    printed = capsys.readouterr().out
    assert 'left out  human_model.layer_n.shapedirs: the body model' in printed
    assert '639 tensors from 687, 48 left out' in printed and 'verified: all 639' in printed


@pytest.mark.parametrize('change, message', [
    ({'conf_head.bias': torch.zeros(2)}, 'head.conf_head.bias: shape (2,), the model has (1,)'),
    ({'encoder.blocks.12.ls1.gamma': torch.zeros(8)}, 'backbone.blocks.12.attn.qkv.weight: the model has it'),
    ({'scale_head.layers.4.bias': torch.zeros(1)}, 'backbone.scale_head.layers.4.bias: written but the model has no')])
def test_what_does_not_fit_is_named(tmp_path, capsys, change, message):
    torch.save(small_release(**change), tmp_path / 'in.pth')
    assert tool.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth'), '--num-heads', '2', '--verify']) == 1
    assert message in capsys.readouterr().out


def test_file_that_would_run_code_is_refused(tmp_path):
    torch.save(dict(model=Path('x')), tmp_path / 'in.pth')
    with pytest.raises(SystemExit, match='in.pth: refused'):
        tool.main([str(tmp_path / 'in.pth'), str(tmp_path / 'out.pth')])
    assert not (tmp_path / 'out.pth').exists()
