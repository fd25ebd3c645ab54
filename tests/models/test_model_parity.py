"""The network, its losses and its training step beside records of the public release (``check_parity.py``)."""
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from check_parity import main as check_parity
from parity._figures import load
from parity.model import compare, run_model

FOLDER = Path(__file__).parents[1] / 'data/parity'


@pytest.mark.parametrize('name, shown', [
    ('model_kid_fov', ['pred_poses', 'pred_j2ds', 'pred_verts', 'scale_map', 'token_level_counts']),
    ('model_plain', ['pred_poses', 'pred_j2ds', 'pred_verts', 'scale_map', 'token_level_counts']),
    ('model_no_empty_quad', ['token_level_counts', 'other/out/pred_poses', 'other/out/token_level_counts']),
    ('losses_stage3', ['match/', 'loss/poses', 'loss/depths_mt', 'loss/map_scales', 'loss/fov', 'loss/confs.1']),
    ('losses_relative', ['match/', 'loss/poses', 'loss/depths_re', 'loss/j2ds.0']),
    ('gradients_a', ['target/scale_map', 'match/aux1/', 'loss/fov', 'worst of 368', 'boxes_only/worst of 368',
                     'dn/query_boxes', 'dn/query_content', 'dn/loss/confs_dn.1', 'dn/total', 'dn/worst of 370']),
    ('gradients_b', ['target/j2ds', 'pred/aux0/pred_boxes', 'worst of 305', 'boxes_only/worst of 305',
                     'dn/match/aux0/', 'dn/loss/poses_dn', 'dn/worst of 307'])])
def test_same_as_the_public_release(capsys, name, shown):
    assert check_parity([name.split('_')[0], str(FOLDER / f'{name}.npz')]) == 0
    output = capsys.readouterr().out
    assert all(key in output for key in shown), output


def changed(folder, name, keys, dropped=()):
    """A copy of a file whose entries ``keys`` are others."""
    data = {key: value for key, value in load(FOLDER / f'{name}.npz').items() if not key.startswith(tuple(dropped))}
    for key in keys:
        value = data[key]
        data[key] = value * np.array(1.01, value.dtype) if value.dtype.kind == 'f' else np.roll(value, 1)
    np.savez(folder / 'changed.npz', **data)
    shutil.copy(FOLDER / f'{name}_state.json', folder / 'changed_state.json')
    return folder / 'changed.npz'


@pytest.mark.parametrize('name, keys, dropped', [
    ('model_plain', ['out/pred_poses', 'out/pred_transl', 'out/token_level_counts'], []),
    ('gradients_b', ['token_level_counts', 'match/aux0/1', 'loss/confs.0', 'total', 'grad/refpoint_embed.weight',
                     'grad_norm/encoder.blocks.0.attn.qkv.weight', 'grad_dot/encoder.blocks.3.mlp.fc2.weight',
                     'grad_values/encoder_pos_embeds', 'pred/aux1/pred_boxes'], ['boxes_only/', 'dn/'])])
def test_notices_other_results(tmp_path, capsys, name, keys, dropped):
    """What is recorded wrongly is named, and nothing else."""
    assert check_parity([name.split('_')[0], str(changed(tmp_path, name, keys, dropped))]) == 1
    off = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.endswith('OFF')} - {'worst'}
    assert off == {key.removesuffix('1') if key.startswith('match') else key for key in keys}


def variant(folder, change, joints=45):
    """A file of another kind of network made from ``model_plain``, without recorded outputs."""
    shapes = json.loads((FOLDER / 'model_plain_state.json').read_text())
    kept = {key: value for key, value in load(FOLDER / 'model_plain.npz').items() if key.startswith(
        ('image_', 'img_size_', *(['override/'] if change == 'two levels' else [])))}
    if change == 'two levels':
        shapes['level_embed'] = [2, 32]
    if change == 'no scale adaptation':
        dropped = ('level_embed', 'enc_inter_norm', 'scale_head', 'encoder.additional_blocks', 'encoder_patch_proj')
        patch = {f'encoder_patch_proj.{part}': shapes[f'encoder_patch_proj.0.{part}'] for part in ('weight', 'bias')}
        shapes = {**{name: shape for name, shape in shapes.items() if not name.startswith(dropped)}, **patch}
    kept['out/pred_j3ds'] = np.zeros((2, 10, joints, 3), np.float32)
    (folder / 'variant_state.json').write_text(json.dumps(shapes))
    return folder / 'variant.npz', kept


@pytest.mark.parametrize('change', ['two levels', 'no scale adaptation'])
def test_other_kinds_of_network_are_read_from_the_shapes(tmp_path, change):
    named = run_model(*variant(tmp_path, change, joints=14))
    assert named['pred_j3ds'].shape == (2, 10, 14, 3) and named['pred_j2ds'].shape == (2, 10, 14, 2)
    counts = named['token_level_counts']
    if change == 'two levels':
        # Every cell stays at level 1 or becomes four tokens of level 0.
        assert (counts[:, 0] > 0).all() and (counts[:, 2] == 0).all()
        assert (counts[:, 0] // 4 + counts[:, 1]).tolist() == [144, 96]
    else:
        assert counts.tolist() == [[576, 0, 0], [384, 0, 0]] and 'scale_map' not in named
    assert all(np.isfinite(value).all() for value in named.values())


@pytest.mark.parametrize('pixel, same', [(335., False), (2287., True), (-2287., True)])
def test_pixels_far_outside_the_picture_are_compared_relatively(pixel, same):
    theirs = np.full((1, 2), pixel)
    difference, limit = compare('pred_j2ds', theirs + .02, theirs, 336)
    assert (difference <= limit) == same
