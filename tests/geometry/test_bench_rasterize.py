import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools/benchmark/bench_rasterize.py'


@pytest.mark.skipif(not importlib.util.find_spec('numba'), reason='needs numba')
def test_the_benchmark_writes_its_figures(tmp_path):
    output = tmp_path / 'figures.json'
    printed = subprocess.run([sys.executable, TOOL, '--meshes', '2', '--rounds', '1', '--json', output], check=True,
                             capture_output=True, text=True).stdout
    figures = json.loads(output.read_text())
    assert figures['meshes'] == 2 and figures['machine']['threads'] == 1
    for size in ('720x1280', '288x512'):
        times = figures['milliseconds'][size]
        assert size in printed and times['torch'] > 0
        assert figures['ratio_torch_to_numba'][size] == pytest.approx(times['torch'] / times['numba'])
        # Two bodies, 0.6 m^2 each, 3.5 and 5.5 m away in a picture 3.3 m x 5.8 m at 3.5 m.
        assert figures['covered'][size] == pytest.approx(.6 * (1 + (3.5 / 5.5)**2) / (3.26 * 5.8), rel=.2)
