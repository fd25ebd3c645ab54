"""From a config to a Runner that trains or tests, or to one message that says what is missing."""
import errno
import logging
from pathlib import Path

import torch
from mmengine.logging import print_log

from mmhuman_dto.body_models import BodyModelError
from mmhuman_dto.datasets.image_folders import look_for_images
from mmhuman_dto.datasets.public.parsing import COMPONENTS
from mmhuman_dto.datasets.public_sets import command_for
from mmhuman_dto.engine.checkpoint import load_weights
from mmhuman_dto.engine.config import check_config
from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.engine.model import for_inference
from mmhuman_dto.engine.resume import latest_checkpoint
from mmhuman_dto.engine.runner import FlexibleRunner, Runner
from mmhuman_dto.fileio.atomic import explain
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.registry import BODY_MODELS
from mmhuman_dto.tables.people_table import PeopleTable, TableError

_LOGGER = logging.getLogger(__name__)


class MissingFileError(FileNotFoundError):
    """Data, weights or body models that a config names are not there; the message lists all of them."""


class WorkDirError(OSError):
    """The folder of logs and checkpoints cannot be written; the message says which, why and how to go on."""


#: Config keys that name files or folders to be read, and how to get them.
_SOURCES = {
    'model_path': 'body models: register at https://smpl.is.tue.mpg.de, or use body_model=dict(type="OpenBody")',
    'mean_params': 'smpl_mean_params.npz, see docs/metric_hmr.md, "Files"',
    'body_vertices': 'body_verts_smpl.npy of the public release, see docs/metric_hmr.md, "Files"',
    'checkpoint': 'weights, converted by tools/model_converters/mahmr2mmhuman.py; see docs/metric_hmr.md, "Files"',
    'load_from': 'a checkpoint to start from, see docs/metric_hmr.md, "Files"',
    'data_root': 'images, see docs/metric_hmr.md, "Files"',
    'table': 'people table of tools/dataset_converters or tools/generate_dto.py; see docs/datasets.md',
}
#: What a disk that cannot be written answers, whichever file is named.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: What PyTorch's loader refuses without worker processes; recipes say it for theirs.
_OF_WORKERS = ('persistent_workers', 'prefetch_factor', 'multiprocessing_context')
_TRAINING_KEYS = ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'val_dataloader', 'val_cfg',
                  'val_evaluator', 'load_from', 'strategy')


def entries(config, key=''):
    """Yield (config key, dictionary that it is in, name in it, value) of everything in a config that has a name."""
    children = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(
        config, (list, tuple)) else ()
    for name, value in children:
        path = f'{key}.{name}' if key else str(name)
        if isinstance(config, dict):
            yield path, config, name, value
        yield from entries(value, path)


def missing_files(config):
    """Yield (config key, path, where to get it) of what a config names and the disk lacks."""
    for key, owner, name, value in entries(config):
        if name == 'data_root' and _is_known_elsewhere(owner.get('table')):
            continue
        if name in _SOURCES and isinstance(value, str) and '://' not in value and not Path(value).expanduser().exists():
            command = command_for(value) if name == 'table' else None
            yield key, value, f'{command}, see docs/datasets.md' if command else _SOURCES[name]


def _is_known_elsewhere(table):
    """Whether a table says where its images are, for which a ``data_root`` that is not there does not matter."""
    try:
        return isinstance(table, str) and Path(table).is_dir() and PeopleTable(table).img_root is not None
    except TableError:
        return False  # said when its images are looked for


def check_files(cfg):
    """Raise :class:`MissingFileError` with everything that is missing, of the images of each table by a few of them.

    Raises:
        BodyModelError: a table has meshes of another body model than the network's.
    """
    keys, hints = {}, {}
    for key, path, hint in missing_files(cfg.to_dict()):
        keys.setdefault(path, []).append(key)
        hints[path] = hint
    if keys:
        lines = '\n'.join(f'  {path} ({", ".join(names)})\n      {hints[path]}' for path, names in sorted(keys.items()))
        raise MissingFileError(f'{len(keys)} files or folders are not there:\n{lines}')
    lost = _lost_images(cfg)
    check_body_models(cfg)
    if lost:
        lines = '\n'.join(lost)
        raise MissingFileError(f'the images of {len(lost)} tables are not where they are looked for:\n{lines}')


