"""Networks of mmdet and mmpose: built from their configs, without running anything that checkpoints hold.

Both import mmcv's compiled operations. With mmcv-lite, which has none, those that people need are done here; others
raise when they are called.
"""
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmhuman_dto.engine.checkpoint import load_weights
from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.fileio.packages import require

from .finding import box_nms
from .optional import WeightsError, refuse_url


def load_openmmlab(package, config, checkpoint, device=None):
    """A network of ``'mmdet'`` or ``'mmpose'`` in eval mode, and its config.

    The config is a file, or the path of one below the package's own; the checkpoint is a file; device None is a GPU
    where there is one.

    Raises:
        ImportError, WeightsError, CheckpointError: the package, config or weights are not there or not this network's.
    """
    refuse_url(checkpoint)
    use_mmcv_lite()
    require(f'{package}.apis', 'openmmlab')
    config = Config.fromfile(config_path(package, config))
    if not Path(checkpoint).is_file():
        raise WeightsError(f'{checkpoint}: no such checkpoint')
    models = importlib.import_module(f'{package}.registry').MODELS
    with scope(package):
        network = models.build(dict(config.model, train_cfg=None))
    # Their published files describe the data set beside the weights, partly as numpy arrays.
    with torch.serialization.safe_globals(_numpy_globals()):
        load_weights(network, checkpoint)
    return network.to(pick_device(device)).eval(), config


def scope(package):
    """Within it, MMEngine finds registered names of ``package`` first."""
    return DefaultScope.overwrite_default_scope(package)


def config_path(package, config):
    """Path of ``config``, or of where the package's wheel keeps it."""
    refuse_url(config)
    shipped = Path(importlib.import_module(package).__file__).parent / '.mim' / 'configs' / config
    for path in (Path(config), shipped):
        if path.is_file():
            return path
    raise WeightsError(f'{config}: no such config, nor is there {shipped}')


def _numpy_globals():
    """What an array is rebuilt from; versions of numpy differ in where it is."""
    rebuild = np._core.multiarray
    dtypes = {type(np.dtype(kind)) for kind in (np.bool_, np.int32, np.int64, np.uint8, np.float32, np.float64)}
    return [np.ndarray, np.dtype, *dtypes, *((getattr(rebuild, name), f'{module}.{name}')
            for name in ('_reconstruct', 'scalar')
            for module in ('numpy.core.multiarray', 'numpy._core.multiarray'))]


def use_mmcv_lite():
    """Let mmdet and mmpose be imported with mmcv-lite; does nothing with a compiled mmcv.

    Raises:
        ImportError: there is no mmcv at all.
    """
    mmcv = require('mmcv', 'openmmlab')
    if 'mmcv._ext' in sys.modules or importlib.util.find_spec('mmcv._ext'):
        return
    module = types.ModuleType('mmcv._ext')
    module.__spec__ = importlib.machinery.ModuleSpec('mmcv._ext', None)
    module.nms, module.roi_align_forward, module.__getattr__ = _nms, _roi_align, _lacking
    sys.modules['mmcv._ext'] = mmcv._ext = module


def _lacking(name):
    """Any operation that is not here: found when modules are imported, refused when called."""
    if name.startswith('__'):
        raise AttributeError(name)

    def refuse(*args, **kwargs):
        raise RuntimeError(f'{name} is a compiled operation of mmcv, and mmcv-lite has none: build mmcv 2.1.0, see '
                           'docs/perception.md')

    return refuse


def _nms(boxes, scores, iou_threshold, offset):
    """mmcv's ``nms``: indices of the boxes (N, 4) that stay, best score first."""
    if offset:
        raise RuntimeError('mmcv-lite: only boxes without an offset are supported, see docs/perception.md')
    kept = box_nms(boxes.detach().cpu().numpy(), scores.detach().cpu().numpy(), iou_threshold)
    return torch.from_numpy(kept).to(boxes.device)


def _roi_align(features, rois, output, argmax_y, argmax_x, aligned_height, aligned_width, spatial_scale,
               sampling_ratio, pool_mode, aligned):
    """mmcv's ``roi_align_forward`` into ``output``, by torchvision; mean pooling (1) only."""
    if pool_mode != 1:
        raise RuntimeError('mmcv-lite: RoIAlign with max pooling is not supported, see docs/perception.md')
    ops = require('torchvision.ops', 'openmmlab')
    # torchvision takes 0, as many samples as the box is large, as -1.
    output.copy_(ops.roi_align(features, rois, (aligned_height, aligned_width), spatial_scale, sampling_ratio or -1,
                               aligned))
