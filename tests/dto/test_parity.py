"""Recorded scenes of the public release, through ``tools/misc/check_parity.py``."""
import sys
from pathlib import Path

import numpy as np
import pytest
from check_parity import main as check_parity

ROOT = Path(__file__).parents[2]
SCENES = ROOT / 'tests' / 'data' / 'parity' / 'dto_scenes.npz'


def largest(output, name):
    line = next(line for line in output.splitlines() if f'of {name}:' in line)
    return float(line.split(': ')[1].split()[0])


def test_same_as_the_public_release(capsys):
    assert check_parity(['dto', str(SCENES)]) == 0
    output = capsys.readouterr().out
    assert largest(output, 'transl') < 1e-5
    assert largest(output, 'betas') < 5e-5
    assert largest(output, 'deviation') < 1e-5


@pytest.mark.parametrize('key, change', [
    ('out/transl', lambda x: x + 1e-3), ('out/betas', lambda x: x + 2e-3), ('out/optimized', np.logical_not),
    ('out/mean_height_deviation', lambda x: x + .01), ('out/person', lambda x: x + 1), ('in/age', lambda x: x * 0 + 4)])
def test_notices_other_results(tmp_path, capsys, key, change):
    with np.load(SCENES) as file:
        scene = {k: file[k] for k in file.files if k.startswith('1/')}
    scene[f'1/{key}'] = change(scene[f'1/{key}'])
    np.savez(tmp_path / 'changed.npz', **scene)
    assert check_parity(['dto', str(tmp_path / 'changed.npz')]) == 1
    assert 'FAIL' in capsys.readouterr().out


def test_unknown_subject_lists_the_known_ones(capsys):
    assert check_parity(['nothing']) == 2
    assert 'dto' in capsys.readouterr().err
    assert 'parity' not in sys.modules or 'nothing' not in sys.modules
