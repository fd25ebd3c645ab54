"""The program that measures what heights are told by finds them again, and writes what is bundled."""
import numpy as np
import pytest
from scripts import load_script

from mmhuman_dto.body_models import OpenBody, measuring

script = load_script('tools/benchmark/fit_measured_heights.py')


def test_written_and_found_again(tmp_path, capsys):
    script.main(['--shapes', '60', '--out', str(tmp_path / 'fitted.npz')])
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said[1:]] == [name for name in script.CASES for _ in range(2)]
    with np.load(tmp_path / 'fitted.npz') as fitted:
        bundled = measuring.population()
        assert fitted['means'] == pytest.approx(bundled.means, abs=.05)
        assert fitted['topology'] == pytest.approx(bundled.topology) and len(bundled.topology) == 13
        assert fitted['covariances'].shape == bundled.covariances.shape == (6, 13, 13)


def test_known_lengths_give_known_heights():
    adults = script.measure(OpenBody(), (0., 0.), 150, 0)
    fitted = script.fit([adults])
    rows = np.arange(10)
    mean, std = measuring.given(adults.lengths[:, rows], rows, fitted._replace(topology=0 * fitted.topology))
    assert abs(mean - adults.heights).mean() < .004 and std.max() < .01
    # Twice the length of everything is twice the height.
    double, _ = measuring.given(adults.lengths[:, rows] + np.log(2), rows, fitted)
    once, _ = measuring.given(adults.lengths[:, rows], rows, fitted)
    assert double - once == pytest.approx(np.log(2))


@pytest.mark.slow
def test_annys_heights_are_told(capsys):
    pytest.importorskip('anny', reason='anny is not installed (docs/bodies.md)')
    script.report_anny(measuring.population(), 64, 0)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert len(rows) == 4 * len(script.CASES)
    assert all(abs(float(row[2][:-1])) < 1.5 for row in rows if row[0] in ('bones', 'both'))
