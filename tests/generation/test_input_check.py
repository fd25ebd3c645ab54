"""Inputs in wrong units, axes or forms are told before the run in a sentence, and end with a status that is not 0."""
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmhuman_dto.generation import Generator
from mmhuman_dto.geometry import axis_angle_to_matrix, matrix_to_axis_angle

ROOT = Path(__file__).parents[2]
CROWD = ROOT / 'demo/resources/crowd'
NPY = ['stages.depth.source.suffix=.npy', 'stages.depth.source.scale=1.']
METRES = [*NPY, 'stages.depth.source.kind=metres']


def scaled(key, factor):
    def change(record):
        record[key] = record[key] * np.float32(factor)
    return change


def opengl(record):
    record['trans_cam'] = record['trans_cam'] * np.float32([1, -1, -1])
    turn = torch.diag(torch.tensor([1., -1, -1]))
    roots = axis_angle_to_matrix(torch.tensor(record['pose_cam'][:, :3]))
    record['pose_cam'][:, :3] = matrix_to_axis_angle(turn @ roots).numpy()


def y_up(record):
    opengl(record)
    record['trans_cam'] = record['trans_cam'] * np.float32([1, 1, -1])


def maps(change):
    return lambda data: _rewrite(data, change)


def _rewrite(data, change):
    scales = json.loads((data / 'disparity/scale.json').read_text())
    for path in (data / 'disparity').glob('*.png'):
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) * np.float32(scales[f'{path.stem}.jpg'])
        np.save(path.with_suffix('.npy'), change(np.maximum(values, 3)))


def metres(disparity):
    return (900 / disparity).astype(np.float32)  # people at 1 m have 900 there


#: name: what is changed (of meshes a record, of maps the folder), options, status, sentence
WRONG = {
    'millimetres': (scaled('trans_cam', 1000), [], 2, 'in millimetres? Ours are metres: divide by 1000'),
    'centimetres': (scaled('trans_cam', 100), [], 2, 'in centimetres? Ours are metres: divide by 100'),
    'millimetres, no masks': (scaled('trans_cam', 1000), ['stages.masks=None'], 2, 'translations in millimetres?'),
    'degrees': (scaled('pose_cam', 180 / np.pi), [], 2, 'are rotations in degrees?'),
    'OpenGL': (opengl, [], 2, 'these are the axes of OpenGL'),
    'behind': (scaled('trans_cam', [1, 1, -1]), [], 2, 'are behind the camera (z negative'),
    'y up': (y_up, [], 2, 'are y axes pointing up?'),
    'focal': (scaled('cam_int', [[5, 1, 1], [1, 5, 1], [1, 1, 1]]), [], 2, 'is the focal length that of these'),
    'normalised focal': (scaled('cam_int', [[1e-3, 1, 1], [1, 1e-3, 1], [1, 1, 1]]), [], 2, 'the focal length is 0.6'),
    'depth for disparity': (maps(metres), NPY, 2, 'files hold metres, not disparity? stages.depth.source.kind=metres'),
    'depth in mm for disparity': (
        maps(lambda values: 1000 * metres(values)), NPY, 2,
        'hold depth in mm, not disparity? stages.depth.source.kind=metres stages.depth.source.scale=0.001'),
    'depth of no unit for disparity': (
        maps(lambda values: 7 * metres(values)), NPY, 2, 'hold depth, not disparity? stages.depth.source.kind=depth'),
    'disparity for metres': (maps(lambda values: values), METRES, 2,
                             'Do the files hold disparity, not metres? stages.depth.source.kind=disparity'),
    'constant': (maps(lambda values: 0 * values + 100), NPY, 2, 'depth maps are constant'),
    'another size': (maps(lambda values: values.T), NPY, 2, 'does not fit the image'),
    'small maps': (maps(lambda values: cv2.resize(values, (120, 80))), NPY, 0, 'less than a quarter as large'),
    '8 bit': (maps(lambda values: (values / values.max() * 255).astype(np.uint8)), NPY, 0, 'have 8 bits'),
    'no scale': (None, ['stages.depth.source.scale=1.'], 0, 'source.scale=disparity/scale.json'),
    'mm for metres': (maps(lambda values: 1000 * metres(values)), METRES, 2,
                      'are they in mm? Then stages.depth.source.scale=0.001 is missing'),
    'cm for metres': (maps(lambda values: 100 * metres(values)), METRES, 2, 'are they in cm? Then'),
    'inches for metres': (maps(lambda values: metres(values) / .0254), METRES, 2, 'in inches? Then stages.depth.source.'
                          'scale=0.0254 is missing'),
    'km for metres': (maps(lambda values: metres(values) / 1000), METRES, 2, 'are they in km? Then'),
    "ZoeDepth's for metres": (maps(lambda values: 256 * metres(values)), METRES, 2, "are they in ZoeDepth's m * 256?"),
    'canonical for metres': (maps(lambda values: metres(values) * 300 / 64), METRES, 0,
                             'is a scale missing (stages.depth.source.scale=0.1 or the maps\' own)'),
    'nobody seen': (None, ['stages.dto.evidence.min_visible_vertices=1000000'], 2, 'DTO leaves out '),
}


