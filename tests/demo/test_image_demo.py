"""The image demo: with the recipe for photos, and with a network of random weights."""
import io
import json
import os
import shutil
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import ROOT, load_script

from mmhuman_dto.__main__ import main as program
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.engine import model as model_module
from mmhuman_dto.engine.model import DEFAULT_MODEL, for_inference
from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fileio.images import read_image, write_image
from mmhuman_dto.registry import MODELS
from mmhuman_dto.tables.people_file import read_people
from mmhuman_dto.tables.people_table import PeopleTable

demo = load_script('demo/image_demo.py')
#: A network without MoveNet's eyes.
SMALL = 'vit-tiny_synthetic-crowd'
CROWD = ROOT / 'demo/resources/crowd/images'
GROUP = ROOT / 'demo/resources/group/images/0000.jpg'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Random weights of a network that then finds people in everything."""
    torch.manual_seed(0)
    model = MODELS.build(for_inference(Config.fromfile(find_config(SMALL)).model.to_dict()))
    torch.nn.init.zeros_(model.head.conf_head.bias)
    torch.nn.init.normal_(model.head.conf_head.weight, std=.02)
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope='module')
def network(checkpoint):
    """Arguments for the recipe ``network`` with those weights."""
    return ['--recipe', 'network', '--model', SMALL, '--checkpoint', str(checkpoint), '--device', 'cpu']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two photos of one name and a broken one."""
    folder = tmp_path_factory.mktemp('photos')
    shutil.copy(CROWD / '0003.jpg', folder / '0003.jpg')
    shutil.copy(CROWD / '0005.jpg', folder / '0003.jpeg')
    (folder / 'broken.jpg').write_bytes((CROWD / '0003.jpg').read_bytes()[:3000])
    return folder


