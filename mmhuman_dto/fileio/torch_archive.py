"""Archives of ``torch.save`` with more in them than tensors: plain containers and numpy arrays too."""
from pathlib import Path

import torch

from .archive import open_archive
from .errors import reading
from .unpickle import unpickle

#: What torch calls the storages of its types, without "Storage".
_TYPES = dict(Float='float32', Double='float64', Half='float16', BFloat16='bfloat16', Long='int64', Int='int32',
              Short='int16', Char='int8', Byte='uint8', Bool='bool')
_STORAGES = {f'{name}Storage': getattr(torch, dtype) for name, dtype in _TYPES.items()}
_PICKLE = '/data.pkl'


def is_torch_archive(path):
    """Whether a file is a zip archive that torch.save wrote; BrokenFileError, UnsafeFileError of archives."""
    with open_archive(path) as archive:
        return any(name.endswith(_PICKLE) for name in archive.namelist())


def load_torch_archive(path):
    """What ``torch.save`` wrote, tensors on the CPU, in containers and beside numpy arrays, without running anything.

    ``load_tensors``, which leaves all to torch, takes no numpy arrays.

    Raises:
        UnsafeFileError: it holds other objects, or would fill the memory. BrokenFileError: no whole archive.
    """
    path = Path(path)
    with open_archive(path) as archive, reading(path, 'an archive of torch.save'):
        names = [name for name in archive.namelist() if name.endswith(_PICKLE)]
        if len(names) != 1 or len(set(archive.namelist())) < len(archive.namelist()):
            raise ValueError('it has not one data.pkl, or two members of one name')
        folder = names[0].removesuffix(_PICKLE)
        if f'{folder}/byteorder' in archive.namelist() and archive.read(f'{folder}/byteorder') != b'little':
            raise ValueError('its bytes are in another order')
        kept = {}

        def storage(budget, identity):
            _, kind, key, *_ = identity
            if key not in kept:
                budget.pay(archive.getinfo(f'{folder}/data/{key}').file_size)
                content = bytearray(archive.read(f'{folder}/data/{key}'))
                kept[key] = torch.frombuffer(content, dtype=_STORAGES[kind]) if content else torch.empty(
                    0, dtype=_STORAGES[kind])
            return kept[key]

        return unpickle(archive.read(names[0]), str(path), storages=storage)
