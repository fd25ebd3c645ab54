"""How a process finds its place among others."""
import os

import pytest
import torch

from mmhuman_dto.generation import GenerationError, launch


def test_slurm_variables_become_those_of_torch(tmp_path, monkeypatch):
    scontrol = tmp_path / 'scontrol'
    scontrol.write_text('#!/bin/sh\n[ "$*" = "show hostnames node[3-4]" ] && printf "node3\\nnode4\\n"\n')
    scontrol.chmod(0o755)
    for name in ('MASTER_ADDR', 'MASTER_PORT', 'RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '')  # so that monkeypatch restores what the code sets
        monkeypatch.delenv(name)
    for name, value in dict(SLURM_NODELIST='node[3-4]', SLURM_PROCID='5', SLURM_NTASKS='8', SLURM_LOCALID='1',
                            PATH=f'{tmp_path}:{os.environ["PATH"]}').items():
        monkeypatch.setenv(name, value)
    started = []
    monkeypatch.setattr(torch.distributed, 'init_process_group', lambda *args, **kwargs: started.append(args))
    launch.start_processes('slurm')
    names = ('MASTER_ADDR', 'MASTER_PORT', 'RANK', 'WORLD_SIZE', 'LOCAL_RANK')
    assert [os.environ[name] for name in names] == ['node3', '29500', '5', '8', '1']
    assert started == [('gloo', )]


def test_slurm_without_srun_says_so(monkeypatch):
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    with pytest.raises(GenerationError, match='SLURM_PROCID.* not set; start the tool with srun'):
        launch.start_processes('slurm')


def test_errors_of_the_first_rank_are_raised():
    with pytest.raises(KeyError, match='gone'):
        launch.on_first_rank({}.__getitem__, 'gone')
    assert launch.on_first_rank(dict(a=1).__getitem__, 'a') == 1