def test_the_bundled_picture_with_nothing_said(tmp_path, capsys):
    assert demo.main(['--out-dir', str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith('treadmill.jpg: 3 people, ') and ' ± ' in out and 'guessed' not in out and err == ''
    assert {path.name for path in tmp_path.iterdir()} == {'overlay', 'side', 'birdseye', 'params', 'glb'}
    for drawn in ('overlay/treadmill.jpg', 'side/treadmill.png', 'birdseye/treadmill.png'):
        assert np.ptp(read_image(tmp_path / drawn)) > 100
    before, after = (json.loads((tmp_path / f'params/treadmill{name}.json').read_text())['people']
                     for name in ('_before', ''))
    assert len(before) == len(after) == 3 and before[0]['transl'] != after[0]['transl']
    # From near to far the avatar, the man and the bystander; truth of the clip.
    after = sorted(after, key=lambda person: person['transl'][2])
    np.testing.assert_allclose([person['heights'] for person in after], [1.41, 1.72, 1.65], atol=.15)
    np.testing.assert_allclose([person['transl'][2] for person in after], [2.26, 3.20, 6.17], rtol=.12)


def test_pictures_and_folders_to_files_that_agree(network, folder, tmp_path, capsys):
    rc = demo.main([str(folder), str(CROWD / '0003.jpg'), str(GROUP), *network, '--out-dir', str(tmp_path),
                    '--save', 'overlay', 'params', 'obj', 'table'])
    out, err = capsys.readouterr()
    broken, twice = err.splitlines()
    assert rc == 1 and str(folder / 'broken.jpg') in broken and '1 could not be read' in out
    assert '0003.jpg: not in the table' in twice and 'another one is called so' in twice
    assert [line.split(': ')[0] for line in out.splitlines()[:4]] == ['0003.jpeg', '0003.jpg', '0003.jpg', '0000.jpg']
    assert sorted(path.name for path in (tmp_path / 'params').glob('*.json')) == [
        '0000.json', '0003.json', '0003_jpg.json', '0003_jpg_2.json']
    assert read_image(tmp_path / 'overlay/0003_jpg.jpg').shape == (512, 768, 3)
    shutil.copy(GROUP, folder)
    # What the data set reads is what the files say.
    table = HumanTable(folder, tmp_path / 'table', pipeline=[dict(type='LoadImage')])
    samples = {table[i].img_id: table[i] for i in range(len(table))}
    assert len(table) == 3 and set(samples) == {'0003.jpeg', '0003.jpg', '0000.jpg'}
    for name, stem in (('0003.jpeg', '0003'), ('0003.jpg', '0003_jpg')):
        sample, text = samples[name], json.loads((tmp_path / f'params/{stem}.json').read_text())
        assert text['image']['img_id'] == name and len(sample.gt_instances) == len(text['people']) > 0
        np.testing.assert_array_equal(sample.image.shape[:2], text['image']['ori_shape'])
        back = read_people(tmp_path / f'params/{stem}.npz')
        torch.testing.assert_close(back.pred_camera.intrinsics, sample.gt_camera.intrinsics)
        for field in ('transl', 'global_orient', 'body_pose', 'betas', 'heights', 'keypoints_3d'):
            torch.testing.assert_close(sample.gt_instances[field], back.pred_instances[field], rtol=0, atol=0)
            written = torch.tensor([person[field] for person in text['people']])
            torch.testing.assert_close(written, back.pred_instances[field], rtol=0, atol=0)


def test_the_table_has_those_whom_dto_placed(tmp_path, capsys):
    """Of three pictures one shows nobody and one has a map of another shape; small people are left out by DTO."""
    shutil.copytree(CROWD.parent / 'disparity', tmp_path / 'maps')
    write_image(tmp_path / 'black.png', np.zeros((64, 64, 3), np.uint8))
    rc = demo.main([str(CROWD / '0002.jpg'), str(tmp_path / 'black.png'), str(GROUP), '--depth', str(tmp_path / 'maps'),
                    '--out-dir', str(tmp_path / 'out'), '--save', 'table', '--cfg-options',
                    'stages.dto.solver.needs_depth=True', 'stages.dto.evidence.min_visible_vertices=800'])
    out = capsys.readouterr().out
    assert rc == 0 and 'black.png: nobody found (nobody detected)' in out and '1 not placed by DTO' in out
    assert 'depth: ' in out
    table = PeopleTable(tmp_path / 'out/table')
    assert [table.image_id(i) for i in range(len(table))] == ['0002.jpg'] and len(table[0].pred_instances) == 11


def test_maps_of_another_kind_than_said_are_told(tmp_path, capsys):
    """Disparity taken for metres: what is near has more of it."""
    maps = str(CROWD.parent / 'disparity')
    arguments = [str(CROWD / '0002.jpg'), '--depth', maps, '--out-dir', str(tmp_path), '--save', 'params']
    for kind in ('disparity', 'metres'):
        assert demo.main([*arguments, '--depth-kind', kind]) == 0
        out = capsys.readouterr().out
        assert ('Do the files hold disparity, not metres? --depth-kind disparity' in out) == (kind == 'metres')


def test_dto_that_was_asked_for_and_placed_nobody_is_no_success(network, tmp_path, capsys):
    write_image(tmp_path / 'photos/black.png', np.zeros((64, 64, 3), np.uint8))
    write_image(tmp_path / 'photos/disparity/black.png', np.zeros((64, 64, 3), np.uint8))
    arguments = [str(tmp_path / 'photos'), '--out-dir', str(tmp_path / 'out'), '--save', 'params']
    maps = str(tmp_path / 'photos/disparity')
    for dto, status in ((['--dto'], 1), (['--depth', maps], 1), (['--no-dto'], 0), ([], 0)):
        assert demo.main([*arguments, *dto]) == status
        out, err = capsys.readouterr()
        assert out.startswith('black.png: nobody found') and out.count('black.png') == 1
        assert ('placed nobody' in err) == bool(status)


def test_pictures_whose_outputs_would_be_called_alike(network, tmp_path):
    """Twice the same place, a name that ends as those before DTO do, and one that is no text."""
    for name in ('party.jpg', 'party_before.jpg', 'PARTY.jpg', os.fsdecode(b'p\xff.jpg')):
        (tmp_path / 'photos').mkdir(exist_ok=True)
        shutil.copy(CROWD / '0003.jpg', tmp_path / 'photos' / name)
    assert demo.main([str(tmp_path / 'photos'), *network, '--dto', '--out-dir', str(tmp_path / 'out'), '--save',
                      'params', 'table', 'html', 'glb', 'obj']) == 0
    files = (tmp_path / 'out/params').glob('*.json')
    of = {path.stem: json.loads(path.read_text())['image']['img_id'] for path in files}
    assert of == {f'{name}{before}': img_id for before in ('', '_before') for name, img_id in (
        ('PARTY', 'PARTY.jpg'), ('p_udcff', 'p\\udcff.jpg'), ('party_jpg', 'party.jpg'),
        ('party_before_jpg', 'party_before.jpg'))}
    table = PeopleTable(tmp_path / 'out/table')
    assert {table.image_id(i) for i in range(len(table))} == {'PARTY.jpg', 'party.jpg', 'party_before.jpg'}


def test_kinds_that_cannot_be_written_are_said(network, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'pxr', None)
    arguments = [str(CROWD / '0003.jpg'), *network, '--out-dir', str(tmp_path), '--save']
    assert demo.main([*arguments, 'usd', 'bvh', 'amass']) == 1
    out, err = capsys.readouterr()
    assert err.startswith('no usd of 0003.jpg: pxr cannot be imported') and 'of 1 pictures' in out
    assert {path.name for path in tmp_path.iterdir()} == {'bvh', 'amass'}


def test_bundled_weights_are_used_or_named(tmp_path, monkeypatch):
    monkeypatch.setattr(model_module, 'BUNDLED_WEIGHTS', str(tmp_path / '{name}.safetensors'))
    with pytest.raises(SystemExit, match=f'{DEFAULT_MODEL}.safetensors: no such weights; give a checkpoint'):
        demo.main(['--recipe', 'network', '--out-dir', str(tmp_path)])
    shutil.copy(ROOT / f'demo/resources/{DEFAULT_MODEL}.safetensors', tmp_path)
    assert demo.main(['--recipe', 'network', '--out-dir', str(tmp_path / 'out'), '--save', 'params']) == 0
    assert (tmp_path / 'out/params/treadmill.json').is_file()


def test_wrong_arguments_are_named(network, tmp_path, capsys):
    for arguments in (['--save', 'hologram'], ['--bogus'], ['--focal']):
        with pytest.raises(SystemExit):
            demo.main([*arguments])
        assert arguments[-1].lstrip('-') in capsys.readouterr().err
    for arguments in (['--focal', 'wide'], ['--model', 'nothing-wide'], ['--recipe', 'wide'], ['--depth', 'wide://x'],
                      ['--cfg-options', 'stages.wide=1']):
        with pytest.raises(SystemExit, match='wide'):
            demo.main([str(CROWD), *network, *arguments])
    assert demo.main([str(tmp_path / 'no.jpg'), *network, '--out-dir', str(tmp_path / 'o')]) == 1
    assert 'no.jpg: no such image' in capsys.readouterr().err


def test_a_bar_on_a_terminal(network, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'stderr', terminal := io.StringIO())
    monkeypatch.setattr(terminal, 'isatty', lambda: True, raising=False)
    pictures = [str(GROUP), str(CROWD / '0003.jpg')]
    assert demo.main([*pictures, *network, '--out-dir', str(tmp_path), '--save', 'params']) == 0
    assert '2/2' in terminal.getvalue() and capsys.readouterr().out.count(' people, ') == 2


def test_pictures_are_shown_after_all_were_saved(network, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(demo, 'load_viser', lambda: None)
    monkeypatch.setattr(demo, 'show', lambda scenes: shown.extend(
        (scene.title, len(list((tmp_path / 'params').glob('*.npz')))) for scene in scenes))
    pictures = [str(CROWD / '0003.jpg'), str(tmp_path / 'missing.jpg'), str(CROWD / '0005.jpg')]
    assert demo.main([*pictures, *network, '--save', 'params', '--out-dir', str(tmp_path), '--show']) == 1
    assert shown == [('0003.jpg', 2), ('0005.jpg', 2)]


def test_a_viewer_that_is_not_there_is_said_first(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'viser', None)
    with pytest.raises(SystemExit, match='pip install viser'):
        demo.main([str(CROWD / '0003.jpg'), *network, '--out-dir', str(tmp_path / 'out'), '--show'])
    assert not list((tmp_path / 'out').iterdir())


def test_recipes_and_weights_are_listed(monkeypatch, capsys):
    assert demo.main(['--list']) == 0
    text = capsys.readouterr().out
    monkeypatch.setattr(sys, 'argv', ['mmhuman-dto', '--list'])
    program()
    assert capsys.readouterr().out == text
    assert 'photo-hub' in text and 'Apache-2.0' in text and 'about 100 MB' in text and '11.9 MB' in text
    monkeypatch.setattr(sys, 'argv', ['mmhuman-dto'])
    with pytest.raises(SystemExit):
        program()