def _lost_images(cfg):
    """What to say of tables most of whose images, of a few looked for, are not there; warns where some are not."""
    lost, seen = [], set()
    for key, dataset, name, table in entries(cfg.to_dict()):
        place = table, dataset.get('data_root') if name == 'table' else None
        if name != 'table' or dataset.get('type') != 'HumanTable' or place in seen:
            continue
        seen.add(place)
        try:
            folder, looked, missing, text = look_for_images(*place[::-1])
        except TableError as error:
            raise MissingFileError(f'{key}: {error}') from error
        if missing > looked / 2:
            lost.append(f'  {table} ({key}): {text}')
            continue
        if missing:
            _LOGGER.warning('%s (%s): %s', table, key, text)
        if place[1] is None or folder != Path(place[1]):
            print_log(f'{table} ({key}): images in {folder}', 'current')
    return lost


def check_body_models(cfg):
    """Raise BodyModelError where the meshes of a table are of another body model than the network's."""
    config = (cfg.get('model') or {}).get('body_model')
    body_model = config and BODY_MODELS.get(config['type'])
    loaders = {name: cfg.get(name) for name in _LOADERS}
    for key, dataset, name, table in entries(loaders):
        if name == 'table' and isinstance(table, str) and body_model is not None:
            schema = PeopleTable(table).schema
            steps = dataset.get('pipeline', ())
            if 'people.betas' not in schema['columns'] or not all(step.get('keep_meshes', True) for step in steps):
                continue
            where, name = f'{table} ({key})', schema['body_model']
            for step in (step for step in steps if step.get('type') == 'ConvertMeshes'):
                BODY_MODELS.get(step['meshes_of']['type']).check_meshes_of(name, where)
                name = step['body_model']['type']
            body_model.check_meshes_of(name, where)
            if name == schema['body_model']:
                _check_blend(name, schema['columns']['people.betas']['row'][0], config, where)


def _check_blend(name, size, config, where):
    """Raise BodyModelError where a principal component of shape would be taken for a blend to a child, or that for it.

    ``size``: coefficients in the table, of the body model called ``name``; ``config``: of the network's body model.
    """
    ours, theirs = (getattr(BODY_MODELS.get(kind), 'knows_children', False) for kind in (config['type'], name))
    have = config.get('num_betas', COMPONENTS)
    wrong = (size > have if ours else size <= have) and ours != theirs
    if name and wrong:
        last = 'the last of them is the blend to a child' if theirs else 'none of them is a blend to a child'
        raise BodyModelError(f'{where}: its meshes, of {name}, have {size} shape coefficients, and {last}; the body '
                             f'model {config["type"]} with {have} components would take them otherwise. Use '
                             f'body_model=dict(type={name!r}), or make the table again with {COMPONENTS} components')


def build_runner(cfg):
    """Runner of a config, ready to ``train()`` or ``test()``.

    A config's ``strategy`` says how several processes share one network; a process alone has no use for it.

    Raises:
        ConfigFileError: it names what is registered nowhere, or an argument that is none.
        MissingFileError: what the config names and is not there.
        BodyModelError: a table has meshes of another body model than the network's.
    """
    check_files(cfg)
    check_config(cfg.to_dict())
    _leave_workers_out(cfg)
    several = cfg.get('launcher', 'none') != 'none'
    if several and pick_device().type == 'cpu':
        _use_cpu_processes(cfg)
    return (FlexibleRunner if several and 'strategy' in cfg else Runner).from_cfg(cfg)


