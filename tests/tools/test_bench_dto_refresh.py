import json

import numpy as np
import pytest
from scripts import load_script

from mmhuman_dto.body_models import OpenBody
from mmhuman_dto.tables.people_table import PeopleTable

bench = load_script('tools/benchmark/bench_dto_refresh.py')
PAGE = '# Page\n<!-- dto refresh: generated -->\nold\n<!-- end -->\nrest\n'


@pytest.fixture(scope='module')
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    return folder, bench.make_data(folder, 3, OpenBody())


def test_corrupted_labels_are_the_annotation_of_the_people_with_evidence(tables):
    folder, made = tables
    placed, corrupted = made['placed'], made['corrupted']
    np.testing.assert_array_equal(placed.columns['people.dto_evidence'], corrupted.columns['people.dto_evidence'])
    annots = np.load(folder / 'crowd/initial_meshes.npz', allow_pickle=True)['annots'].item()
    row = corrupted[1]
    want = annots[row.img_id]['trans_cam'][row.pred_instances.person_index.numpy()]
    np.testing.assert_array_equal(row.pred_instances.transl, want)
    assert 'people.depths_std' in placed.columns and 'people.depths_std' not in corrupted.columns
    again = bench.make_data(folder, 3, None)  # nothing is made a second time
    assert again['placed'].schema == placed.schema


def test_figures_of_labels_are_against_the_truth(tables):
    folder, made = tables
    truth, body_model = PeopleTable(folder / 'crowd/truth'), OpenBody()
    table = made['corrupted']
    figures = bench.label_figures(table, table, truth, body_model)
    rows = [table[i].pred_instances for i in range(len(table))]  # of pictures in the truth's order
    true = np.concatenate([truth[i].pred_instances.heights[row.person_index] for i, row in enumerate(rows)])
    heights = np.concatenate([body_model.height(row.betas) for row in rows])
    assert figures['height_error'] == pytest.approx(np.abs(heights - true).mean(), rel=1e-5)
    # The other table's labels of the same people: they are where that table says.
    placed = bench.label_figures(made['placed'], table, truth, body_model)
    assert placed == bench.label_figures(made['placed'], made['placed'], truth, body_model) != figures
    exact = PeopleTable(folder / 'crowd/truth')
    exact.columns['people.person_index'] = np.concatenate(
        [np.arange(count) for count in np.diff(exact.people_offsets)])
    perfect = bench.label_figures(exact, exact, truth, body_model)
    assert (perfect['pcdr'], perfect['translation_error']) == (100, 0) and perfect['height_error'] < 1e-6


def test_page_and_picture_follow_the_figures(tmp_path):
    def figures(value):
        return dict.fromkeys(bench.FOUND, value)

    results = {'corrupted': dict(labels=[figures(.5)] * 3, network=[figures(1.), figures(2.), figures(3.)]),
               'corrupted, refreshed': dict(labels=[figures(.5), figures(.25), figures(.125)],
                                            network=[figures(1.), figures(4.), figures(5.)])}
    (tmp_path / 'images').mkdir()
    (tmp_path / 'dto_refresh.md').write_text(PAGE)
    bench.write_docs(tmp_path, results, 'How.')
    text = (tmp_path / 'dto_refresh.md').read_text()
    assert text.startswith('# Page\n') and text.endswith('<!-- end -->\nrest\n') and 'old' not in text
    assert text.count('| corrupted | 0 | 0.50 |') == 1 and '| corrupted | 1 | 0.50 |' not in text
    assert '| corrupted, refreshed | 2 | 0.12 | 0.1 |' in text and '| corrupted, refreshed | 2 | 5.0 |' in text
    assert (tmp_path / 'images/dto_refresh.png').stat().st_size > 10_000
    (tmp_path / 'dto_refresh.md').write_text('# Page\n')
    with pytest.raises(SystemExit, match='holds no line'):
        bench.write_docs(tmp_path, results, 'How.')


@pytest.mark.slow
def test_trainings_of_one_step(tmp_path, capsys):
    bench.main(['--images', '4', '--held-out', '4', '--rounds', '2', '--steps', '1', '--work-dir', str(tmp_path),
                '--json', str(tmp_path / 'out.json')])
    results = json.loads((tmp_path / 'out.json').read_text())
    for name, (_, refreshed) in bench.ARMS.items():
        arm = results[name]
        assert len(arm['labels']) == len(arm['network']) == 3
        assert (arm['labels'][1] != arm['labels'][0]) == refreshed
    assert 'DTO once' in capsys.readouterr().out
