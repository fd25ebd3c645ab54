"""The evaluators against figures of the public release, through ``tools/misc/check_parity.py``."""
import json
from pathlib import Path

import numpy as np
import pytest
from check_parity import main as parity
from parity.relative_human import crowdpose_joints, records

from mmhuman_dto.evaluation.functional.relative_human import relative_human_metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'tests/data/parity'


def write_changed(path, source, changes):
    with np.load(FOLDER / source) as data:
        np.savez(path, **{**data, **changes(dict(data))})
    return str(path)


def test_relative_human_is_as_published(capsys):
    assert parity(['relative_human', str(FOLDER / 'relative_human.npz')]) == 0
    output = capsys.readouterr().out
    for name in ('pcdr_baby', 'mpckh', 'unmatched', 'printed          equal'):
        assert name in output
    assert 'OFF' not in output and 'nan' not in output


def test_evaluation_is_as_published(capsys):
    assert parity(['evaluation', str(FOLDER / 'evaluation.npz')]) == 0
    output = capsys.readouterr().out
    for name in ('kid_nmve', 'pa_mve', 'gt_focal_std', 'ultimatum', 'pck_all', 'mismatch'):
        assert name in output
    assert 'OFF' not in output and 'nan' not in output


@pytest.mark.parametrize('change', [
    lambda data: dict(counts=data['counts'] + [0, 1, 0]),
    lambda data: dict(prf1=data['prf1'] + [0, 0, .01]),
    lambda data: dict(metrics=str(data['metrics']).replace('47.32', '47.33')),
    lambda data: dict(printed=str(data['printed']).replace('far 95.24', 'far 95.25')),
    lambda data: dict(printed=str(data['printed']).replace('Recall: 0.31', 'Recall: 0.32')),
    lambda data: dict(printed=str(data['printed']).replace('85.79', '85.8').replace('Recall: 0.31', 'Recall: 0.3')),
    lambda data: {name: data[name] + 1. for name in data if name.endswith('transl') and name < 'pred/000010'},
], ids=['counts', 'prf1', 'metrics', 'printed', 'printed share', 'same: fewer digits', 'same: common depth'])
def test_other_figures_of_relative_human_are_noticed(tmp_path, change, request):
    path = write_changed(tmp_path / 'changed.npz', 'relative_human.npz', change)
    # Only differences in depth count, so people of an image who all move stay as they were.
    assert parity(['relative_human', path]) == (0 if 'same' in request.node.name else 1)


@pytest.mark.parametrize('old, new', [
    ('"kid-NMVE": 125.4', '"kid-NMVE": 125.5'), ('"mean": 81.2', '"mean": 81.3'),
    ('"height_error": 0.1516', '"height_error": 0.1517'), ('"mismatch": 29', '"mismatch": 28')])
@pytest.mark.slow
def test_other_figures_are_noticed(tmp_path, old, new):
    def change(data):
        assert old in str(data['results'])
        return dict(results=str(data['results']).replace(old, new))

    assert parity(['evaluation', write_changed(tmp_path / 'changed.npz', 'evaluation.npz', change)]) == 1


def test_annotations_of_any_kind(tmp_path):
    """Files with 19 joints a person in both orders, or none, give what 14 joints give."""
    with np.load(FOLDER / 'relative_human.npz') as data:
        plain = relative_human_metrics(list(records(data, True)), True)
        annotations = json.loads(str(data['annotations']))
    to_bk = dict(zip((5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 2), range(14)))
    to_ochuman = dict(zip((3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8, 12, 13), range(14)))
    for table, image in ((to_bk, 'abcdefg.jpg'), (to_ochuman, 'x/000001_crowd.jpg')):
        joints = np.random.default_rng(0).random((14, 3))
        longer = np.full((19, 3), 7.)
        longer[list(table)] = joints[list(table.values())]
        np.testing.assert_array_equal(crowdpose_joints(longer.ravel().tolist(), image), joints)
        for people in annotations.values():
            for person in people:
                person['kp2d'] = np.reshape(person['kp2d'], (-1, 3)).tolist()
    assert not crowdpose_joints(None, 'abcdefg.jpg').any()
    first = next(iter(annotations))
    annotations[first].append(dict(annotations[first][0], kp2d=None))
    path = write_changed(tmp_path / 'changed.npz', 'relative_human.npz',
                         lambda data: dict(annotations=json.dumps(annotations)))
    with np.load(path) as data:
        assert relative_human_metrics(list(records(data, True)), True) == plain
