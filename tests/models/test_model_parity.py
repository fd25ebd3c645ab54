"""The network against outputs of the public release, through ``tools/misc/check_parity.py``."""
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'tests/data/parity'


@pytest.fixture
def check_parity(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'misc'))
    import check_parity
    return check_parity.main


@pytest.mark.parametrize('name', ['model_kid_fov', 'model_plain'])
def test_same_as_the_public_release(check_parity, capsys, name):
    assert check_parity(['model', str(FOLDER / f'{name}.npz')]) == 0
    output = capsys.readouterr().out
    for key in ('pred_poses', 'pred_j2ds', 'pred_verts', 'scale_map', 'token_level_counts'):
        assert key in output


@pytest.mark.parametrize('key', ['out/pred_poses', 'out/pred_transl', 'out/token_level_counts'])
def test_notices_other_results(check_parity, tmp_path, key):
    with np.load(FOLDER / 'model_plain.npz') as data:
        changed = dict(data)
    changed[key] = changed[key] + np.array(.01 if changed[key].dtype.kind == 'f' else 1, changed[key].dtype)
    np.savez(tmp_path / 'changed.npz', **changed)
    shutil.copy(FOLDER / 'model_plain_state.json', tmp_path / 'changed_state.json')
    assert check_parity(['model', str(tmp_path / 'changed.npz')]) == 1


def variant(folder, change, joints=45):
    """A file of another kind of network made from ``model_plain``, without recorded outputs."""
    shapes = json.loads((FOLDER / 'model_plain_state.json').read_text())
    with np.load(FOLDER / 'model_plain.npz') as data:
        kept = {key: data[key] for key in data.files if key.startswith(('image_', 'img_size_'))}
        if change == 'two levels':
            kept.update({key: data[key] for key in data.files if key.startswith('override/')})
    if change == 'two levels':
        shapes['level_embed'] = [2, 32]
    if change == 'no scale adaptation':
        dropped = ('level_embed', 'enc_inter_norm', 'scale_head', 'encoder.additional_blocks', 'encoder_patch_proj')
        patch = {f'encoder_patch_proj.{part}': shapes[f'encoder_patch_proj.0.{part}'] for part in ('weight', 'bias')}
        shapes = {**{name: shape for name, shape in shapes.items() if not name.startswith(dropped)}, **patch}
    kept['out/pred_j3ds'] = np.zeros((2, 10, joints, 3), np.float32)
    np.savez(folder / 'variant.npz', **kept)
    (folder / 'variant_state.json').write_text(json.dumps(shapes))
    return folder / 'variant.npz'


@pytest.mark.parametrize('change', ['two levels', 'no scale adaptation'])
def test_other_kinds_of_network_are_read_from_the_shapes(check_parity, tmp_path, change):
    from parity.model import run_model
    path = variant(tmp_path, change, joints=14)
    with np.load(path) as data:
        named = run_model(path, data)
    assert named['pred_j3ds'].shape == (2, 10, 14, 3) and named['pred_j2ds'].shape == (2, 10, 14, 2)
    counts = named['token_level_counts']
    if change == 'two levels':
        # Every cell stays at level 1 or becomes four tokens of level 0.
        assert (counts[:, 0] > 0).all() and (counts[:, 2] == 0).all()
        assert (counts[:, 0] // 4 + counts[:, 1]).tolist() == [144, 96]
    else:
        assert counts.tolist() == [[576, 0, 0], [384, 0, 0]] and 'scale_map' not in named
    assert all(np.isfinite(value).all() for value in named.values())