def edited(folder, change):
    shutil.copytree(CROWD, folder)
    if change is None:
        return
    if change.__qualname__.startswith('maps'):
        change(folder)
        return
    path = folder / 'initial_meshes.npz'
    annots = np.load(path, allow_pickle=True)['annots'].item()
    for record in annots.values():
        change(record)
    np.savez(path, annots=np.array(annots, dtype=object))


@pytest.mark.parametrize('name', WRONG)
def test_wrong_inputs_are_told_with_the_cure(name, tool, tmp_path, caplog):
    change, options, status, sentence = WRONG[name]
    edited(tmp_path / 'data', change)
    found, out, err = tool(ROOT / 'configs/dto/paper_synthetic-crowd.py', '--out-dir', tmp_path / 'out', '--limit', 4,
                           '--cfg-options', f'data_root={tmp_path / "data"}', 'contact_sheets.every=0', *options)
    assert found == status and sentence in (err if status else caplog.text), err + caplog.text
    if status:
        assert len(err.strip().splitlines()) == 1 and list((tmp_path / 'out').iterdir()) == []


def test_right_inputs_have_nothing_to_say(tool, tmp_path, caplog):
    for config in ('paper', 'posterior'):
        assert tool(ROOT / f'configs/dto/{config}_synthetic-crowd.py', '--out-dir', tmp_path / config)[0] == 0
    assert caplog.text == ''


def test_told_otherwise_it_goes_on_and_says_who_was_left_out(tool, tmp_path):
    edited(tmp_path / 'data', opengl)
    status, out, _ = tool(ROOT / 'configs/dto/paper_synthetic-crowd.py', '--out-dir', tmp_path / 'out', '--limit', 3,
                          '--no-check-inputs', '--cfg-options', f'data_root={tmp_path / "data"}')
    counts = json.loads((tmp_path / 'out/manifest.json').read_text())['counts']
    (reason, number), = counts['left_out'].items()
    assert status == 1 and f'{number} left out: {number} mesh broken or behind the camera' in out
    assert counts['skipped_by_reason'] == {'nobody could be placed': 3} and counts['kept'] == 0
    skipped, people = ([json.loads(line) for line in (tmp_path / 'out' / name).read_text().splitlines()]
                       for name in ('skipped.jsonl', 'left_out.jsonl'))
    assert sum(line['left_out'][reason] for line in skipped) == number == len(people)
    assert people[0] == dict(image='0000.jpg', person=0, reason=reason)


def test_a_check_that_breaks_stops_nothing(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(Generator, '_findings', lambda self: 1 / 0)
    config = Config.fromfile(ROOT / 'configs/dto/paper_synthetic-crowd.py').to_dict()
    assert Generator(config, tmp_path / 'out', limit=2).run()['kept'] == 2
    assert 'could not be checked: ZeroDivisionError' in caplog.text
