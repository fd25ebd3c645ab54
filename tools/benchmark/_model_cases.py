"""Networks and batches for ``bench_model.py``."""
import copy
import tempfile
from functools import reduce

import plain_hmr
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmhuman_dto.datasets import SyntheticCrowd
from mmhuman_dto.models.backbones.vit import ARCHITECTURES, PATCH
from mmhuman_dto.registry import MODELS
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

#: Side of a cell of the scale map, px.
CELL = 2 * PATCH
#: Height and width of the pictures as shares of the long side: 4:3, 16:9, upright 2:3 and 3:4, as in photo collections.
ASPECTS = ((3 / 4, 1), (9 / 16, 1), (1, 2 / 3), (1, 3 / 4))
#: Shares of the cells that the batch's images split; photographs differ, the last one averages 25 % like the second.
SPLITS = {'0': (0, ), '25': (.25, ), '100': (1, ), 'mixed': (0, .1, .3, .6)}
#: Types of the plain network's parts, by the path of the part in the model's config.
_PLAIN = {'': plain_hmr.PlainMetricHMR, 'backbone': plain_hmr.PlainScaleAdaptiveViT,
          'decoder': plain_hmr.PlainDecoder, 'criterion': plain_hmr.PlainCriterion,
          'criterion.assigner': plain_hmr.PlainAssigner}


def model_config(path, size, arch=None):
    """A model's config for ``size`` px and, if given, another encoder; without files and without noisy queries."""
    config = Config.fromfile(path).model.to_dict()
    for part in ('data_preprocessor', 'backbone'):
        config[part]['input_size'] = size
    if arch is not None:
        config['backbone']['arch'] = arch
        config['decoder']['in_dims'] = config['camera_head']['in_dims'] = ARCHITECTURES[arch][0]
    config['head']['mean_params'] = config['denoising'] = None
    return config


def build(config):
    """The network on random weights."""
    with tempfile.TemporaryDirectory() as folder:
        body_model = dict(type='SMPL+A', model_path=str(write_synthetic_smpl(folder)), gender='neutral')
        model = MODELS.build(dict(config, body_model=body_model))
    with torch.no_grad():
        for parameter in model.parameters():
            # Noise on what starts at zero too, so that a difference anywhere in the network shows in its outputs.
            parameter.add_(torch.randn_like(parameter), alpha=.3 / parameter.shape[-1]**.5)
    return model


def build_plain(config, like, layout):
    """The network the plain way (:mod:`plain_hmr`) with the weights of another; layout ``'padded'`` or ``'masked'``."""
    config = copy.deepcopy(config)
    for path, plain in _PLAIN.items():
        part = reduce(dict.__getitem__, path.split('.') if path else (), config)
        part['type'] = plain
        if path in ('backbone', 'decoder'):
            part['layout'] = layout
    model = build(config)
    model.load_state_dict(like.state_dict())
    return model


#: The crowds' bodies pass for the network's.
PACK = dict(type='PackHumanInputs', drop=('gt_maps', 'body_model'))


def crowds(size, num_scenes, cache_dir=None, pipeline=(PACK, )):
    """Datasets of rendered crowds, one an aspect ratio, long side ``size`` px."""
    return [SyntheticCrowd(scenes=dict(size=tuple(round(side * size) for side in aspect), people=(2, 8)), seed=i,
                           num_scenes=num_scenes, cache_dir=cache_dir, pipeline=pipeline)
            for i, aspect in enumerate(ASPECTS)]


def batch_of(datasets, images):
    """A batch as the loader gives it, the aspect ratios in turn."""
    return pseudo_collate([datasets[i % len(datasets)][i] for i in range(images)])


class ForcedSplit:
    """While entered, the scale map of a network sends chosen shares of each image's cells to level 0.

    A forward hook on the scale head replaces its answer (logits), so the network runs all it would run and nothing of
    it is changed: after the block the hook is gone. Sixteen quads of cells in Z order (224 px square) repeat: the first
    ones are split, half of the others kept, the rest empty, which joins them (level 2).

    Args:
        model: a network with a scale-adaptive encoder.
        batch: a batch as the loader gives it.
        shares: of the cells to split, taken in turns by the images.

    Attributes:
        logits: (N, 2) confidence and scale. tokens: of each image, the camera token left out.
    """

    def __init__(self, model, batch, shares):
        self.head = model.backbone.scale_head
        images = model.data_preprocessor(batch)['inputs']
        cells = [image[0].numel() // CELL**2 for image in images]
        maps = [self._logits(n, shares[i % len(shares)]) for i, n in enumerate(cells)]
        self.logits = torch.cat(maps).to(images[0].device)
        self.tokens = [self._tokens(*scale_map.sign().unbind(-1)) for scale_map in maps]

    @staticmethod
    def _logits(cells, share):
        place = (torch.arange(cells) // 4 % 16 + .5) / 16
        confidence = torch.where(place < (1 + share) / 2, 8., -8.)
        scale = torch.where(place < share, -8., 8.)
        return torch.stack([confidence, scale], -1)

    @staticmethod
    def _tokens(confidence, scale):
        split, empty = ((scale < 0) & (confidence > 0)).sum(), (confidence < 0).sum()
        return int(len(scale) + 3 * split - empty // 4 * 3)

    def __enter__(self):
        self.handle = self.head.register_forward_hook(lambda module, args, logits: self.logits.to(logits) + 0 * logits)
        return self

    def __exit__(self, *error):
        self.handle.remove()
