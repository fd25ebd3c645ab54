"""Where a computation makes the host wait for the device, counted exactly on CUDA and on a machine without a GPU."""
import sys
import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_iter

#: Methods that give the host a value, and functions whose result's shape depends on values.
_READS = {Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__,
          Tensor.__array__}
_SHAPED_BY_VALUES = {Tensor.nonzero, Tensor.masked_select, Tensor.unique, torch.nonzero, torch.masked_select,
                     torch.unique, torch.argwhere}
_MOVES = {Tensor.cpu, Tensor.to, Tensor.cuda}
#: Functions that make tensors of host values; given a device they copy, and wait.
_COPIES = {torch.tensor, torch.as_tensor, Tensor.new_tensor}
#: Code that is not asked where a wait comes from: this module, what shows warnings, and installed packages.
_PASSED_OVER = (__file__, warnings.__file__, 'site-packages', 'dist-packages')


def _where():
    """File and line that called torch."""
    frame = sys._getframe(2)
    while any(part in frame.f_code.co_filename for part in _PASSED_OVER) and frame.f_back:
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    return f'{path.parent.name}/{path.name}:{frame.f_lineno}'


class _PretendDevice(TorchFunctionMode):
    """Counts waits as if parameters and inputs lay on a GPU: what is computed from them does too, until it is fetched.

    A tensor's place is remembered in an attribute, since on this machine all are in the same memory.
    """

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [x for x in tree_iter((args, kwargs)) if isinstance(x, Tensor)]
        on_device = any(map(is_on_device, tensors))
        if func in _MOVES:
            return self._move(func, args, kwargs, on_device)
        if func in _READS:
            self._wait(on_device)
            return func(*args, **kwargs)
        if func in _COPIES:
            placed = on_device if func is Tensor.new_tensor else kwargs.get('device') is not None
            self._wait(placed and not (tensors and is_on_device(tensors[-1]) and func is torch.as_tensor))
        elif on_device:
            self._wait(
                func in _SHAPED_BY_VALUES or _indexes_across(func, args) or _repeats_by_values(func, args, kwargs))
        placed = on_device or (kwargs.get('device') is not None and str(kwargs['device']) != 'meta')
        return put_on_device(func(*args, **kwargs)) if placed else func(*args, **kwargs)

    def _move(self, func, args, kwargs, on_device):
        result = func(*args, **kwargs)
        target = args[1] if len(args) > 1 else kwargs.get('device', kwargs.get('other'))
        fetches = func is Tensor.cpu or target == 'cpu'
        places = func is Tensor.cuda or isinstance(target, torch.device) or is_on_device(target)
        self._wait(fetches and on_device or places and not is_on_device(args[0]) and not kwargs.get('non_blocking'))
        # An alias, so that the tensor it was moved from stays where it is.
        result = result.view_as(result)
        return put_on_device(result) if (places or on_device) and not fetches else result

    def _wait(self, condition):
        if condition:
            self.waits[_where()] += 1


def is_on_device(value):
    """Whether a tensor was put on the pretended device."""
    return getattr(value, '_pretended', False)


def put_on_device(values):
    """Mark tensors (in any containers) as being on the pretended device; return them."""
    for value in tree_iter(values):
        if isinstance(value, Tensor):
            value._pretended = True
    return values


def _indexes_across(func, args):
    """Whether what is on the device is indexed by a mask there, or by integers that are not there yet."""
    if func not in (Tensor.__getitem__, Tensor.__setitem__):
        return False
    for index in args[1] if isinstance(args[1], tuple) else (args[1], ):
        if isinstance(index, Tensor) and index.dim():
            if not is_on_device(index) or index.dtype == torch.bool:
                return True
        elif isinstance(index, (list, range)):
            return True
    return False


def _repeats_by_values(func, args, kwargs):
    return (func in (torch.repeat_interleave, Tensor.repeat_interleave) and 'output_size' not in kwargs
            and is_on_device(args[-1]))


@contextmanager
def count_waits(device, *inputs):
    """Count how often the host waits for the device.

    On CUDA these are torch's own synchronisation warnings. Elsewhere ``inputs`` are taken to be on a device, and what a
    GPU would have to be waited for is counted: reading values, results shaped by values, and blocking copies to the
    device. Waits inside autograd's backward pass are seen on CUDA only.

    Args:
        device: ``'cpu'`` or ``'cuda'``.
        inputs: modules and (containers of) tensors.

    Yields:
        Counter, ``{'folder/file.py:line': times}``, filled while the block runs.
    """
    waits = Counter()
    if device == 'cuda':
        with _cuda_warnings(waits):
            yield waits
        return
    for value in inputs:
        if isinstance(value, torch.nn.Module):
            value = [*value.parameters(), *value.buffers()]
        put_on_device(value)
    with _PretendDevice(waits):
        yield waits


@contextmanager
def _cuda_warnings(waits):
    def count(message, *args, **kwargs):
        if 'synchronizing' in str(message):
            waits[_where()] += 1

    with warnings.catch_warnings():
        warnings.simplefilter('always')
        warnings.showwarning = count
        torch.cuda.set_sync_debug_mode('warn')
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode('default')
