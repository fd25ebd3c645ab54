import json
import sys

from scripts import load_script


def test_writes_its_results_and_agrees_with_the_plain_implementation(monkeypatch, tmp_path, capsys):
    bench_dto = load_script('tools/benchmark/bench_dto.py')
    for name, value in dict(NUM_SCENES=4, SOLVER_PEOPLE=100, REPEATS=1).items():
        monkeypatch.setattr(bench_dto, name, value)
    monkeypatch.setattr(sys, 'argv', ['bench_dto.py', '--json', str(tmp_path / 'out.json'), '--images', '20'])
    bench_dto.main()
    results = json.loads((tmp_path / 'out.json').read_text())
    assert results['images_per_second'] > 0
    assert results['solver_people_per_second'] > 0
    assert set(results['stages_ms_per_image']) == {'evidence', 'problem', 'solve', 'update'}
    assert min(results['rasterise_10_bodies_ms'].values()) > 0 and results['people_per_image'] == 4.5
    assert results['largest_difference_from_reference_m'] < 1e-5
    assert 'images_per_second' in capsys.readouterr().out
