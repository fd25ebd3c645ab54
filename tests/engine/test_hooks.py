import math
import re
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.visualization import Visualizer

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.engine.divergence import DivergedError
from mmhuman_dto.engine.hooks import LossSummaryHook, PlainCheckpointHook, PredictionVisualizationHook
from mmhuman_dto.structures import Camera, HumanDataSample, People, to_original
from mmhuman_dto.visualization import read_image


def test_losses_of_earlier_layers_and_of_denoising_are_summed():
    outputs = {name: torch.tensor(value) for name, value in {
        'loss': 15., 'loss_boxes': 1., 'loss_boxes.0': 2., 'loss_giou.1': 4., 'loss_dn_boxes': 3., 'loss_dn_boxes.0': 5.
    }.items()}
    runner = SimpleNamespace(model=torch.nn.Linear(1, 1), optim_wrapper=None,
                             message_hub=SimpleNamespace(log_scalars={}))
    LossSummaryHook().after_train_iter(runner, 0, outputs=outputs)
    assert outputs == dict(loss=15., loss_boxes=1., loss_aux=6., loss_dn=8.)


@pytest.mark.parametrize('losses, weight, norm, scaler, said', [
    ((1., math.nan), 1., 1., False, 'nan in loss_boxes\\.'),
    ((math.inf, 1.), 1., 1., False, 'inf in loss_confs\\.'),
    ((1., 1.), math.nan, 1., False, 'nan in the weights'),
    ((1., 1.), -math.inf, 1., True, 'inf in the weights'),
    ((1., 1.), 1., math.inf, False, 'inf in the norm of the gradients'),
    ((1., 1.), 1., math.inf, True, None),  # that step was skipped, with a smaller scale for the next
    ((1., 1e30), 1e30, 1e30, False, None)])
def test_what_is_not_finite_ends_the_training_naming_step_term_and_images(losses, weight, norm, scaler, said):
    model = torch.nn.Linear(1, 1)
    model.weight.data.fill_(weight)
    hub = SimpleNamespace(log_scalars=['train/grad_norm'], get_scalar=lambda name: HistoryBuffer([0., norm], [1, 1]))
    optim = SimpleNamespace(grad_name='grad_norm', **(dict(loss_scaler=None) if scaler else {}))
    runner = SimpleNamespace(model=model, optim_wrapper=optim, message_hub=hub, iter=6)
    outputs = dict(zip(('loss_confs', 'loss_boxes.0'), map(torch.tensor, losses)))
    data = dict(data_samples=[HumanDataSample(metainfo=dict(img_id=name)) for name in ('a.jpg', 'b.jpg')])
    with pytest.raises(DivergedError) if said else nullcontext() as error:
        LossSummaryHook().after_train_iter(runner, 0, data, outputs)
    assert said is None or re.match(f'step 7, images a.jpg, b.jpg: .*{said}', str(error.value))


def test_a_checkpoint_is_plain_and_its_history_comes_back(tmp_path):
    hook = PlainCheckpointHook()
    hub = dict(log_scalars={'train/loss': HistoryBuffer([3., 2.], [1, 1])}, runtime_info={'eta': np.float64(5.)},
               resumed_keys={'train/loss': True})
    model = torch.nn.Linear(1, 1)
    runner = SimpleNamespace(model=model, _resume=True, _load_from='a.pth')
    checkpoint = dict(message_hub=hub, meta={}, state_dict=model.state_dict())
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth', weights_only=True)
    hook.after_load_checkpoint(runner, loaded)
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer) and history.mean() == 2.5 and history.current() == 2.
    assert loaded['message_hub']['runtime_info'] == {'eta': 5.}


@pytest.fixture(scope='module')
def batch():
    dataset = SyntheticCrowd(scenes=dict(size=(112, 168), people=(2, 3)), num_scenes=3,
                             pipeline=[dict(type='PackHumanInputs')])
    items = [dataset[i] for i in range(3)]
    for item in items:
        sample = item['data_samples']
        sample.pred_camera = sample.gt_camera
        truth = sample.gt_instances[:1]
        sample.pred_instances = People(**{name: truth[name] for name in (
            'global_orient', 'body_pose', 'betas', 'transl')})
        to_original(sample)
    return dict(inputs=[item['inputs'] for item in items]), [item['data_samples'] for item in items]


def test_first_images_are_drawn_each_validation(batch, tmp_path):
    data, samples = batch
    runner = SimpleNamespace(visualizer=Visualizer(
        vis_backends=[dict(type='LocalVisBackend')], save_dir=str(tmp_path)))
    hook = PredictionVisualizationHook(dict(type='OpenBody'), num_images=2)
    for runner.iter in (7, 9):
        hook.before_val_epoch(runner)
        hook.after_val_iter(runner, 0, data, samples)
    pictures = {path.name: read_image(path) for path in sorted((tmp_path / 'vis_data/vis_image').iterdir())}
    assert list(pictures) == ['val_0_7.png', 'val_0_9.png', 'val_1_7.png', 'val_1_9.png']
    plain = data['inputs'][0].permute(1, 2, 0).numpy()
    truth, prediction = np.split(pictures['val_0_9.png'], 2, axis=1)
    changed = [(side != plain).any(-1) for side in (truth, prediction)]
    assert changed[0].sum() > changed[1].sum() > 50  # everybody on the left, the one predicted person on the right
    assert (changed[1] <= changed[0]).all()


def test_drawn_at_the_size_the_network_saw(batch):
    """People of an image twice as large, seen at half of it: the same picture."""
    data, samples = batch
    hook = PredictionVisualizationHook(dict(type='OpenBody'))
    large = samples[0].clone()
    large.set_metainfo(dict(input_warp=np.diag([.5, .5, 1.])))
    for side in ('gt', 'pred'):
        intrinsics = torch.diag(torch.tensor([2., 2, 1])) @ large.get(f'{side}_camera').intrinsics
        large.set_field(Camera(intrinsics=intrinsics), f'{side}_camera')
    assert np.array_equal(hook._draw(data['inputs'][0], large), hook._draw(data['inputs'][0], samples[0]))


def test_nobody_predicted_is_the_plain_image(batch):
    data, samples = batch
    sample = samples[2]
    sample.pred_instances = sample.pred_instances[torch.zeros(1, dtype=torch.bool)]
    hook = PredictionVisualizationHook(dict(type='OpenBody'))
    picture = hook._draw(data['inputs'][2], sample)
    assert np.array_equal(picture[:, 168:], data['inputs'][2].permute(1, 2, 0).numpy())
