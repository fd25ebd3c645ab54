import json
import sys

import pytest
from mmengine.config import Config
from scripts import ROOT, load_script

bench = load_script('tools/benchmark/bench_stages.py')


def test_the_model_is_arithmetic():
    measured = dict(ms=dict(a=20., b=16.), bytes_in=2e5, bytes_out=3e3)
    model = bench.cost_model(measured, images=1_000_000, network_ms=180., cores=5, gpus=2)
    assert model == pytest.approx(dict(core_hours=10., gpu_hours=50., core_days=10 / 5 / 24, gpu_days=50 / 2 / 24,
                                       terabytes_in=.2, terabytes_out=.003))


def test_all_stages_are_measured_and_networks_are_marked_as_assumed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Config.fromfile('configs/dto/paper_synthetic-crowd.py')
    monkeypatch.setattr(sys, 'argv', ['x', '--rounds', '1', '--limit', '3', '--network-ms', '200', '--json',
                                      str(tmp_path / 'figures.json')])
    bench.main()
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert {'read', *config.stages, 'write'} <= set(figures['measured']['ms'])
    assert min(figures['measured']['ms'].values()) >= 0 and figures['measured']['images'] == 3
    assert figures['models']['560000']['gpu_hours'] == pytest.approx(560_000 * .2 / 3600)
    out = capsys.readouterr().out
    assert 'ASSUMED' in out and 'if 200 ms are right' in out
