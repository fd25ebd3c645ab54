import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mmhuman_dto.engine.checkpoint import CheckpointError, load_weights


def network(**parts):
    return nn.ModuleDict(dict(head=nn.Linear(2, 3), **parts))


@pytest.mark.parametrize('wrap', [lambda state: state, lambda state: dict(state_dict=state, meta=dict(epoch=1))])
def test_weights_come_back_from_a_checkpoint_or_a_state_dict(tmp_path, wrap):
    source, target = network(), network(denoising=nn.Linear(1, 1))
    torch.save(wrap(source.state_dict()), tmp_path / 'a.pth')
    load_weights(target, tmp_path / 'a.pth')
    assert torch.equal(target['head'].weight, source['head'].weight)
    torch.save(target.state_dict(), tmp_path / 'b.pth')
    load_weights(source, tmp_path / 'b.pth')  # what training alone needs may be there


def test_weights_come_back_from_safetensors(tmp_path):
    source, target = network(), network()
    save_file(source.state_dict(), tmp_path / 'a.safetensors')
    load_weights(target, tmp_path / 'a.safetensors')
    assert torch.equal(target['head'].weight, source['head'].weight)
    (tmp_path / 'b.safetensors').write_bytes(b'x')
    with pytest.raises(CheckpointError, match='b.safetensors'):
        load_weights(target, tmp_path / 'b.safetensors')


def test_another_network_is_named(tmp_path):
    torch.save({'head.weight': torch.zeros(2, 2), 'neck.weight': torch.zeros(1)}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=r'lacks head.bias; has the unknown neck.weight; head.weight is \(2, 2\)'):
        load_weights(network(), tmp_path / 'a.pth')


class Harmful:
    def __reduce__(self):
        return print, ('code of a checkpoint was run', )


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('content', [b'', b'not a checkpoint', pickle.dumps({'state_dict': Harmful()}),
                                     pickle.dumps([1, 2])], ids=['empty', 'text', 'code', 'list'])
def test_what_is_no_checkpoint_is_refused(tmp_path, content, capsys):
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(CheckpointError, match='a.pth'):
        load_weights(network(), tmp_path / 'a.pth')
    assert 'was run' not in capsys.readouterr().out
