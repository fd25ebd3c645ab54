"""The names -> tensors inside a checkpoint, however they were wrapped when it was saved."""
import logging
import re

import torch

_LOGGER = logging.getLogger(__name__)

#: Keys that weights lie under; of several in one file the first is taken. MMEngine's ``EMAHook`` keeps the averaged
#: weights, the better ones, under ``state_dict``, and the others under ``ema_state_dict``.
KEYS = ('state_dict', 'model', 'model_state_dict', 'ema_state_dict', 'model_ema', 'state_dict_ema', 'teacher')
#: What PyTorch's wrappers put into names, wherever they stand: torch.compile, FSDP, activation checkpointing.
_WRAPPERS = re.compile(r'(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.')
#: What DataParallel and averaged models put before all names, and the counters that averaged models have besides.
_MODULE, _COUNTERS = 'module.', {'steps', 'n_averaged'}


def unwrap(checkpoint, path):
    """The names -> tensors of what was loaded from ``path``: bare, or under (nested) ``KEYS``; names without wrappers.

    Raises:
        ValueError: there is no such thing; names the file and what it holds.
    """
    content, place = checkpoint, 'the file'
    while not _is_state(content):
        found = [key for key in KEYS if isinstance(content, dict) and isinstance(content.get(key), dict)]
        if not found:
            raise ValueError(f'{path}: holds no state dict, names -> tensors, bare or under one of the keys '
                             f'{", ".join(KEYS)}; {place} {_describe(content)}')
        if len(found) > 1:
            _LOGGER.warning('%s: the weights under the key %r are taken; %s there too', path, found[0],
                            f'{", ".join(map(repr, found[1:]))} {"is" if len(found) == 2 else "are"}')
        content, place = content[found[0]], repr(found[0])
    return _without_module({_WRAPPERS.sub('', name): value for name, value in content.items()})


def _is_state(content):
    return isinstance(content, dict) and bool(content) and all(
        isinstance(name, str) and torch.is_tensor(value) for name, value in content.items())


def _without_module(state):
    weights = [name for name in state if name not in _COUNTERS]
    if not weights or not all(name.startswith(_MODULE) for name in weights):
        return state
    return _without_module({name[len(_MODULE):]: state[name] for name in weights})


def _describe(content):
    if not isinstance(content, dict):
        return f'is a {type(content).__name__}'
    others = [str(name) for name, value in content.items() if not torch.is_tensor(value)]
    if not others:
        return 'is empty'
    return f'holds what is no tensor: {", ".join(others[:5])}' + (f' and {len(others) - 5} more' if others[5:] else '')
