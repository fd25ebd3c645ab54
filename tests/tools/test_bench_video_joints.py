"""The benchmark of people in videos: what it counts, of known people."""
import json

import numpy as np
import pytest
from scripts import load_script

bench = load_script('tools/benchmark/bench_video_joints.py')


def people(*corners):
    """Joints (N, 17, 2) of people in boxes of 80 x 160 px with these corners."""
    inside = np.random.default_rng(0).uniform(0, 1, (17, 2))
    inside[:2] = (0, 0), (1, 1)
    return np.array([inside * (80, 160) + corner for corner in corners], float).reshape(-1, 17, 2)


def truth(joints, wanted=True):
    return bench.Truth(joints, np.ones(joints.shape[:2], bool), np.full(len(joints), wanted))


def test_errors_misses_and_false_people_are_counted():
    true = people((0, 0), (200, 0), (400, 0))
    known = truth(true)
    known.wanted[2] = False
    found = np.concatenate([people((600, 0)), true[:1] + (3, 4)])
    figures = bench.summary([bench.score([found, found], [known, None])])
    assert (figures['missed'], figures['false'], figures['people']) == (1, 1, 2)
    assert figures['median'] == pytest.approx(5) and figures['mean'] == pytest.approx(5)


def test_counts_that_change_with_the_truth_do_not_jump():
    assert bench.count_jumps([3, 3, 2, 3, 4, 4], [3, None, None, None, 4, None]) == 2
    assert bench.count_jumps([3, 4, 4], [3, 4, 4]) == 0


def test_accelerations_are_of_the_person_itself():
    here, there = people((0, 0)), people((400, 0))
    frames = [np.concatenate(pair) for pair in ([here, there], [there, here + (2, 0)], [here + (1, 0), there])]
    np.testing.assert_allclose(bench.accelerations(frames), np.repeat([[0.], [3.]], 17, 1), atol=1e-9)


def test_the_table_has_every_source(tmp_path, capsys):
    bench.main(['--clips', '1', '--frames', '2', '--size', '180', '320', '--json', str(tmp_path / 'figures.json')])
    rows = json.loads((tmp_path / 'figures.json').read_text())['rows']
    assert [row['method'] for row in rows] == list(bench.METHODS)
    assert all(row['ms'] > 0 and row['people'] >= 3 for row in rows)
    assert 'VideoJoints' in capsys.readouterr().out
