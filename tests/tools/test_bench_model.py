import copy
import json
import warnings
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.runner import get_priority
from scripts import ROOT, load_script

from mmhuman_dto.engine.hooks import LossSummaryHook
from mmhuman_dto.models.task_modules import Denoising

bench = load_script('tools/benchmark/bench_model.py')
TINY = str(ROOT / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py')
SHARES = (.25, .75)


@pytest.fixture(scope='module')
def networks():
    """Ours, the two plain ones on the same weights, and a batch of two pictures of different shapes."""
    torch.manual_seed(0)
    config = bench.model_config(TINY, 224)
    config['backbone']['layer_scale'] = 1.
    ours = bench.build(config)
    plain = {layout: bench.build_plain(config, ours, layout) for layout in ('padded', 'masked')}
    datasets = bench.crowds(224, 2)
    return ours, plain, bench.batch_of([datasets[0], datasets[1]], 2)


def run(model, batch, mode):
    with bench.ForcedSplit(model, batch, SHARES):
        return model(**model.data_preprocessor(batch), mode=mode)


@pytest.mark.parametrize('layout', ['padded', 'masked'])
def test_the_plain_way_gives_the_same(networks, layout):
    ours, plain, batch = networks
    wanted, found = run(ours, batch, 'tensor'), run(plain[layout], batch, 'tensor')
    layers = [[{name: value[i] for name, value in outputs['layers'].items()} for i in range(2)]
              for outputs in (wanted, found)]
    for some, other in zip([wanted, *layers[0]], [found, *layers[1]]):
        assert len([name for name in some if name.startswith('pred_')]) >= 8
        assert bench.largest_difference(some, other) < 1e-4


def test_the_plain_way_learns_the_same(networks):
    ours, plain, batch = networks
    losses = [run(model, batch, 'loss') for model in (ours, plain['padded'])]
    total = [model.parse_losses(found)[0] for model, found in zip((ours, plain['padded']), losses)]
    torch.testing.assert_close(total[0], total[1], rtol=1e-4, atol=0)
    for model, loss in zip((ours, plain['padded']), total):
        model.zero_grad()
        loss.backward()
    for (name, ours_parameter), parameter in zip(ours.named_parameters(), plain['padded'].parameters()):
        gap = (ours_parameter.grad - parameter.grad).abs().max()
        assert gap <= 1e-3 * ours_parameter.grad.abs().max() + 1e-6, name


def test_a_forced_split_counts_its_tokens_and_leaves_nothing_behind(networks):
    model, _, batch = networks
    images = model.data_preprocessor(batch)['inputs']
    with torch.no_grad():
        before = model.backbone(images)
        with bench.ForcedSplit(model, batch, SHARES) as split:
            forced = model.backbone(images)
        after = model.backbone(images)
    # Both have 12 quads, of the 16 in a period. First: 4 split, 6 kept, 2 joined; second: all split.
    assert forced.packing.lens == split.tokens == [4 * 16 + 6 * 4 + 2, 12 * 16]
    assert torch.equal(before.features, after.features) and before.packing.lens == after.packing.lens


def test_waits_are_counted_where_a_device_would_be_waited_for():
    x = torch.arange(4.)
    host = torch.tensor([0, 2])

    def waits(function):
        with bench.count_waits('cpu', x) as found:
            function()
        return found.total()

    assert waits(lambda: (x * 2).sum()) == 0
    assert waits(lambda: (x * 2).sum().item()) == 1
    assert waits(lambda: bool((x > 1).any())) == 1
    assert waits(lambda: x[x > 1]) == 1
    assert waits(lambda: (x > 1).nonzero()) == 1
    assert waits(lambda: x[[0, 2]]) == 1
    assert waits(lambda: x[host]) == 1
    assert waits(lambda: x[host.to(x.device, non_blocking=True)]) == 0
    assert waits(lambda: host.to(x.device)) == 1
    assert waits(lambda: torch.tensor([1.], device=x.device) + x) == 1
    assert waits(lambda: x.new_tensor([1.])) == 1
    assert waits(lambda: torch.full((2, ), 1., device=x.device) + x.new_zeros(2)) == 0
    assert waits(lambda: host.tolist() and host.nonzero() and host[host > 1]) == 0
    assert waits(lambda: x.cpu().tolist()) == 1


def test_bodies_and_denoising_never_wait(networks):
    """Nor do named joint sets, and the log takes all losses at once."""
    model, _, batch = networks
    data = model.data_preprocessor(copy.deepcopy(batch))
    targets = model.targets(data['data_samples'], model.body_model, model.input_size)
    pose, betas, transl = torch.rand(3, 24, 3), torch.rand(3, 11), torch.rand(3, 3)
    denoising = Denoising(16, 11)
    with bench.count_waits('cpu', model, denoising, pose, betas, transl, vars(targets)) as waits:
        for arguments in ((pose, betas, transl), (pose.flatten(1), betas)):
            body = model.body_model(*arguments)
            for name in ('smpl24', 'smpl45', 'crowdpose14'):
                model.body_model.select_joints(body, name)
        model.body_model.skeleton(pose, betas)
        model.body_model.height(betas)
        denoising(targets, 7)
    assert not waits


def test_losses_are_logged_with_one_wait():
    """MMEngine's own hook would fetch them one by one, had not ours, which comes first, made them numbers."""
    hooks = sorted([RuntimeInfoHook(), LossSummaryHook()], key=lambda hook: get_priority(hook.priority))
    losses = {name: torch.rand(()) for name in ('loss', 'loss_boxes', 'loss_boxes.0', 'loss_dn_boxes')}
    runner = SimpleNamespace(message_hub=MessageHub.get_instance('losses_are_logged_with_one_wait'),
                             model=torch.nn.Linear(2, 2), optim_wrapper=None)
    with bench.count_waits('cpu', losses, runner.model) as waits:
        for hook in hooks:
            hook.after_train_iter(runner, 0, outputs=losses)
    assert waits.total() == 1
    logged = set(runner.message_hub.log_scalars)
    assert logged == {f'train/{name}' for name in ('loss', 'loss_boxes', 'loss_aux', 'loss_dn')}


def test_on_cuda_waits_are_torch_s_own_warnings(monkeypatch):
    modes = []
    monkeypatch.setattr(torch.cuda, 'set_sync_debug_mode', modes.append)
    with bench.count_waits('cuda') as found:
        for _ in range(2):
            warnings.warn('called a synchronizing CUDA operation')
        warnings.warn('something else')
    assert list(found.values()) == [2] and 'tools/test_bench_model.py:' in next(iter(found))
    assert modes == ['warn', 'default']


def test_the_benchmark_writes_its_figures(tmp_path, capsys):
    path = tmp_path / 'figures.json'
    bench.main(['--config', TINY, '--sizes', '112', '--images', '2', '--splits', 'mixed', '--rounds', '1',
                      '--variants', 'bf16', '--device', 'cpu', '--json', str(path)])
    found = json.loads(path.read_text())
    size = found['sizes']['112']
    figures = size['splits']['mixed']
    assert figures['largest_difference']['padded'] < 1e-4
    assert size['waits']['ours']['matcher_and_losses'] == 1 < size['waits']['padded']['matcher_and_losses']
    for mode in ('forward', 'train'):
        times = figures['seconds'][mode]
        assert set(times) == {'ours', 'padded', 'bf16'} and min(times.values()) > 0
        assert figures['ratio_to_plain'][mode]['padded'] == pytest.approx(times['ours'] / times['padded'])
        assert figures['cost']['ours'][mode]['gflop'] < figures['cost']['padded'][mode]['gflop']
    assert figures['cost']['ours']['train']['kept_mb'] < figures['cost']['padded']['train']['kept_mb']
    parts = figures['parts']['ours']
    assert parts['encoder'] + parts['decoder'] + parts['targets'] < parts['forward'] < 1
    assert {'loader', 'body_model', 'matcher', 'matcher_and_losses'} <= set(parts)
    assert 'of padded' in capsys.readouterr().out
