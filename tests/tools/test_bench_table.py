import json

from scripts import load_script

from mmhuman_dto.tables.people_table import PeopleTable


def test_the_benchmark_writes_its_figures_and_cleans_up(tmp_path, capsys, monkeypatch):
    bench = load_script('tools/benchmark/bench_table.py')
    monkeypatch.setattr(bench, 'step_milliseconds', lambda: 50.)
    seen = {}

    def look(table, items):
        found = PeopleTable(table)
        seen.update(images=len(found), people=found.schema['num_people'], columns=set(found.columns))
        return bench.read(table, items)

    monkeypatch.setattr(bench, 'read_in_fresh_process', look)
    bench.main(['--images', '300', '--people', '1400', '--items', '20', '--folder', str(tmp_path / 'made'), '--json',
                str(tmp_path / 'figures.json')])
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert (figures['images'], figures['people']) == (seen['images'], seen['people']) and seen['images'] == 300
    assert abs(seen['people'] - 1400) < 150
    assert {'people.betas', 'image.intrinsics', 'image.ori_shape'} < seen['columns']
    assert figures['share'] == figures['warm_ms'] / 50 and figures['open_seconds'] > 0 <= figures['open_mb']
    assert not (tmp_path / 'made').exists() and 'open it' in capsys.readouterr().out
