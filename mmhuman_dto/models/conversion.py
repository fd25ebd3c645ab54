"""Weights of other projects under our parameter names, strictly: every tensor is used or left out for a reason."""
import re
from typing import NamedTuple

from .backbones.vit import ARCHITECTURES, PATCH
from .layers.position import resample_dinov2_positions

_ATTENTION = {'qcontent_proj': 'query_content', 'qpos_proj': 'query_position', 'kcontent_proj': 'key_content',
              'kpos_proj': 'key_position', 'v_proj': 'value', 'qpos_sine_proj': 'query_sine', 'out_proj': 'out'}
_ATTENTION_NAMES = '|'.join(_ATTENTION)

#: (pattern of a MA-HMR / SAT-HMR parameter, our name); the first that matches the whole name counts.
_RELEASE_NAMES = [(re.compile(pattern), name) for pattern, name in (
    (r'encoder_cr_token', 'backbone.camera_token'),
    (r'encoder_pos_embeds', 'backbone.pos_embed'),
    (r'encoder_patch_proj\.(\d)\.(\w+)', r'backbone.patch_embed.\1.proj.\2'),
    (r'encoder_patch_proj\.(weight|bias)', r'backbone.patch_embed.proj.\1'),
    (r'encoder\.((?:blocks|additional_blocks|norm)\..+)', r'backbone.\1'),
    (r'enc_inter_norm\.(.+)', r'backbone.inter_norm.\1'),
    (r'scale_head\.(.+)', r'backbone.scale_head.\1'),
    (r'fov_head\.(.+)', r'camera_head.mlp.\1'),
    (r'feature_proj\.(.+)', r'decoder.memory_proj.\1'),
    (r'level_embed', 'decoder.level_embed'),
    (r'refpoint_embed\.(.+)', r'decoder.query_box.\1'),
    (r'tgt_embed\.(.+)', r'decoder.query_content.\1'),
    (rf'decoder\.decoder\.layers\.(\d+)\.sa_({_ATTENTION_NAMES})\.(\w+)',
     lambda m: f'decoder.layers.{m[1]}.self_attn.{_ATTENTION[m[2]]}.{m[3]}'),
    (rf'decoder\.decoder\.layers\.(\d+)\.ca_({_ATTENTION_NAMES})\.(\w+)',
     lambda m: f'decoder.layers.{m[1]}.cross_attn.{_ATTENTION[m[2]]}.{m[3]}'),
    (r'decoder\.decoder\.layers\.(\d+)\.linear([12])\.(\w+)', r'decoder.layers.\1.ffn\2.\3'),
    (r'decoder\.decoder\.layers\.(\d+)\.(norm[123]\.\w+)', r'decoder.layers.\1.\2'),
    (r'decoder\.decoder\.norm\.(\w+)', r'decoder.norm.\1'),
    (r'decoder\.decoder\.ref_point_head\.(.+)', r'decoder.position_head.\1'),
    (r'decoder\.decoder\.query_scale\.(.+)', r'decoder.sine_scale.\1'),
    (r'decoder\.decoder\.ref_anchor_head\.(.+)', r'decoder.anchor_head.\1'),
    (r'bbox_embed\.(.+)', r'decoder.box_heads.\1'),
    (r'pose_head\.(.+)', r'head.pose_heads.\1'),
    (r'shape_head\.(.+)', r'head.shape_heads.\1'),
    (r'cam_head\.(.+)', r'head.camera_head.\1'),
    (r'conf_head\.(.+)', r'head.conf_head.\1'),
    (r'(mean_pose|mean_shape)', r'head.\1'),
)]

#: (pattern, why it is left out).
_RELEASE_LEFT_OUT = [(re.compile(pattern), reason) for pattern, reason in (
    (r'decoder\.decoder\.bbox_embed\..+', 'the same module as bbox_embed.*, which is used'),
    (r'human_model\..+', 'the body model, loaded from its own licensed files'),
    (r'cam_intrinsics', 'follows from input_size'),
    (r'z_order_map|[xy]_coords', 'the Z order of a grid is computed'),
)]
_DINOV2_USED = re.compile(r'(blocks\.\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12])\.(weight|bias)'
                          r'|blocks\.\d+\.ls[12]\.gamma|norm\.(weight|bias)|patch_embed\.proj\.(weight|bias))')


class Converted(NamedTuple):
    """Weights under our names."""
    state: dict  # our name -> tensor
    left_out: dict  # their name -> reason, for what is not used


def convert(state, **dinov2_options):
    """Convert weights of DINOv2 (recognised by its ``cls_token``) or of MA-HMR / SAT-HMR."""
    return convert_dinov2(state, **dinov2_options) if 'cls_token' in state else convert_release(state)


