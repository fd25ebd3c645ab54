"""Several processes sharing a run: each takes its shards, the first one merges. Nothing but messages is exchanged."""
import datetime
import os
import subprocess

import torch
from mmengine.dist import broadcast_object_list, get_rank

from .manifest import GenerationError

#: Ranks wait for the slowest one at the end, maybe for days.
_TIMEOUT = datetime.timedelta(days=14)


def start_processes(launcher):
    """Join the processes of a launcher: 'pytorch' (torchrun's environment) or 'slurm' (srun's).

    With 'none' and 'ray' this process is the only one of its kind. GenerationError or ValueError where the launcher's
    environment variables are not there.
    """
    if launcher in ('none', 'ray'):
        return
    if launcher == 'slurm':
        _read_slurm_environment()
    torch.distributed.init_process_group('gloo', timeout=_TIMEOUT)


def stop_processes():
    """Leave the group of processes, where there is one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def on_first_rank(function, *args):
    """Call a function on rank 0 and give its result, or raise its exception, on every rank."""
    answer = [None, None]
    if get_rank() == 0:
        try:
            answer[0] = function(*args)
        except Exception as error:
            answer[1] = error
    broadcast_object_list(answer)
    if answer[1] is not None:
        raise answer[1]
    return answer[0]


def _read_slurm_environment():
    missing = [name for name in ('SLURM_NODELIST', 'SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')
               if name not in os.environ]
    if missing:
        raise GenerationError(f'--launcher slurm: {", ".join(missing)} not set; start the tool with srun')
    nodes = subprocess.run(['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']], check=True,
                           capture_output=True, text=True).stdout.split()
    os.environ.setdefault('MASTER_ADDR', nodes[0])
    os.environ.setdefault('MASTER_PORT', '29500')
    os.environ.update(RANK=os.environ['SLURM_PROCID'], WORLD_SIZE=os.environ['SLURM_NTASKS'],
                      LOCAL_RANK=os.environ['SLURM_LOCALID'])
