from scripts import load_script


def test_both_versions_are_timed_on_the_same_sizes(monkeypatch):
    script = load_script('tools/benchmark/bench_crowds.py')
    monkeypatch.setattr(script, 'CASES', (((84, 112), 2), ))
    figures, = script.main(['--scenes', '2', '--rounds', '1']).values()
    assert all(figures['seconds'][version] > 0 and 0 < figures['shares'][version] < 1 for version in (1, 2))
