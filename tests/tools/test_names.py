"""Programs on folders whose names, and whose pictures' names, no UTF-8 text can hold."""
import json
import os
import shutil
import subprocess
import sys

import pytest
from scripts import ROOT

PICTURE = ROOT / 'demo/resources/crowd/images/0003.jpg'
RECIPE = str(ROOT / 'configs/photo/network.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('names') / os.fsdecode(b'f\xff')
    folder.mkdir()
    for name in ('a.jpg', os.fsdecode(b'b\xfe.jpg'), 'new\nline.jpg', 'x' * 251 + '.jpg'):
        shutil.copy(PICTURE, folder / name)
    return folder


def run(*command):
    """Of a program whose output takes nothing but UTF-8: status, stdout, stderr."""
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, cwd=ROOT, timeout=300, env=dict(
        os.environ, PYTHONPATH=str(ROOT), PYTHONIOENCODING='utf-8:strict', CUDA_VISIBLE_DEVICES='-1'))
    assert b'Traceback' not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_image_demo(folder):
    out = folder.with_name(os.fsdecode(b'out\xfd'))
    status, text, errors = run('demo/image_demo.py', folder, '--recipe', 'network', '--dto', '--out-dir', out, '--save',
                               'overlay', 'params', 'glb', 'html', 'table')
    assert status == 0 and text.count(' people, ') == 4 and 'of 4 pictures' in text
    assert errors == ('b\\udcfe.jpg: not in the table, which finds pictures by names: another one is called so, or its '
                      'name is no UTF-8 text\n')
    files = [json.loads(path.read_text())['image']['img_id'] for path in (out / 'params').glob('*.json')]
    assert len(files) == 8 and len(set(files)) == 4


def test_generator_and_browser(folder):
    out = folder.with_name(os.fsdecode(b'gen\xfd'))
    status, text, _ = run('tools/generate_dto.py', RECIPE, '--out-dir', out, '--cfg-options', f'data_root={folder}')
    assert status == 0 and 'kept 3 images' in text and 'failed 1' in text
    line, = map(json.loads, (out / 'failures.jsonl').read_text().splitlines())
    assert line['image'] == 'b\\udcfe.jpg' and 'no UTF-8 text' in line['reason'] and 'rename' in line['reason']
    out = folder.with_name(os.fsdecode(b'browse\xfd'))
    status, text, errors = run('tools/misc/browse_dataset.py', RECIPE, '--out-dir', out, '--cfg-options',
                               f'data_root={folder}')
    assert status == 1 and 'rename' in errors and len(list(out.iterdir())) == 3
