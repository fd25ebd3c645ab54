"""The demo on a small crowd made here, and on the bundled one."""
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scripts import load_script

from mmhuman_dto.fileio import load_npz
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.synthetic import CrowdConfig
from mmhuman_dto.synthetic.writers.crowd import write_crowd
from mmhuman_dto.tables.people_table import PeopleTable
from mmhuman_dto.visualization import read_image

demo = load_script('demo/dto_demo.py')
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp('crowd')
    write_crowd(folder, range(3), BODY_MODELS.build(dict(type='OpenBody')), CrowdConfig(size=(300, 400), people=(3, 5)))
    return folder


@pytest.fixture(scope='module')
def finished(crowd, tmp_path_factory):
    """Output folder of a whole run."""
    out = tmp_path_factory.mktemp('demo')
    demo.main(['--data', str(crowd), '--out-dir', str(out)])
    return out


def metrics_of(out):
    return json.loads((out / 'metrics.json').read_text())


def test_metrics_are_those_of_the_files(finished, crowd):
    """Height error recomputed from the annotation files alone."""
    metrics, truth = metrics_of(finished), PeopleTable(crowd / 'truth')
    kept = PeopleTable(finished / 'annotations/people_table')
    true_heights = {truth.image_id(i): truth[i].pred_instances.heights.numpy() for i in range(len(truth))}
    errors = []
    for i in range(len(kept)):
        people = kept[i].pred_instances
        errors.append(np.abs(people.heights.numpy() - true_heights[kept.image_id(i)][people.person_index.numpy()]))
    assert metrics['after']['height_error'] == pytest.approx(np.concatenate(errors).mean(), abs=1e-4)
    assert metrics['people']['kept'] == sum(map(len, errors))
    annots = load_npz(crowd / 'initial_meshes.npz')['annots']
    assert metrics['people']['initial'] == sum(len(annots[kept.image_id(i)]['shape']) for i in range(len(kept)))
    assert metrics['images'] == dict(given=3, kept=len(kept))
    assert metrics['people_per_second'] > 0


def test_before_and_after_have_the_same_keys_and_units(finished):
    metrics = metrics_of(finished)
    assert metrics['before'].keys() == metrics['after'].keys() == metrics['units'].keys()
    assert {'pcdr', 'depth_order', 'relative_depth_error', 'height_error'} <= metrics['before'].keys()
    assert all(0 <= metrics[side][name] <= 100 for side in ('before', 'after') for name in ('pcdr', 'depth_order'))
    assert 0 < metrics['before']['height_error'] < 1


def test_pictures_of_every_kept_image(finished, crowd):
    kept = PeopleTable(finished / 'annotations/people_table')
    names = {Path(kept.image_id(i)).stem for i in range(len(kept))}
    assert names == {path.stem for path in (finished / 'overlays').iterdir()}
    assert names == {path.stem for path in (finished / 'birdseye').iterdir()}
    for name in names:
        photo, overlay = read_image(crowd / 'images' / f'{name}.jpg'), read_image(finished / 'overlays' / f'{name}.jpg')
        assert overlay.shape == (300, 800, 3)
        assert (np.abs(overlay[:, 400:].astype(int) - photo).max(-1) > 30).mean() > .01


def test_again_into_the_same_folder(finished, crowd, capsys):
    before = metrics_of(finished)
    demo.main(['--data', str(crowd), '--out-dir', str(finished)])
    after = metrics_of(finished)
    assert all(before[key] == after[key] for key in before if key != 'people_per_second')
    printed = capsys.readouterr().out
    row = re.search(r'height error.*?([\d.]+) m.*?([\d.]+) m', printed)
    assert float(row[1]) == pytest.approx(before['before']['height_error'], abs=6e-4)
    assert float(row[2]) == pytest.approx(before['after']['height_error'], abs=6e-4)


def test_missing_data_is_said(tmp_path):
    with pytest.raises(SystemExit, match='initial_meshes.npz'):
        demo.main(['--data', str(tmp_path), '--out-dir', str(tmp_path / 'out')])


def test_bundled_crowd_dto_beats_the_initial_meshes(tmp_path):
    demo.main(['--out-dir', str(tmp_path), '--limit', '6'])
    metrics = metrics_of(tmp_path)
    assert metrics['images']['given'] == 6
    for name in ('pcdr', 'depth_order'):
        assert metrics['after'][name] > metrics['before'][name] + 5
    for name in ('relative_depth_error', 'height_error'):
        assert metrics['after'][name] < .8 * metrics['before'][name]
