"""Tensors by name in the safetensors format: nothing in such a file can be run, and reading needs no package.

Layout (https://github.com/huggingface/safetensors): 8 bytes little-endian length of a JSON header {name: {dtype, shape,
data_offsets}}, where ``__metadata__`` holds strings; then the tensors' bytes, little-endian, without gaps.
"""
import json
import math
from pathlib import Path

import torch

from .unpickle import BrokenFileError

_DTYPES = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64,
               I32=torch.int32, I16=torch.int16, I8=torch.int8, U8=torch.uint8, BOOL=torch.bool)
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def load_safetensors(path):
    """{name: CPU tensor} of a file.

    Raises:
        BrokenFileError: not a whole file of this format.
    """
    content = bytearray(Path(path).read_bytes())
    try:
        start = 8 + int.from_bytes(content[:8], 'little')
        header = json.loads(content[8:start])
        entries = {name: entry for name, entry in header.items() if name != '__metadata__'}
        if len(content) < 8 or sum(entry['data_offsets'][1] - entry['data_offsets'][0]
                                   for entry in entries.values()) != len(content) - start:
            raise ValueError('its length is not what its header says')
        return {name: _tensor(content, start, **entry) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise BrokenFileError(f'{path}: not a whole safetensors file ({error})') from error


def _tensor(content, start, dtype, shape, data_offsets):
    kind, (first, last) = _DTYPES[dtype], data_offsets
    count = math.prod(shape)
    if not 0 <= first <= last <= len(content) - start or last - first != count * kind.itemsize:
        raise ValueError(f'{dtype} {shape} does not fit bytes {first} to {last}')
    if count == 0:
        return torch.zeros(shape, dtype=kind)
    return torch.frombuffer(content, dtype=kind, count=count, offset=start + first).reshape(shape).clone()


def save_safetensors(tensors, path, metadata=None):
    """Write {name: tensor}, the same bytes for the same tensors.

    Args:
        metadata: {str: str}, kept in the header.
    """
    header, parts, at = {'__metadata__': metadata} if metadata else {}, [], 0
    # Largest elements first, so that all are aligned, as the format's own writer does.
    for name, value in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        value = value.detach().cpu().contiguous()
        parts.append(value.reshape(-1).view(torch.uint8).numpy().tobytes())
        header[name] = dict(dtype=_NAMES[value.dtype], shape=list(value.shape), data_offsets=[at, at + len(parts[-1])])
        at += len(parts[-1])
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    Path(path).write_bytes(len(text).to_bytes(8, 'little') + text + b''.join(parts))
