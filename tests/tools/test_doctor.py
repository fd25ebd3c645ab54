"""The doctor says what there is, notices what is broken, and gives nobody's folders away."""
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from scripts import ROOT, load_script

from mmhuman_dto.fileio import bundled
from mmhuman_dto.synthetic.writers import smpl

doctor = load_script('tools/misc/doctor.py')


@pytest.fixture(autouse=True)
def somebody(tmp_path, monkeypatch):
    """A home that nobody else has to know of, and a folder in it."""
    (tmp_path / 'alice/secret').mkdir(parents=True)
    monkeypatch.setattr(Path, 'home', lambda: tmp_path / 'alice')
    monkeypatch.chdir(tmp_path / 'alice/secret')


def lines(capsys):
    text = capsys.readouterr().out
    assert 'alice' not in text and str(ROOT) not in text
    return text


def test_all_is_well(capsys):
    assert doctor.main([]) == 0
    text = lines(capsys)
    for words in ('Python ', 'torch ', 'processors', 'GiB', 'free disk', 'transformers', 'pillow-heif', ' m tall ',
                  'openbody.npz, 1.1 MB', 'OpenBody, 11 shape', 'looked for in ./data/smpl: 0 bodies', 'as it should'):
        assert words in text
    assert text.endswith('All that is needed is there and works.\n') and 'WRONG' not in text


def test_the_bundled_files_are_those_whose_checksums_are_stated():
    assert {Path(name).suffix for name in bundled.CHECKSUMS} == {'.npz', '.safetensors', '.jpg'}
    weights = {path.resolve() for folder in ('mmhuman_dto', 'demo') for path in (ROOT / folder).rglob('*.safetensors')}
    assert weights <= {bundled.bundled_file(name) for name in bundled.CHECKSUMS}


@pytest.mark.parametrize('break_it, words', [
    (lambda patch, folder: patch.setitem(doctor.NEEDED, 'numpy', 'numpy_of_nobody'),
     'numpy: cannot be imported (No module named \'numpy_of_nobody\'). pip install "numpy>=2.0"'),
    (lambda patch, folder: patch.setattr(doctor, 'wanted_versions', lambda: dict(pillow='>=99')),
     'wanted is >=99. pip install "pillow>=99"'),
    (lambda patch, folder: patch.setitem(bundled.CHECKSUMS, doctor.PICTURE, '0' * 64),
     'treadmill.jpg is not as it was'),
    (lambda patch, folder: patch.setitem(bundled.CHECKSUMS, 'demo/gone.npz', ''), 'gone.npz is not there'),
    (lambda patch, folder: (folder / 'SMPL_NEUTRAL.pkl').write_text('no model'),
     'body model: SMPL_NEUTRAL.pkl: damaged')])
def test_what_is_broken_is_named_with_its_cure(break_it, words, monkeypatch, capsys):
    break_it(monkeypatch, Path.cwd())
    assert doctor.main(['--no-self-test', '--body-models', '.']) == 1
    text = lines(capsys)
    assert '1 wrong:' in text and words in text.split('1 wrong:')[1], text


def test_people_who_are_not_as_they_should_be(monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'TRUTH', ((2.26, 1.41), (3.2, 1.72), (9., 1.65)))
    assert doctor.main([]) == 1
    assert '1.65 m tall 9.00 m away. Report this' in lines(capsys)


@pytest.mark.parametrize('works', [True, False])
def test_a_gpu_is_described_and_tried(works, monkeypatch, capsys, tmp_path):
    """A stand-in for a GPU: what torch says of one, and the CPU in its place."""
    ones = torch.ones

    def on_gpu(*size, device):
        if not works:
            raise RuntimeError('no kernel image is available')
        return ones(*size)

    monkeypatch.setattr(torch, 'ones', on_gpu)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setattr(torch.cuda, 'get_device_properties',
                        lambda index: SimpleNamespace(name='NVIDIA X1', total_memory=8 << 30))
    (tmp_path / 'nvidia-smi').write_text('#!/bin/sh\necho 550.54\n')
    (tmp_path / 'nvidia-smi').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    report = doctor.Report()
    doctor.check_device(report)
    assert 'NVIDIA X1, 8.0 GiB, driver 550.54' in lines(capsys)
    assert len(report.wrong) == (not works)
    assert all('no kernel image' in wrong and '--device cpu' in wrong for wrong in report.wrong)


def test_a_gpu_that_torch_cannot_use(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(doctor, 'driver_version', lambda: '550.54')
    doctor.check_device(doctor.Report())
    assert 'a GPU is there (driver 550.54) that this torch cannot use' in lines(capsys)


def test_licensed_bodies_are_found(tmp_path, capsys):
    smpl.write_synthetic_smpl('data')
    assert doctor.main(['--no-self-test']) == 0
    assert '3 bodies; beside them smpl_kid_template.npy' in lines(capsys)


@pytest.mark.parametrize('program', [
    'tools/misc/doctor.py', 'tools/train.py', 'tools/test.py', 'tools/generate_dto.py', 'demo/image_demo.py',
    'demo/dto_demo.py', 'tools/misc/browse_dataset.py', 'tools/misc/make_synthetic_crowd.py',
    'tools/dataset_converters/public2table.py', 'tools/analysis_tools/score_results.py',
    'tools/analysis_tools/worst_images.py', 'tools/model_converters/mahmr2mmhuman.py',
    'tools/model_converters/publish_model.py'])
def test_a_python_without_the_package_is_told_which_has_it(program):
    done = subprocess.run([sys.executable, '-S', ROOT / program], capture_output=True, text=True,
                          env={name: value for name, value in os.environ.items() if name != 'PYTHONPATH'})
    assert done.returncode == 1 and '. .venv/bin/activate' in (done.stdout + done.stderr).splitlines()[-1]
    assert done.stderr.count('\n') == (0 if 'doctor' in program else 1)
