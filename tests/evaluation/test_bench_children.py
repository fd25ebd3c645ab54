"""The benchmark of children: what it calls a wrong pair, mended and said, from hand-made crowds, and one small run."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scripts import load_script

from mmhuman_dto.registry import BODY_MODELS

bench = load_script('tools/benchmark/bench_children.py')


def crowd(z, heights, ages):
    joints = np.zeros((len(z), 24, 3))
    joints[:, 0, 2] = z
    return SimpleNamespace(scene=SimpleNamespace(joints=joints, heights=np.array(heights), ages=np.array(ages)))


def test_pairs_of_grown_ups_and_children_are_counted():
    # A kid at 3 m, adults at 4 and 3.1 m (the same layer as the kid), another adult at 5 m.
    found = [crowd([3., 4., 3.1, 5.], [1.1, 1.7, 1.7, 1.8], [6., 30., 40., 50.])]
    before = [bench.Placed(np.array([5., 4., 3., 6.]), np.array([1.7] * 4), set())]
    after = [bench.Placed(np.array([4.5, 4., 3., 4.4]), np.array([1.2] * 4), {(0, 3)})]
    figures = bench.score(before, after, found)
    assert figures['pairs'] == 2  # kid and the adults at 4 and 5 m
    assert figures['wrong'] == 50 and figures['mended'] == 0  # behind the one at 4 m, before and after
    assert figures['broken'] == 100 and figures['still'] == 2  # and after it also behind the one at 5 m,
    assert figures['said'] == 1 and figures['unsure'] == 50  # of which it is said
    assert figures['kid before'] == pytest.approx(.6) and figures['kid after'] == pytest.approx(.1)
    assert figures['adult after'] == pytest.approx(np.mean([.5, .5, .6]))


def test_placing_mends_most_pairs_with_depth():
    torch.set_num_threads(1)
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    found = bench.crowds('bodies of grown-ups', 8, body_model)
    before = [bench.Placed(*bench._numbers(one.sample.pred_instances), set()) for one in found]
    figures = {name: bench.score(before, bench.place('bodies of grown-ups', bench.CONDITIONS[name], found), found)
               for name in ('depth', 'depth, ages')}
    assert figures['depth']['wrong'] > 10
    for row in figures.values():
        assert row['mended'] >= 80
        assert row['pcdr after'] > row['pcdr before'] + 10
        assert row['kid after'] < .3 * row['kid before']
