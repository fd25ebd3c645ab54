"""From published weights to a network: whatever is missing on the way, one message says what to get and what to run."""
import json

import pytest
import torch
from scripts import ROOT, load_script
from torch import nn

from mmhuman_dto.engine.checkpoint import CheckpointError, load_weights
from mmhuman_dto.engine.model import init_model

converter = load_script('tools/model_converters/mahmr2mmhuman.py')
PAGE = 'https://github.com/gouba2333/MA-HMR'
CONVERT = 'python tools/model_converters/mahmr2mmhuman.py'


@pytest.fixture(params=[lambda state: state, lambda state: dict(model=state)], ids=['bare', 'wrapped'])
def published(request, tmp_path):
    """A file with the names and shapes of the published weights, and one value for each tensor."""
    shapes = json.loads((ROOT / 'tests/data/parity/model_checkpoint_vitb_1288_state.json').read_text())
    path = tmp_path / 'mahmr_stage3.bin'
    torch.save(request.param({name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}), path)
    return path


def test_no_weights():
    for name, file in (('vit-b_dto-humans', 'mahmr_stage3.bin'), ('vit-b_camera', 'mahmr_stage2.bin')):
        with pytest.raises(FileNotFoundError, match=f'gone.pth: no such weights; .* such as {file}, which {PAGE} links '
                                                    rf'to \(CC BY-NC\), after {CONVERT} {file} data/weights/{name}.pth '
                                                    '--verify; see docs/tutorials/published_weights.md'):
            init_model(name, 'gone.pth')


def test_nothing_to_convert(tmp_path):
    with pytest.raises(SystemExit, match=f'gone.bin: no such file; {PAGE} links to .*mahmr_stage3.bin'):
        converter.main([str(tmp_path / 'gone.bin'), str(tmp_path / 'out.pth')])


def test_not_converted(published):
    with pytest.raises(CheckpointError, match=f'MA-HMR or SAT-HMR under their own names. Convert them: {CONVERT} '
                                              f'{published} {published.with_suffix(".pth")} --verify; then give'):
        load_weights(nn.Linear(1, 1), published)


def test_converted_and_given_to_another_config(published, capsys):
    converted = published.with_suffix('.pth')
    assert converter.main([str(published), str(converted)]) == 0
    assert f'--recipe network --model vit-b_dto-humans --checkpoint {converted}' in capsys.readouterr().out
    with pytest.raises(CheckpointError, match='is of another network: .*Configs with its network: vit-b_dto-humans, '):
        load_weights(nn.Linear(1, 1), converted)
