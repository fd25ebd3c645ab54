"""Which device a process works on."""
import os

import torch


def pick_device(name=None):
    """The device of this process; None and ``'auto'``: the GPU of its local rank where there is one, else the CPU."""
    if name not in (None, 'auto'):
        return torch.device(name)
    if not torch.cuda.is_available():
        return torch.device('cpu')
    return torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count())