def convert_release(state):
    """MA-HMR or SAT-HMR weights -> :class:`Converted`.

    Raises:
        ValueError: tensors whose use is not known, by name.
    """
    used, left_out, unknown = {}, {}, []
    for name, value in state.items():
        ours = next((match.expand(new) if isinstance(new, str) else new(match) for pattern, new in _RELEASE_NAMES
                     if (match := pattern.fullmatch(name))), None)
        reason = next((reason for pattern, reason in _RELEASE_LEFT_OUT if pattern.fullmatch(name)), None)
        if ours:
            used[ours] = value
        elif reason:
            left_out[name] = reason
        else:
            unknown.append(name)
    _refuse_unknown(unknown, 'MA-HMR or SAT-HMR')
    return Converted(used, left_out)


def convert_dinov2(state, input_size=1288, num_additional_blocks=3):
    """DINOv2 weights -> :class:`Converted`: a backbone only; what DINOv2 lacks (scale head) is not in it.

    Args:
        input_size: long side the backbone is for, px; the positions are resampled to it once.
        num_additional_blocks: of the scale-adaptive backbone, copies of the first blocks; 0: the plain backbone.

    Raises:
        ValueError: tensors whose use is not known, by name (registers and gated MLPs are not supported).
    """
    state = dict(state)
    left_out = {'mask_token': 'used in pre-training only'} if state.pop('mask_token', None) is not None else {}
    class_token, positions = state.pop('cls_token'), state.pop('pos_embed')
    _refuse_unknown([name for name in state if not _DINOV2_USED.fullmatch(name)], 'DINOv2')

    side = round((positions.shape[1] - 1)**.5)
    grid = positions[0, 1:].float().unflatten(0, (side, side))
    used = {'backbone.camera_token': class_token[0] + positions[0, :1],
            'backbone.pos_embed': resample_dinov2_positions(grid, input_size // PATCH)}
    for name, value in state.items():
        if num_additional_blocks and name.startswith('patch_embed.'):
            for level in range(2):
                used[name.replace('patch_embed.', f'backbone.patch_embed.{level}.')] = value.clone()
            continue
        used[f'backbone.{name}'] = value
        if name.startswith('blocks.') and int(name.split('.')[1]) < num_additional_blocks:
            used[f'backbone.additional_{name}'] = value.clone()
    return Converted(used, left_out)


def _refuse_unknown(names, source):
    if names:
        raise ValueError(f'{len(names)} tensors are not known as {source} weights: {", ".join(sorted(names)[:20])}'
                         f'{", ..." if len(names) > 20 else ""}')


def model_config(state, num_heads=None):
    """Config of the parts (backbone, decoder, head, camera_head) that weights under our names belong to.

    Everything is read from the shapes, except heads of attention: the encoder's are those of the known sizes of ViT
    (or ``num_heads``), the decoder has 4.

    Raises:
        ValueError: an unknown width of the encoder without ``num_heads``.
    """
    dims = state['backbone.camera_token'].shape[-1]
    num_heads = num_heads or next((heads for width, _, heads in ARCHITECTURES.values() if width == dims), None)
    if num_heads is None:
        raise ValueError(f'no known ViT has {dims} channels: state the number of heads')
    input_size = len(state['backbone.pos_embed']) * PATCH
    backbone = dict(type='VisionTransformer', input_size=input_size,
                    arch=dict(embed_dims=dims, depth=_count(state, 'backbone.blocks'), num_heads=num_heads))
    num_levels = len(state.get('decoder.level_embed', ()))
    additional = _count(state, 'backbone.additional_blocks')
    if additional:
        backbone.update(type='ScaleAdaptiveViT', num_additional_blocks=additional, num_levels=num_levels or 3)
    config = dict(backbone=backbone)
    if 'decoder.norm.weight' not in state:
        return config
    queries, width = state['decoder.query_content.weight'].shape
    num_layers = _count(state, 'decoder.layers')
    config['decoder'] = dict(
        type='BoxQueryDecoder', in_dims=dims, num_queries=queries, num_layers=num_layers, dims=width,
        ffn_dims=len(state['decoder.layers.0.ffn1.bias']), num_levels=num_levels)
    config['head'] = dict(
        type='PeopleHead', dims=width, num_layers=num_layers,
        num_joints=len(state['head.pose_heads.0.layers.5.bias']) // 6,
        num_betas=len(state['head.shape_heads.0.layers.4.bias']))
    branch = 'camera_head.mlp.layers.0.bias' in state
    config['camera_head'] = (dict(type='FoVHead', in_dims=dims) if branch else
                             dict(type='FixedFoV', input_size=input_size))
    return config


def network_key(config):
    """What tells apart the networks of model configs: equal for :func:`model_config` of weights and their config.

    None for encoders that are no ViT, which it does not know.
    """
    backbone, decoder, head = config['backbone'], config['decoder'], config['head']
    if 'arch' not in backbone:
        return None
    arch = backbone['arch']
    width, depth = ARCHITECTURES[arch][:2] if isinstance(arch, str) else (arch['embed_dims'], arch['depth'])
    return (width, depth, backbone['input_size'], backbone['num_additional_blocks'], decoder['dims'],
            decoder['num_layers'], decoder['num_queries'], head['num_betas'], config['camera_head']['type'])


def _count(state, prefix):
    return len({name[len(prefix) + 1:].split('.')[0] for name in state if name.startswith(f'{prefix}.')})
