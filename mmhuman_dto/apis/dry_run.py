"""Build a config's model and run one synthetic batch through it: does it work, and what does a step cost?"""
import time
from functools import partial

import torch
from mmengine.dataset import pseudo_collate

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.registry import BODY_MODELS, MODELS

from .flops import flop_counter
from .memory import LiveTensors
from .training import missing_files

#: Bytes a parameter in float32 takes with its gradient and AdamW's two averages.
STATE_BYTES = 16
#: What takes the place of a part of a model config whose files are not there: (value, words).
_STAND_INS = {
    'body_model': (dict(type='OpenBody'), 'OpenBody, which has the same joints and coefficients, stands in'),
    'mean_params': (None, 'poses start at the rest pose'),
    'init_cfg': (None, 'weights start at random'),
}


def with_stand_ins(config):
    """A model config that needs none of the files that are not there, and what was replaced, in words."""
    result, notes = {}, []
    for key, value in config.items():
        missing = [path for _, path, _ in missing_files({key: value})]
        if key in _STAND_INS and missing:
            value, words = _STAND_INS[key]
            notes.append(f'{", ".join(missing)} not there: {words}')
        elif isinstance(value, dict):
            value, more = with_stand_ins(value)
            notes += more
        result[key] = value
    return result, notes


def synthetic_batch(input_size, images, num_betas=11):
    """A batch of rendered crowds at the network's size, as the loader gives it; they pass for any body model's."""
    scenes = dict(size=(input_size * 3 // 4, input_size), people=(2, 8))
    pack = dict(type='PackHumanInputs', drop=('gt_maps', 'body_model'))
    dataset = SyntheticCrowd(scenes=scenes, num_scenes=images, pipeline=[pack])
    batch = pseudo_collate([dataset[i] for i in range(images)])
    for people in (sample.gt_instances for sample in batch['data_samples']):
        people.betas = torch.nn.functional.pad(people.betas, (0, num_betas - people.betas.shape[1]))
    return batch


def dry_run(cfg, images=1):
    """One forward and backward pass of the config's model over ``images`` rendered crowds.

    Returns:
        str: a report of parameters, FLOPs, time and memory.

    Raises:
        FloatingPointError: the loss or a gradient is not finite.
    """
    config, notes = with_stand_ins(cfg.model.to_dict())
    if config['body_model']['type'] == 'OpenBody':  # which may stand in for SMPL with its 10 shape coefficients
        for part in ('head', 'denoising'):
            if config.get(part):
                config[part]['num_betas'] = BODY_MODELS.build(config['body_model']).num_betas
    device = pick_device()
    model = MODELS.build(config).to(device).train()
    bad = []
    for name, param in model.named_parameters():
        param.register_post_accumulate_grad_hook(partial(_check_and_drop, name, bad))
    batch = synthetic_batch(model.input_size, images, model.body_model.num_betas)
    mixed = cfg.optim_wrapper.get('type') == 'AutocastOptimWrapper'
    start = time.perf_counter()
    with flop_counter() as flops, LiveTensors([*model.parameters(), *model.buffers()]) as memory:
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            data = model.data_preprocessor(batch, training=True)
            losses = model(**data, mode='loss')
        loss, _ = model.parse_losses(losses)
        loss.backward()
    seconds = time.perf_counter() - start
    if bad or not torch.isfinite(loss):
        raise FloatingPointError(f'a synthetic batch gives loss {loss.item()} and no finite gradient of: {bad[:5]}')
    people = sum(len(sample.gt_instances) for sample in data['data_samples'])
    count = sum(p.numel() for p in model.parameters())
    return '\n'.join([
        f'{cfg.filename}: {images} image(s) of {tuple(data["inputs"][0].shape)} with {people} people on {device.type}',
        f'  loss {loss.item():.4g} of {len(losses)} terms, all gradients finite',
        f'  {count / 1e6:.1f} M parameters, {flops.get_total_flops() / 1e9 / images:.1f} GFLOP an image, '
        f'forward and backward, {seconds:.2f} s',
        f'  memory: {count * STATE_BYTES / 2**20:.0f} MiB weights, gradients, AdamW (computed) + '
        f'{memory.peak / 2**20:.0f} MiB activations (measured)',
        *(f'  note: {note}' for note in notes)])


def _check_and_drop(name, bad, param):
    """Remember who has no finite gradient; without the gradients, what is measured are the activations."""
    if not param.grad.isfinite().all():
        bad.append(name)
    param.grad = None
