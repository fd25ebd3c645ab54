"""What a run shows while it goes on."""
import pytest

from mmhuman_dto.generation import progress
from mmhuman_dto.generation.progress import ProgressReport


@pytest.fixture
def clock(monkeypatch):
    """A clock the test moves: ``clock[0]`` in seconds."""
    now = [100.]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    for name in ('FORCE_COLOR', 'TTY_COMPATIBLE'):
        monkeypatch.delenv(name, raising=False)
    return now


def test_rate_and_time_left_leave_out_what_an_earlier_run_did(clock, capsys):
    with ProgressReport(8000) as report:
        report.resume(dict(kept=700, skipped=60, failed=40, people=3000))
        clock[0] += 9
        report.add(kept=85, skipped=4, failed=1)
        assert capsys.readouterr().out == ''
        clock[0] += 1
        report.add(kept=10)
        assert capsys.readouterr().out == (
            'DTO: 900/8000 images, 10.0 images/s, 0:11:50 left, kept 795, skipped 64, failed 41\n')


def test_bar_on_a_terminal(clock, capsys, monkeypatch):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('COLUMNS', '160')
    with ProgressReport(20) as report:
        clock[0] += 2
        report.add(kept=20)
    out = capsys.readouterr().out
    assert '20/20' in out and '10.0 images/s, kept 20, skipped 0, failed 0' in out and '\x1b' in out


def test_other_processes_are_silent(clock, capsys):
    with ProgressReport(20, quiet=True) as report:
        clock[0] += 100
        report.add(kept=20)
    assert capsys.readouterr().out == ''
