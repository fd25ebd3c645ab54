"""The benchmark of lifting: its rows, and that they are about the people it says."""
import json

import pytest
from scripts import load_script

bench = load_script('tools/benchmark/bench_lifting.py')


def test_rows_of_a_run(tmp_path, capsys):
    bench.main(['--pictures', '2', '--json', str(tmp_path / 'figures.json')])
    rows = json.loads((tmp_path / 'figures.json').read_text())['rows']
    methods = ['lifter', 'fit from the lifter', 'fit from known poses', 'cheaper']
    assert [(row['set'], row['method']) for row in rows] == [(kind, name) for kind in bench.SETS for name in methods]
    assert all(20 < row['pa_mpjpe'] < row['mpjpe'] < 400 and row['people'] > 10 for row in rows)
    assert 'People from synthetic joints' in capsys.readouterr().out


def test_errors_are_of_limbs_around_the_hips():
    *_, truth = bench.people_of(bench.SyntheticKeypoints(num_scenes=1))
    assert bench.errors(truth + [1., 2, 3], truth) == pytest.approx(dict(mpjpe=0, pa_mpjpe=0), abs=1e-3)
    hips = truth[:, bench.HIPS].mean(1, keepdims=True)
    larger = bench.errors(hips + 1.1 * (truth - hips), truth)
    assert larger['pa_mpjpe'] == pytest.approx(0, abs=1e-3) and larger['mpjpe'] > 20
