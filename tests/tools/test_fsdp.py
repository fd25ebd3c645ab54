"""Networks spread over processes: the same training, the same files."""
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file
from torch import distributed

import mmhuman_dto.models  # noqa: F401
from mmhuman_dto.apis import init_model
from mmhuman_dto.apis.dry_run import synthetic_batch
from mmhuman_dto.engine.optim import AutocastOptimWrapper
from mmhuman_dto.engine.sharding import FullyShardedStrategy
from mmhuman_dto.registry import MODELS

RECIPE = Path(__file__).parents[2] / 'configs/metric_hmr/vit-h_dto-humans_fsdp.py'
SHARDED = """
_base_ = ['{config}']
strategy = dict(type='mmhuman_dto.FullyShardedStrategy', unit_pattern={pattern!r})
train_dataloader = dict(batch_size=1)
"""


@pytest.fixture(scope='module')
def pattern():
    """Units of the recipe."""
    return Config.fromfile(RECIPE).strategy.unit_pattern


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A process group of this process alone."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    distributed.init_process_group('gloo', init_method=f'file://{tmp_path}/group', rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def wrapped(model, pattern, folder, **kwargs):
    strategy = FullyShardedStrategy(unit_pattern=pattern, work_dir=str(folder), **kwargs)
    strategy.model = strategy._wrap_model(model)
    return strategy


def build(config, **backbone):
    torch.manual_seed(0)
    config = Config.fromfile(config).model
    config.backbone.update(backbone)
    return MODELS.build(config).train()


def gradients(model, batch):
    """Loss and the gradient of each parameter, under the flagship's autocast."""
    wrapper = AutocastOptimWrapper(torch.optim.SGD(model.parameters(), .1))
    torch.manual_seed(1)
    with wrapper.optim_context(model):
        loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode='loss'))
    loss.backward()
    return loss.item(), {name: p.grad.full_tensor() if hasattr(p.grad, 'full_tensor') else p.grad
                         for name, p in model.named_parameters() if p.grad is not None}


def test_bfloat16_units_compute_what_autocast_does(config, pattern, alone, tmp_path):
    batch = synthetic_batch(112, 2)
    loss, plain = gradients(build(config), batch)
    strategy = wrapped(build(config), pattern, tmp_path, param_dtype='bfloat16')
    sharded_loss, sharded = gradients(strategy.model, batch)
    assert sharded_loss == pytest.approx(loss, rel=1e-5)
    assert plain.keys() == sharded.keys()
    sizes = defaultdict(float)  # of a module: normalisation leaves next to nothing of a gain's own gradient
    for name, gradient in plain.items():
        sizes[name.rpartition('.')[0]] += gradient.norm()**2
    for name, gradient in sharded.items():
        assert gradient.dtype == torch.float32
        assert (gradient - plain[name]).norm() <= .02 * sizes[name.rpartition('.')[0]]**.5, name


def test_recomputed_activations_give_the_same_gradients(config, pattern, alone, tmp_path):
    batch = synthetic_batch(112, 2)
    (loss, kept), (again, recomputed) = (
        gradients(wrapped(build(config, with_cp=with_cp), pattern, tmp_path).model, batch) for with_cp in (False, True))
    assert loss == again
    assert all(torch.equal(kept[name], recomputed[name]) for name in kept)


def test_a_unit_that_is_not_there_is_named(config, alone, tmp_path):
    with pytest.raises(ValueError, match='blobs'):
        wrapped(build(config), r'backbone\.blobs', tmp_path)


@pytest.fixture(scope='module')
def sharded(config, pattern, tmp_path_factory):
    """The small recipe, spread over processes."""
    path = tmp_path_factory.mktemp('sharded') / 'sharded.py'
    path.write_text(SHARDED.format(config=config, pattern=pattern))
    return path


@pytest.fixture(scope='module')
def sharded_run(sharded, whole_run, finish, tmp_path_factory):
    """Work folder of two processes that went on from a checkpoint of one, recomputing activations."""
    folder = tmp_path_factory.mktemp('two')
    status, text = finish('train.py', sharded, '--work-dir', folder, '--resume', whole_run / 'iter_2.pth',
                          '--cfg-options', 'model.backbone.with_cp=True', ranks=2)
    assert status == 0, text
    return folder


@pytest.mark.slow
def test_two_processes_train_as_one(sharded_run, whole_run, losses_of):
    one, two = losses_of(whole_run), losses_of(sharded_run)
    assert list(two) == [3, 4, 5, 6, 7]
    for step, losses in two.items():
        assert losses == pytest.approx(one[step], rel=1e-3)


@pytest.mark.slow
def test_checkpoint_is_that_of_one_process(sharded_run, whole_run):
    one, two = (torch.load(folder / 'iter_7.pth', weights_only=True) for folder in (whole_run, sharded_run))
    assert list(one['state_dict']) == list(two['state_dict'])
    for name, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][name], value, rtol=0, atol=3e-4)
    assert one['optimizer']['param_groups'] == two['optimizer']['param_groups']
    assert one['optimizer']['state'].keys() == two['optimizer']['state'].keys()
    for index, state in one['optimizer']['state'].items():
        for name, value in state.items():
            torch.testing.assert_close(two['optimizer']['state'][index][name], value, rtol=.02, atol=1e-3)
    assert one['param_schedulers'] == two['param_schedulers']


@pytest.mark.slow
def test_resuming_goes_on_exactly(sharded, sharded_run, finish, weights_of, tmp_path):
    status, text = finish('train.py', sharded, '--work-dir', tmp_path, '--resume', sharded_run / 'iter_4.pth',
                          '--cfg-options', 'model.backbone.with_cp=True', ranks=2)
    assert status == 0, text
    first, second = (weights_of(folder / 'iter_7.pth') for folder in (sharded_run, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_one_process_goes_on_from_two(config, sharded_run, finish, losses_of, tmp_path):
    status, text = finish('train.py', config, '--work-dir', tmp_path, '--resume', sharded_run / 'iter_4.pth')
    assert status == 0, text
    one, two = losses_of(tmp_path), losses_of(sharded_run)
    assert list(one) == [5, 6, 7]
    for step, losses in one.items():
        assert losses == pytest.approx(two[step], rel=1e-3)


@pytest.mark.slow
def test_checkpoint_is_tested_loaded_and_published(sharded, sharded_run, finish, weights_of, tmp_path):
    checkpoint, published = sharded_run / 'iter_7.pth', tmp_path / 'network.safetensors'
    status, text = finish('test.py', sharded, checkpoint, '--work-dir', tmp_path)
    assert status == 0 and 'crowd/f1' in text, text
    model = init_model(str(sharded), str(checkpoint), 'cpu')
    trained = weights_of(checkpoint)
    assert all(torch.equal(value, trained[name]) for name, value in model.state_dict().items())
    status, text = finish('model_converters/publish_model.py', checkpoint, published)
    assert status == 0, text
    assert all(torch.equal(value, trained[name]) for name, value in load_file(published).items())
