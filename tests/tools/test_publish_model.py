import pytest
import torch
from safetensors.torch import load_file
from scripts import load_script

from mmhuman_dto.fileio import BrokenFileError
from mmhuman_dto.fileio.tensors import read_metadata

publish = load_script('tools/model_converters/publish_model.py')


def test_only_the_network_is_given_away(tmp_path, capsys):
    weights = {'head.weight': torch.arange(6.).reshape(2, 3), 'denoising.embed.weight': torch.ones(2)}
    torch.save(dict(state_dict=weights, optimizer=dict(state={}), meta=dict(iter=7)), tmp_path / 'iter_7.pth')
    publish.main([str(tmp_path / 'iter_7.pth'), str(tmp_path / 'out/a.safetensors')])
    written = load_file(tmp_path / 'out/a.safetensors')
    assert written.keys() == {'head.weight'} and torch.equal(written['head.weight'], weights['head.weight'])
    assert '1 tensors' in capsys.readouterr().out


def test_what_users_must_know_stands_in_the_file(tmp_path):
    torch.save(dict(weight=torch.ones(2)), tmp_path / 'a.pth')
    for name, options in (('plain', []), ('toy', ['--caveat', 'a toy'])):
        publish.main([str(tmp_path / 'a.pth'), str(tmp_path / f'{name}.safetensors'), *options])
    assert [read_metadata(tmp_path / name) for name in ('toy.safetensors', 'plain.safetensors', 'a.pth')] == [
        dict(caveat='a toy'), {}, {}]
    (tmp_path / 'broken.safetensors').write_bytes(b'no checkpoint')
    with pytest.raises(BrokenFileError, match='broken.safetensors'):
        read_metadata(tmp_path / 'broken.safetensors')


def test_half_the_size(tmp_path):
    layer = torch.nn.Linear(50, 40)
    weights = dict(layer.state_dict(), steps=torch.tensor(7))
    torch.save(weights, tmp_path / 'a.pth')
    for name, options in (('whole', []), ('half', ['--half'])):
        publish.main([str(tmp_path / 'a.pth'), str(tmp_path / f'{name}.safetensors'), *options])
    half = load_file(tmp_path / 'half.safetensors')
    assert half.pop('steps').item() == 7 and half['weight'].dtype == torch.float16
    assert (tmp_path / 'half.safetensors').stat().st_size < .55 * (tmp_path / 'whole.safetensors').stat().st_size
    back = torch.nn.Linear(50, 40)
    back.load_state_dict(half)
    assert back.weight.dtype == torch.float32
    torch.testing.assert_close(back.weight, layer.weight, rtol=1e-3, atol=1e-4)
    torch.save(dict(weight=torch.tensor([1e5])), tmp_path / 'large.pth')
    with pytest.raises(SystemExit, match='weight.*too large'):
        publish.main([str(tmp_path / 'large.pth'), str(tmp_path / 'b.safetensors'), '--half'])


@pytest.mark.parametrize(('name', 'output', 'words'), [('iter_7.pth', 'a.pth', 'safetensors'),
                                                       ('gone.pth', 'a.safetensors', 'gone.pth'),
                                                       ('broken.pth', 'a.safetensors', 'broken.pth')])
def test_what_cannot_be_published_is_named(tmp_path, name, output, words):
    (tmp_path / 'broken.pth').write_bytes(b'no checkpoint')
    with pytest.raises(SystemExit, match=words):
        publish.main([str(tmp_path / name), str(tmp_path / output)])
