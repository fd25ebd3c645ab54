"""Build a config's model and run one synthetic batch through it: does it work, and what does a step cost?"""
import resource
import time

import torch
from mmengine.dataset import pseudo_collate
from torch.utils.flop_counter import FlopCounterMode

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.registry import MODELS

from .training import missing_files


def stand_ins(model):
    """Replace files that are not there in a model config; return what was replaced, in words.

    The open body takes SMPL's place (same joints, same coefficients), random weights that of pretrained ones.
    """
    notes = []
    missing = {path for path, _, _ in missing_files(model)}
    if any(path.startswith('body_model.') for path in missing):
        notes.append(f'{model["body_model"]["type"]} is not there, OpenBody stands in')
        model['body_model'] = dict(type='OpenBody')
    for path in sorted(missing):
        *parents, name = path.split('.')
        owner = model
        for parent in parents:
            owner = owner[parent]
        if name == 'mean_params':
            owner[name] = None
            notes.append('mean_params are not there, starting from the rest pose')
        elif name == 'checkpoint':
            owner.pop(name)
            if parents and parents[-1] == 'init_cfg':
                owner.clear()
                owner.update(type='Pretrained', checkpoint=None)
            notes.append(f'{path} is not there, weights are random')
    _drop_empty_init(model)
    return notes


def _drop_empty_init(config):
    for key, value in list(config.items()):
        if key == 'init_cfg' and isinstance(value, dict) and value.get('checkpoint', '') is None:
            config[key] = None
        elif isinstance(value, dict):
            _drop_empty_init(value)


def synthetic_batch(input_size, images, body_model):
    """A batch of rendered crowds at the network's size, as the loader gives it."""
    scenes = dict(size=(input_size * 3 // 4, input_size), people=(2, 8))
    dataset = SyntheticCrowd(body_model, scenes=scenes, num_scenes=images, pipeline=[dict(type='PackHumanInputs')])
    return pseudo_collate([dataset[i] for i in range(images)])


def dry_run(cfg, images=1):
    """One forward and backward pass of the config's model over ``images`` rendered crowds.

    Returns:
        str: a report of parameters, FLOPs, time and memory.
    """
    config = cfg.model.to_dict()
    notes = stand_ins(config)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = MODELS.build(config).to(device).train()
    batch = synthetic_batch(model.input_size, images, dict(type='OpenBody'))
    mixed = cfg.optim_wrapper.get('type') == 'AutocastOptimWrapper'
    start = time.perf_counter()
    with FlopCounterMode(display=False) as flops, torch.autocast(device, torch.bfloat16, enabled=mixed):
        data = model.data_preprocessor(batch, training=True)
        losses = model(**data, mode='loss')
        loss, _ = model.parse_losses(losses)
        loss.backward()
    seconds = time.perf_counter() - start
    if not torch.isfinite(loss):
        raise FloatingPointError(f'the loss of a synthetic batch is {loss.item()}')
    people = sum(len(sample.gt_instances) for sample in data['data_samples'])
    return '\n'.join([
        f'{cfg.filename}: {images} image(s) of {tuple(data["inputs"][0].shape)} with {people} people on {device}',
        f'  loss {loss.item():.4g} of {len(losses)} terms, gradients finite: {gradients_finite(model)}',
        f'  {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, '
        f'{flops.get_total_flops() / 1e9 / images:.1f} GFLOP an image, forward and backward',
        f'  {seconds:.2f} s, {peak_memory(device) / 2**20:.0f} MiB at most'
        f' ({"GPU memory" if device == "cuda" else "the whole process"})', *(f'  note: {note}' for note in notes)])


def gradients_finite(model):
    """Whether every gradient that was made is finite."""
    return all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def peak_memory(device):
    """Most bytes held so far: of the GPU's memory, or by this process."""
    if device == 'cuda':
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