def _leave_workers_out(cfg):
    """Loaders without worker processes get none of the options that only these have."""
    for name in _LOADERS:
        if cfg.get(name) and not cfg[name].get('num_workers', 0):
            cfg[name] = {key: value for key, value in cfg[name].items() if key not in _OF_WORKERS}


def train(cfg, resume=None):
    """Train as a config says.

    Args:
        resume: checkpoint to go on from; 'auto': the latest whole one in ``work_dir``, or from the start where there is
            none yet; None: from the start.

    Raises:
        MissingFileError: what the config names and is not there.
        CheckpointError: the checkpoint to resume from is damaged, or all of them are.
        WorkDirError: the disk is full or read-only; checkpoints stay.
    """
    try:
        checkpoint = _latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
        if checkpoint is not None:
            _check_checkpoint(checkpoint, folders=True)
            cfg.resume, cfg.load_from = True, str(checkpoint)
        build_runner(cfg).train()
    except OSError as error:
        if error.errno in _DISK_ERRORS or _is_below(error.filename, cfg.work_dir):
            raise WorkDirError(f'{explain(cfg.work_dir, error)}. Checkpoints are kept: put it right and go on with '
                               '--resume') from error
        raise


def _latest_checkpoint(work_dir):
    path, damaged = latest_checkpoint(work_dir)
    for other, damage in damaged.items():
        _LOGGER.warning('passed over %s: %s', other, damage)
    return path


def _check_checkpoint(path, folders=False):
    path = Path(path)
    if not (path.is_file() or folders and path.is_dir()):
        words = 'a folder, not a file of weights' if path.is_dir() else 'no such checkpoint'
        raise MissingFileError(f'{path}: {words}')


def _is_below(name, folder):
    return isinstance(name, str) and Path(folder).absolute() in Path(name).absolute().parents


def evaluate(cfg, checkpoint, dump=None):
    """Figures (name -> value) of a checkpoint on a config's test set; needs no file that only training needs.

    Args:
        checkpoint: file of weights.
        dump: folder to write predictions and truth of every image to, for ``apis.scoring``; None: nowhere.

    Raises:
        MissingFileError: what the config names and is not there.
        CheckpointError: the checkpoint is of another network.
        FileExistsError: the folder for the dump is not empty.
        ImageError: a picture cannot be read, and the table does not say its size; or none can.
    """
    _check_checkpoint(checkpoint)
    cfg = cfg.copy()
    if dump is not None:
        cfg.test_evaluator = [*metrics_of(cfg), dict(
            type='DumpPeople', folder=str(dump), body_model=cfg.model.body_model.type,
            joint_set=cfg.model.get('joint_set', 'smpl45'))]
    for key in _TRAINING_KEYS:
        cfg.pop(key, None)
    cfg.model = for_inference(cfg.model.to_dict())
    runner = build_runner(cfg)
    model = runner.model.module if hasattr(runner.model, 'module') else runner.model
    load_weights(model, checkpoint)
    try:
        figures = runner.test()
    except ImageError as error:
        # A loader's worker hands over the text of its traceback, which ends with the message.
        raise ImageError(f'{str(error).rsplit("ImageError: ", 1)[-1].strip()}. For its people to count as '
                         'missed, the test pipeline needs dict(type="LoadImage", blank=True) and the table the sizes '
                         'of its images (convert it with images)') from error
    if figures.get('unreadable_images') == len(runner.test_dataloader.dataset):
        raise ImageError('no picture of the test set could be read, the warnings above say why')
    return figures


def metrics_of(cfg):
    """Configs of the metrics that a config tests with."""
    metrics = cfg.test_evaluator
    return [metrics] if isinstance(metrics, dict) else list(metrics)


def _use_cpu_processes(cfg):
    """Let several processes run on a machine without GPUs: MMEngine's own start takes one for granted."""
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(type='MMDistributedDataParallel', broadcast_buffers=False, device_ids=None)
