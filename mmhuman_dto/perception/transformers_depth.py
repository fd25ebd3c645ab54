"""Depth networks of ``transformers``."""
import torch
from torch.nn.functional import interpolate

from mmhuman_dto.registry import SOURCES

from .base import DepthSource, SourceError
from .optional import by_shape, load_config, load_transformers

#: What networks predict, by ``model_type``; those of Depth Anything say it in their config.
_KINDS = {'glpn': 'depth', 'zoedepth': 'depth', 'chmv2': 'depth', 'tipsv2_dpt': 'depth', 'depth_pro': 'disparity'}
#: Depth in m becomes disparity in 1/km: people at 1 to 10 m lie at 1000 to 100, and DTO's far people (1 / disparity
#: above .02) are those beyond 20 m.
_PER_KILOMETRE = 1000.


@SOURCES.register_module()
class TransformersDepth(DepthSource):
    """Any model that ``AutoModelForDepthEstimation`` loads: Depth Anything V1, V2 (relative or metric), DPT, ...

    Relative networks give disparity up to scale and shift, metric ones depth in m, which is inverted here. Maps are
    brought to the image's size in disparity, bilinearly: halfway between two surfaces lies neither.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        kind: ``'disparity'`` or ``'depth'``; None: as the model's config says.
        scale: factor of the disparity; None is 1 for networks of disparity, 1000 for those of depth (1/km). The paper's
            solver wants people of relative networks at 100 to 1000; the posterior's asks for no unit.
        batch_size: images of one size that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there.
        ValueError: another ``kind``, or None for a model whose config does not tell.
    """

    def __init__(self, model, kind=None, scale=None, batch_size=4, device=None, local_files_only=False):
        if kind not in (None, 'disparity', 'depth'):
            raise ValueError(f"kind must be 'disparity', 'depth' or None, got {kind!r}")
        self.processor, self.network = load_transformers('AutoModelForDepthEstimation', model, device, local_files_only)
        self.kind = kind or depth_kind(self.network.config, model)
        self.scale = scale or (_PER_KILOMETRE if self.kind == 'depth' else 1.)
        self.batch_size = batch_size

    def __call__(self, samples):
        # ZoeDepth's padding would have to be cut off again.
        inputs = [self.processor(sample.image, do_pad=False, return_tensors='pt').pixel_values[0] for sample in samples]
        maps = [None] * len(samples)
        for indices in by_shape(inputs, self.batch_size):
            predicted = self._predict(torch.stack([inputs[i] for i in indices]))
            for i, values in zip(indices, to_disparity(predicted, self.kind) * self.scale):
                maps[i] = _at_size(values, samples[i])
        return maps

    @torch.no_grad()
    def _predict(self, pixels):
        return self.network(pixel_values=pixels.to(self.network.device)).predicted_depth.float()


def depth_kind(config, model):
    """'disparity' or 'depth': what a network with this ``transformers`` config predicts.

    Raises:
        ValueError: the config does not tell; ``model`` names it in the message.
    """
    stated = getattr(config, 'depth_estimation_type', None)
    if stated in ('relative', 'metric'):
        return 'depth' if stated == 'metric' else 'disparity'
    if config.model_type not in _KINDS:
        raise ValueError(f"{model}: its config ({config.model_type}) does not say what it predicts; give "
                         "kind='disparity' (relative inverse depth: MiDaS) or kind='depth' (m: DPT for NYU or KITTI)")
    return _KINDS[config.model_type]


def model_kind(model, local_files_only=False):
    """'disparity' or 'depth': what a model, folder or name, predicts, before it is loaded.

    Raises:
        ImportError, WeightsError, ValueError: as of :class:`TransformersDepth`.
    """
    return depth_kind(load_config(model, local_files_only), model)


def to_disparity(values, kind):
    """Maps (*) a network predicts as disparity >= 0; 0 where a depth is not positive."""
    if kind == 'depth':
        return torch.where(values > 0, 1 / values, 0.)
    return values.clamp(min=0)


def _at_size(disparity, sample):
    disparity = interpolate(disparity[None, None], tuple(sample.ori_shape), mode='bilinear')[0, 0]
    if not disparity.isfinite().all() or not disparity.any():
        raise SourceError(f'{sample.img_id}: the depth network gave no positive, finite disparity')
    return disparity
