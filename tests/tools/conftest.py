import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
CONFIG = """
_base_ = ['{root}/configs/metric_hmr/vit-tiny_synthetic-crowd.py']
model = dict(
    data_preprocessor=dict(input_size=112), backbone=dict(input_size=112), decoder=dict(num_queries=6, num_layers=2),
    head=dict(num_layers=2), denoising=None)
scenes = dict(scenes=dict(size=(112, 112), people=(1, 3)), num_scenes=5, cache_dir='{cache}')
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(
    datasets=[dict(type='SyntheticCrowd', seed=1, **scenes)],
    pipeline=[dict(type='RandomView', input_size=112, rotation=0., scale=(1., 1.), below_spine=0.),
              dict(type='PackHumanInputs')]))
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=scenes)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=7, val_interval=1000)
param_scheduler = [dict(type='LinearLR', start_factor=.1, by_epoch=False, end=3)]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2, max_keep_ckpts=-1))
log_processor = dict(window_size=1)
"""


@pytest.fixture(scope='session')
def config(tmp_path_factory):
    """A recipe small enough to train for a few steps in seconds."""
    folder = tmp_path_factory.mktemp('recipe')
    path = folder / 'tiny.py'
    path.write_text(CONFIG.format(root=ROOT, cache=folder / 'crowd'))
    return path


@pytest.fixture(scope='session')
def start():
    """start('train.py', *arguments, ranks=1) -> process, with ``ranks=2`` the one that starts two."""
    def run(tool, *arguments, ranks=1, new_session=False):
        command = [sys.executable, ROOT / 'tools' / tool, *arguments]
        if ranks > 1:
            command[1:1] = ['-m', 'torch.distributed.run', f'--nproc_per_node={ranks}', '--rdzv_backend=c10d',
                            '--rdzv_endpoint=127.0.0.1:0']
            command += ['--launcher', 'pytorch']
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                start_new_session=new_session,
                                env=dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1'))
    return run


@pytest.fixture(scope='session')
def finish(start):
    """finish('train.py', *arguments) -> (exit status, printed text)."""
    def run(*arguments, **kwargs):
        process = start(*arguments, **kwargs)
        text, _ = process.communicate(timeout=300)
        return process.returncode, text
    return run


def read_losses(work_dir):
    """Step -> logged losses, of the latest run in a folder."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    rows = [json.loads(line) for line in logs[-1].read_text().splitlines() if line.endswith('}')] if logs else []
    return {row['step']: {name: value for name, value in row.items() if name.startswith('loss')}
            for row in rows if 'loss' in row}


@pytest.fixture(scope='session')
def losses_of():
    return read_losses


@pytest.fixture(scope='session')
def whole_run(config, finish, tmp_path_factory):
    """Work folder of a run that was never stopped."""
    folder = tmp_path_factory.mktemp('whole')
    status, text = finish('train.py', config, '--work-dir', folder)
    assert status == 0, text
    return folder


@pytest.fixture(scope='session')
def weights_of():
    def read(path):
        return torch.load(path, weights_only=True)['state_dict']
    return read
