"""The benchmark of DTO in a training pipeline."""
import re

from scripts import load_script


def test_prints_a_figure_for_each_solver_and_size_of_batch(capsys):
    bench = load_script('tools/benchmark/bench_refine.py')
    bench.main(['--batches', '1', '2', '--rounds', '1'])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('| ')][2:]
    assert [line.split(' | ')[0][2:] for line in lines] == list(bench.SOLVERS)
    assert all(len(re.findall(r'\d+\.\d\d', line)) == 2 for line in lines)
