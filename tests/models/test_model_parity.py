"""The network against outputs of the public release, through ``tools/misc/check_parity.py``."""
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
