import json

import pytest
from scripts import ROOT, load_script


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/benchmark'))
    return load_script('tools/benchmark/bench_scaling.py')


def test_processor_time_is_compared_with_that_of_one_process(bench, monkeypatch, tmp_path, capsys):
    def known(case, processes, args):
        return dict(case=case, processes=processes, seconds=1., processor=.01 * args.images * (1 + processes),
                    communication=.25 if case == 'DDP' else None, loader=.5)

    monkeypatch.setattr(bench, 'run_case', known)
    bench.main(['--images', '4', '--json', str(tmp_path / 'figures.json')])
    printed = capsys.readouterr().out
    assert '1.50' in printed and '25 %' in printed and '80 ms' in printed and '120 ms' in printed
    assert [r['case'] for r in json.loads((tmp_path / 'figures.json').read_text())['results']] == [
        'one process', 'DDP', 'FSDP']


def test_images_are_shared_evenly(bench):
    with pytest.raises(SystemExit, match='--images 3'):
        bench.main(['--images', '3'])


@pytest.mark.slow
def test_every_case_trains(bench, tmp_path):
    bench.main(['--images', '2', '--steps', '2', '--json', str(tmp_path / 'figures.json')])
    results = json.loads((tmp_path / 'figures.json').read_text())['results']
    assert [r['processes'] for r in results] == [1, 2, 2]
    assert all(r['seconds'] > 0 and r['processor'] > 0 and 0 < r['loader'] < 1 for r in results)
