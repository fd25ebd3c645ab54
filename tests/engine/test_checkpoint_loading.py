import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mmhuman_dto.engine.checkpoint import CheckpointError, load_weights


def network(**parts):
    return nn.ModuleDict(dict(head=nn.Linear(2, 3), **parts))


@pytest.mark.parametrize('name, save', [
    ('a.pth', torch.save), ('a.pth', lambda state, path: torch.save(dict(state_dict=state, meta=dict(epoch=1)), path)),
    ('a.safetensors', save_file)])
def test_weights_come_back(tmp_path, name, save):
    source, training = network(), network(denoising=nn.Linear(1, 1))
    save(source.state_dict(), tmp_path / name)
    load_weights(training, tmp_path / name)
    assert torch.equal(training['head'].weight, source['head'].weight)
    save(training.state_dict(), tmp_path / name)
    load_weights(source, tmp_path / name)  # what training alone needs may be there


def test_another_network_is_named(tmp_path):
    torch.save({'head.weight': torch.zeros(2, 2), 'neck.weight': torch.zeros(1)}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=r'lacks head.bias; has the unknown neck.weight; head.weight is \(2, 2\)'):
        load_weights(network(), tmp_path / 'a.pth')


class Harmful:
    def __reduce__(self):
        return print, ('code of a checkpoint was run', )


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('name', ['a.pth', 'a.safetensors'])
@pytest.mark.parametrize('content', [b'', b'not a checkpoint', pickle.dumps({'state_dict': Harmful()}),
                                     pickle.dumps([1, 2])], ids=['empty', 'text', 'code', 'list'])
def test_what_is_no_checkpoint_is_refused(tmp_path, name, content, capsys):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=name):
        load_weights(network(), tmp_path / name)
    assert 'was run' not in capsys.readouterr().out
