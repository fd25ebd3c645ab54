"""Build a Runner from a config, and tell beforehand what is missing and what a step costs."""
from pathlib import Path

import torch
from mmengine.runner import Runner

from mmhuman_dto.engine.checkpoint import allow_training_state


class MissingFileError(FileNotFoundError):
    """Data, weights or body models that a config names are not there; the message lists all of them."""


#: Config keys that name files or folders to be read, and how to get them.
_SOURCES = {
    'model_path': 'body models: register at https://smpl.is.tue.mpg.de (or use body_model=dict(type="OpenBody"))',
    'mean_params': 'smpl_mean_params.npz, see docs/metric_hmr.md, "Files"',
    'checkpoint': 'weights, converted by tools/model_converters/mahmr2mmhuman.py; see docs/metric_hmr.md, "Files"',
    'load_from': 'a checkpoint, see docs/metric_hmr.md, "Files"',
    'table': 'people tables, see docs/metric_hmr.md, "Files"',
}


def missing_files(cfg, key=''):
    """Yield (config key, path, where to get it) of what a config names and the disk lacks."""
    children = cfg.items() if isinstance(cfg, dict) else enumerate(cfg) if isinstance(cfg, (list, tuple)) else ()
    for name, value in children:
        path = f'{key}.{name}' if key else str(name)
        if name in _SOURCES and isinstance(value, str):
            if '://' not in value and not Path(value).expanduser().exists():
                yield path, value, _SOURCES[name]
        else:
            yield from missing_files(value, path)


def check_files(cfg):
    """Raise :class:`MissingFileError` with everything that is missing."""
    missing = sorted(set(missing_files({k: v for k, v in cfg.to_dict().items() if not k.startswith('_')})))
    if missing:
        lines = '\n'.join(f'  {path} = {value}\n      {hint}' for path, value, hint in missing)
        raise MissingFileError(f'{len(missing)} files or folders are not there:\n{lines}')


def use_cpu_processes(cfg):
    """Let several processes train on a machine without GPUs: MMEngine's launcher takes one for granted."""
    torch.cuda.set_device = lambda device: None
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', broadcast_buffers=False, device_ids=None)


def build_runner(cfg):
    """Runner of a config, ready to ``train()``, ``val()`` or ``test()``.

    Raises:
        MissingFileError: what the config names and is not there.
    """
    check_files(cfg)
    allow_training_state()
    if cfg.get('launcher', 'none') != 'none' and not torch.cuda.is_available():
        use_cpu_processes(cfg)
    return Runner.from_cfg(cfg)


