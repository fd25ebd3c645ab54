"""The quality benchmark on a handful of crowds: its errors are what they say, its figures are those of its tables."""
import json
import shutil

import numpy as np
import pytest
import torch
from scripts import ROOT, load_script

from mmhuman_dto.registry import BODY_MODELS

bench = load_script('tools/benchmark/bench_dto_quality.py')


@pytest.fixture(scope='module')
def body_model():
    return BODY_MODELS.build(dict(type='OpenBody'))


def test_writes_figures_tables_and_a_picture(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, 'QUICK_AXES', ('focal error', ))
    (tmp_path / 'images').mkdir()
    shutil.copy(ROOT / 'docs' / 'benchmarks.md', tmp_path)
    monkeypatch.setattr(bench, 'draw', lambda table, draw=bench.draw: draw(
        {**table, **{f'depth noise: {label}': table['base'] for label in bench.AXES['depth noise']}}))
    bench.main(['--quick', '--scenes', '2', '--json', str(tmp_path / 'out.json'), '--docs', str(tmp_path)])
    results = json.loads((tmp_path / 'out.json').read_text())
    base = results['grid']['base']
    assert results['gain_at_6pct'] == pytest.approx(base['posterior']['pcdr'] - base['paper']['pcdr'])
    gains = [row['posterior']['pcdr'] - row['paper']['pcdr'] for row in results['grid'].values()]
    assert results['worst_gain'] == pytest.approx(min(gains))
    assert 0 <= results['coverage_90'] <= 100
    assert set(results['grid']) == {'base', 'focal error: 0%', 'focal error: 20%', 'focal error: 40%'}
    assert set(bench.ABLATIONS) < set(base)
    assert base['initial meshes']['height_error'] > base['posterior']['height_error']
    page = (tmp_path / 'benchmarks.md').read_text()
    assert f'| base | {base["initial meshes"]["pcdr"]:.1f} |' in page
    assert 'focal error: 40%, told so' in page
    assert (tmp_path / 'images' / 'dto_quality.png').stat().st_size > 10_000
    assert 'posterior' in capsys.readouterr().out


def test_errors_are_those_of_the_setting(body_model):
    make = bench.CrowdMaker(body_model, seed=3, number=3)
    scenes = make._scenes(bench.BASE.crowd)
    clean = dict(focal_error=0., offset=0., depth_noise=0.)
    from _dto_crowds import make_sample
    exact, shifted, spoiled = (
        [make_sample(*drawn, bench.replace(bench.BASE, **{**clean, **errors}), body_model) for drawn in scenes]
        for errors in (dict(), dict(offset=.5), dict(missing_ages=1.)))
    for sample, other, ageless, (scene, picture) in zip(exact, shifted, spoiled, scenes):
        assert float(sample.pred_camera.intrinsics[1, 1]) == pytest.approx(scene.intrinsics[1, 1], rel=1e-6)
        people = torch.as_tensor(picture.id_map) > 0
        moved = (other.pred_maps.disparity - sample.pred_maps.disparity)[people]
        assert float(moved.std()) < 1e-4 * float(moved.abs().mean())
        assert abs(float(moved.mean())) <= .5001 * float(sample.pred_maps.disparity[people].median())
        assert ageless.pred_instances.ages.isnan().all()
        assert sample.pred_instances.ages.isfinite().all()


def test_coverage_counts_what_lies_inside():
    rng = np.random.default_rng(0)
    depth, height = rng.uniform(3, 9, 400), rng.uniform(1, 2, 400)
    true = bench.PlacedPeople(np.stack([depth, depth, depth], -1), height)
    off = depth + .3 * rng.standard_normal(400)
    pred = bench.PlacedPeople(np.stack([off, off, off], -1), height + .05 * rng.standard_normal(400))
    stds = (np.full(400, .3), np.full(400, .1), np.full((400, 400), .3 * 2**.5))
    covered = bench.coverage([bench.Placed(pred, stds)], [true])
    np.testing.assert_allclose(covered['depth'], [50, 90], atol=6)
    np.testing.assert_allclose(covered['difference'], [50, 90], atol=6)
    assert covered['height'][0] > 75
