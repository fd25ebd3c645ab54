import json
import struct

import pytest
import torch

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.safetensors import load_safetensors, save_safetensors

TENSORS = dict(a=torch.arange(6, dtype=torch.float32).reshape(2, 3), half=torch.tensor([.5, -2.], dtype=torch.bfloat16),
               flag=torch.tensor([True, False, True]), count=torch.tensor(7), none=torch.zeros(0, 4))


def test_what_is_written_reads_back(tmp_path):
    save_safetensors(TENSORS, tmp_path / 'a.safetensors', dict(licence='Apache-2.0'))
    back = load_safetensors(tmp_path / 'a.safetensors')
    assert back.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value)


def test_layout_is_the_published_one(tmp_path):
    """Bytes put together by hand, as the format's page describes them."""
    header = {'__metadata__': {'k': 'v'}, 'x': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}}
    text = json.dumps(header).encode()
    (tmp_path / 'x.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + struct.pack('<2f', 1.5, -3))
    assert load_safetensors(tmp_path / 'x.safetensors')['x'].tolist() == [1.5, -3]
    save_safetensors(TENSORS, tmp_path / 'a.safetensors')
    data = (tmp_path / 'a.safetensors').read_bytes()
    length, = struct.unpack_from('<Q', data)
    entry = json.loads(data[8:8 + length])['a']
    assert (8 + length) % 8 == 0 and entry['dtype'] == 'F32' and entry['shape'] == [2, 3]
    first, last = (8 + length + offset for offset in entry['data_offsets'])
    assert struct.unpack('<6f', data[first:last]) == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize('damage', [lambda d: b'', lambda d: d[:20], lambda d: d[:-1], lambda d: d + b'x',
                                    lambda d: b'\xff' * 8 + d[8:], lambda d: d.replace(b'"F32"', b'"F99"'),
                                    lambda d: d.replace(b'[2,3]', b'[2,9]'), lambda d: b'not safetensors at all'])
def test_damage_is_named(tmp_path, damage):
    path = tmp_path / 'a.safetensors'
    save_safetensors(TENSORS, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BrokenFileError, match='a.safetensors'):
        load_safetensors(path)
