"""The image demo with a tiny network of random weights."""
import json
import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config
from scripts import ROOT, load_script

from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.engine import model as model_module
from mmhuman_dto.engine.model import DEFAULT_MODEL, for_inference
from mmhuman_dto.fileio.bundled import find_config
from mmhuman_dto.fileio.images import read_image
from mmhuman_dto.registry import MODELS
from mmhuman_dto.tables.people_file import read_people

demo = load_script('demo/image_demo.py')
CROWD = ROOT / 'demo/resources/crowd/images'
GROUP = ROOT / 'demo/resources/group/images/0000.jpg'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Random weights of the default network, which finds people in everything."""
    torch.manual_seed(0)
    model = MODELS.build(for_inference(Config.fromfile(find_config(DEFAULT_MODEL)).model.to_dict()))
    torch.nn.init.zeros_(model.head.conf_head.bias)
    torch.nn.init.normal_(model.head.conf_head.weight, std=.02)
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two photos of one name and a broken one."""
    folder = tmp_path_factory.mktemp('photos')
    shutil.copy(CROWD / '0003.jpg', folder / '0003.jpg')
    shutil.copy(CROWD / '0005.jpg', folder / '0003.jpeg')
    (folder / 'broken.jpg').write_bytes((CROWD / '0003.jpg').read_bytes()[:3000])
    return folder


def test_a_folder_to_files_that_agree(checkpoint, folder, tmp_path, capsys):
    rc = demo.main([str(folder), DEFAULT_MODEL, str(checkpoint), '--out-dir', str(tmp_path), '--device', 'cpu',
                    '--save', 'overlay', 'params', 'obj', 'table'])
    out, err = capsys.readouterr()
    assert rc == 1 and str(folder / 'broken.jpg') in err and '1 could not be read' in out
    assert sorted(path.name for path in (tmp_path / 'params').iterdir()) == [
        '0003.json', '0003.npz', '0003_jpg.json', '0003_jpg.npz']
    assert read_image(tmp_path / 'overlay/0003_jpg.jpg').shape == (512, 768, 3)
    # What the data set reads is what the files say.
    table = HumanTable(folder, tmp_path / 'table', pipeline=[dict(type='LoadImage')])
    samples = {table[i].img_id: table[i] for i in range(len(table))}
    assert set(samples) == {'0003.jpeg', '0003.jpg'}
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


@pytest.mark.parametrize('picture', [CROWD / '0005.jpg', GROUP])
def test_bundled_pictures_before_and_after_dto(checkpoint, tmp_path, capsys, picture):
    """With no more than the (here random) weights: default recipe and kinds of files."""
    assert demo.main([str(picture), DEFAULT_MODEL, str(checkpoint), '--dto', '--out-dir', str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f'{picture.name}: ') and 'people' in out
    kinds = {path.name for path in tmp_path.iterdir()}
    assert kinds == {'overlay', 'side', 'birdseye', 'params', 'glb'}
    for drawn in (f'overlay/{picture.stem}.jpg', f'side/{picture.stem}.png', f'birdseye/{picture.stem}.png'):
        assert np.ptp(read_image(tmp_path / drawn)) > 100


def test_pictures_bring_the_depth_maps_of_their_own_folder(tmp_path):
    """Crowds' pictures have the same names: another crowd's maps would fit without a word."""
    assert demo.own_folder(str(GROUP)) == demo.own_folder(GROUP.parent) == GROUP.parents[1]
    assert demo.own_folder(CROWD / '0005.jpg') == CROWD.parent
    (tmp_path / 'images/day').mkdir(parents=True)
    assert demo.own_folder(tmp_path / 'images/day/a.jpg') is None
    (tmp_path / 'disparity').mkdir()
    assert demo.own_folder(tmp_path / 'images/day/a.jpg') == tmp_path


def test_bundled_weights_are_used_or_named(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(model_module, 'BUNDLED_WEIGHTS', str(tmp_path / '{name}.pth'))
    with pytest.raises(SystemExit, match=f'{DEFAULT_MODEL}.pth: no such weights; give a checkpoint'):
        demo.main(['--out-dir', str(tmp_path)])
    shutil.copy(checkpoint, tmp_path / f'{DEFAULT_MODEL}.pth')
    assert demo.main(['--out-dir', str(tmp_path / 'out'), '--save', 'params']) == 0
    assert (tmp_path / 'out/params/0000.json').is_file()


def test_wrong_arguments_are_named(checkpoint, tmp_path, capsys):
    for arguments in (['--save', 'hologram'], ['--bogus'], ['--focal']):
        with pytest.raises(SystemExit):
            demo.main([*arguments])
        assert arguments[-1].lstrip('-') in capsys.readouterr().err
    with pytest.raises(SystemExit, match='wide'):
        demo.main([str(CROWD), DEFAULT_MODEL, str(checkpoint), '--focal', 'wide'])
    for arguments in (['nothing-there'], [DEFAULT_MODEL, str(checkpoint), '--dto', 'nothing-there']):
        with pytest.raises(SystemExit, match='nothing-there'):
            demo.main([str(CROWD), *arguments])
    assert demo.main([str(tmp_path / 'no.jpg'), DEFAULT_MODEL, str(checkpoint), '--out-dir', str(tmp_path / 'o')]) == 1
    assert 'no.jpg: no such image' in capsys.readouterr().err
