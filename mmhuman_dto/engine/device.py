"""Which device a process works on."""
import os

import torch


class DeviceError(ValueError):
    """A device that is not there; the message says which are."""


def pick_device(name=None):
    """The device of this process; None and ``'auto'``: the GPU of its local rank where there is one, else the CPU.

    Raises:
        DeviceError: there is no such device here.
    """
    if name not in (None, 'auto'):
        return _checked(name)
    if not torch.cuda.is_available():
        return torch.device('cpu')
    return torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count())


def _checked(name):
    here = ['cpu', *(f'cuda:{i}' for i in range(torch.cuda.device_count()))]
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f'device {name!r}: not to be had ({reason}); here are: {", ".join(here)}') from error
    return device
