import logging
import pickle

import pytest
import torch
from mmengine.model import BaseModule
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from mmhuman_dto.engine.checkpoint import CheckpointError, load_weights, weights_to_go_on_with, weights_to_start_from
from mmhuman_dto.registry import WEIGHT_INITIALIZERS


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


def prefixed(*prefixes):
    return lambda state: {prefix + name: value for prefix in prefixes for name, value in state.items()}


def compiled(state):
    """As torch.compile of one part of a network names it."""
    return {name.replace('head.', 'head._orig_mod.'): value for name, value in state.items()}


RUN = dict(meta=dict(iter=3), message_hub={})
#: What people have in their files, by what was done to a network before it was saved.
WRAPPED = dict(
    data_parallel=prefixed('module.'), compiled=prefixed('_orig_mod.'), part_compiled=compiled,
    both=lambda state: prefixed('module.')(prefixed('_orig_mod.')(state)),
    other_way=lambda state: dict(state_dict=prefixed('_orig_mod.')(prefixed('module.module.')(state))),
    sharded=prefixed('_fsdp_wrapped_module.'), key=lambda state: dict(model=state, epoch=3),
    key_in_key=lambda state: dict(model=dict(state_dict=prefixed('module.')(state))),
    lightning=lambda state: dict(state_dict=prefixed('model.')(state), hyper_parameters={}),
    attribute=prefixed('detector.net.'), averaged=lambda state: dict(model_ema=state, epoch=3),
    mmengine_ema=lambda state: dict(ema_state_dict=dict(prefixed('module.')(state), steps=torch.tensor(7))),
    swa=lambda state: AveragedModel(loaded(state)).state_dict(),
    both_kept=lambda state: dict(state_dict=state, ema_state_dict=prefixed('module.')({
        name: value + 1 for name, value in state.items()})))


def loaded(state):
    model = network()
    model.load_state_dict(state)
    return model


@pytest.mark.parametrize('wrap', WRAPPED.values(), ids=WRAPPED)
def test_what_wrappers_put_around_weights_is_taken_off(tmp_path, wrap):
    source, path = network(), tmp_path / 'a.pth'
    torch.save(wrap(source.state_dict()), path)
    model = network()
    load_weights(model, path)
    start = weights_to_start_from(model.state_dict(), torch.load(path), path)
    for name, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[name], value) and torch.equal(start[name], value)


@pytest.mark.parametrize('content, words', [
    (lambda state: dict(epoch=3, weights=state), 'under one of the keys state_dict, model, .*epoch, weights'),
    (prefixed('student.', 'teacher.'), r'several networks .* prefixes student\., teacher\.'),
    (lambda state: dict(model={}), "'model' is empty"), (lambda state: [1], 'the file is a list'),
    (lambda state: dict(state, epoch=3), 'no tensor: epoch')])
def test_what_cannot_be_taken_off_is_named(tmp_path, content, words):
    torch.save(content(network().state_dict()), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=f'a.pth: .*{words}'):
        load_weights(network(), tmp_path / 'a.pth')


def test_of_two_kinds_of_weights_it_is_said_which_are_taken(tmp_path, caplog):
    torch.save(dict(model=network().state_dict(), model_ema=network().state_dict()), tmp_path / 'a.pth')
    load_weights(network(), tmp_path / 'a.pth')
    assert "the key 'model' are taken; 'model_ema' is there too" in caplog.text


def test_a_training_starts_from_what_fits_and_names_a_few_of_the_others(caplog):
    ours = network(neck=nn.Linear(4, 4), **{f'lost{i}': nn.Linear(1, 1) for i in range(5)}).state_dict()
    theirs = network(neck=nn.Linear(4, 5)).state_dict()
    fitting = weights_to_start_from(ours, dict(state_dict=theirs), 'start.pth')
    assert fitting.keys() == {'head.weight', 'head.bias'}
    assert caplog.messages == ['start.pth: 2 of 14 tensors of the network fit; lacks lost0.bias, lost0.weight, '
                               'lost1.bias and 7 more; neck.weight is (5, 4), the network has (4, 4), neck.bias is '
                               '(5,), the network has (4,). Only what fits is taken']
    with pytest.raises(CheckpointError, match='start.pth is of another network: 0 of 14 .*has the unknown foot'):
        weights_to_start_from(ours, {'foot.weight': torch.zeros(1)}, 'start.pth')


@pytest.mark.parametrize('change, words', [
    (lambda state: state, 'lacks state_dict, meta, message_hub. To start from its weights: .*load_from=a.pth'),
    (lambda state: dict(RUN, state_dict={'neck.weight': torch.zeros(1)}), '0 of 2 tensors of the network fit'),
    (lambda state: dict(RUN, state_dict={'head.weight': state['head.weight']}), 'fit; lacks head.bias. A run goes on')])
def test_a_run_goes_on_with_its_own_network_alone(change, words):
    state = network().state_dict()
    wrapped = dict(RUN, state_dict=prefixed('module.')(state))
    assert weights_to_go_on_with(state, wrapped, 'a.pth').keys() == state.keys()
    with pytest.raises(CheckpointError, match=words):
        weights_to_go_on_with(state, change(state), 'a.pth')


class Part(BaseModule):
    def __init__(self, **init_cfg):
        super().__init__(dict(type='mmhuman_dto.Pretrained', **init_cfg))
        self.head = nn.Linear(2, 3)


def test_a_part_starts_from_a_file_of_which_something_fits(tmp_path, caplog):
    source, path = network(), str(tmp_path / 'a.pth')
    torch.save(dict(model=prefixed('module.backbone.')(source.state_dict())), path)
    assert WEIGHT_INITIALIZERS.get('Pretrained').__module__ == 'mmhuman_dto.engine.initializers'
    part = Part(checkpoint=path, prefix='backbone.')
    part.init_weights()
    assert torch.equal(part.head.weight, source['head'].weight)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    with pytest.raises(CheckpointError, match="a.pth: none of its names begins with the prefix 'neck.'"):
        Part(checkpoint=path, prefix='neck.').init_weights()
    torch.save({'foot.weight': torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match='of another network: 0 of 2 tensors'):
        Part(checkpoint=path).init_weights()
