"""Modules of ``custom_imports`` are found in the folder that one starts in, by every program and in its processes."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = '''
import multiprocessing
from mmhuman_dto.datasets import Photos
from mmhuman_dto.registry import READERS, STAGES, TRANSFORMS
from mmhuman_dto.stages import Stage

@TRANSFORMS.register_module()
class MyTransform:
    def __call__(self, sample):
        with open('processes.txt', 'a') as file:
            print(multiprocessing.current_process().name, file=file)
        return sample

@STAGES.register_module()
class MyStage(Stage):
    def __call__(self, samples):
        print('my stage')
        return samples

@READERS.register_module()
class MyReader(Photos):
    pass
'''
TRAINING = '''
_base_ = ['{config}']
custom_imports = dict(imports=['my_module'])
train_cfg = dict(max_iters=1)
train_dataloader = dict(num_workers=1, multiprocessing_context='spawn', dataset=dict(pipeline=[
    dict(type='RandomView', input_size=112, rotation=0., scale=(1., 1.), below_spine=0.),
    dict(type='MyTransform'), dict(type='PackHumanInputs')]))
val_cfg, val_dataloader, val_evaluator = None, None, None
'''
RECIPE = '''
_base_ = ['{root}/configs/photo/photo.py']
custom_imports = dict(imports=['my_module'])
data_root = '{root}/demo/resources/photo'
source = dict(type='MyReader')
stages = dict(mine=dict(type='MyStage', before='focal'))
'''


@pytest.fixture
def start(tmp_path, config):
    """start(program, *arguments) in a folder with the module and configs -> the process, done."""
    folder = tmp_path / 'start'
    for name, text in (('my_module.py', MODULE), ('training.py', TRAINING.format(config=config)),
                       ('recipe.py', RECIPE.format(root=ROOT)), ('lost.py', RECIPE.format(root=ROOT).replace(
                           'my_module', 'my_lost_module'))):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    # As pip makes it: Python's first folder is that of the program.
    (tmp_path / 'mmhuman-dto').write_text('from mmhuman_dto.__main__ import main\nmain()\n')

    def run(program, *arguments):
        program = ROOT / program if program.endswith('.py') else tmp_path / program
        done = subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True, cwd=folder,
                              env=dict(os.environ, PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES='-1'), timeout=300)
        done.folder = folder
        return done
    return run


@pytest.mark.parametrize('program', [
    ['mmhuman-dto', 'train'], pytest.param(['tools/train.py'], marks=pytest.mark.slow)])
def test_training_and_the_processes_of_its_loader(start, program):
    done = start(*program, 'training.py')
    assert done.returncode == 0, done.stdout + done.stderr
    names = set((done.folder / 'processes.txt').read_text().split())
    assert names and 'MainProcess' not in names


@pytest.mark.parametrize('program', [
    ['mmhuman-dto', 'image', '--save', 'params', '--recipe'], ['tools/generate_dto.py'],
    pytest.param(['demo/image_demo.py', '--save', 'params', '--recipe'], marks=pytest.mark.slow),
    pytest.param(['mmhuman-dto', 'generate'], marks=pytest.mark.slow)])
def test_recipes(start, program):
    done = start(*program, 'recipe.py')
    assert done.returncode == 0 and 'my stage' in done.stdout, done.stdout + done.stderr
    lost = start(*program, 'lost.py')
    assert lost.returncode and lost.stderr.count('\n') == 1, lost.stderr
    assert "lost.py: custom_imports ['my_lost_module']: No module named 'my_lost_module'" in lost.stderr
    assert str(lost.folder) in lost.stderr


def test_a_reader_browsed(start):
    done = start('tools/misc/browse_dataset.py', 'recipe.py', '--num', '1')
    assert done.returncode == 0 and 'treadmill.png' in done.stdout, done.stdout + done.stderr
