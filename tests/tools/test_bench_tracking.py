"""The benchmark of identities on one short clip."""
import numpy as np
import pytest
import torch
from scripts import load_script

from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import Renderer
from mmhuman_dto.synthetic.clips import ClipConfig, sample_clip

bench = load_script('tools/benchmark/bench_tracking.py')
CONFIG = ClipConfig(size=(90, 160), seconds=1.5, fps=10, people=(3, 3))


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


@pytest.fixture(scope='module')
def renderer(body_model):
    return Renderer(body_model, supersample=1)


def test_what_is_seen_is_its_owners(body_model, renderer):
    """Places, heights and boxes are the owner's, in whatever order; colours are there."""
    with torch.no_grad():
        crowd = sample_clip(1, body_model, CONFIG, seed=3)
        frames = list(bench.watched(crowd, renderer))
    assert len(frames) == 15
    people = 0
    for t, frame in enumerate(frames):
        scene = crowd.frames[t]
        for row, owner in enumerate(frame.owners.tolist()):
            if owner >= 0:
                true = int(np.flatnonzero(scene.cast.rows == owner)[0])
                place = frame.observations.positions[row]
                assert np.linalg.norm(place - scene.joints[true, 0]) < .5 * np.linalg.norm(place)
                assert abs(place[0] / place[2] - scene.joints[true, 0, 0] / scene.joints[true, 0, 2]) < .1
                people += 1
        assert set(frame.ids) <= set(scene.cast.rows)
    assert people > 20
    assert np.isfinite(frames[0].observations.colours).any()


def test_figures_of_a_clip(body_model, renderer, monkeypatch):
    monkeypatch.setattr(bench, 'CONFIG', CONFIG)
    clip = bench.synthetic(1, 3, body_model, renderer)
    table = {name: bench.score([clip], run) for name, run in bench.trackers().items()}
    assert {'whole video', 'as frames come', 'boxes alone'} <= set(table)
    assert table['whole video']['switches'] == 0
    assert table['whole video']['idf1'] > 90
    assert len(bench.rows_of(table)[0]) == len(bench.COLUMNS)
    nobody = bench.score([clip], lambda frames: [np.full(len(one.observations), -1) for one in frames])
    assert (nobody['idf1'], nobody['misses']) == (0, nobody['people'])


def test_the_program(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, 'CONFIG', CONFIG)
    bench.main(['--clips', '1', '--json', str(tmp_path / 'figures.json')])
    assert '"whole video"' in (tmp_path / 'figures.json').read_text()
