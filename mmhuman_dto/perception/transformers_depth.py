"""Depth networks of ``transformers``."""
import math
from typing import NamedTuple

import torch
from torch.nn.functional import interpolate

from mmhuman_dto.registry import SOURCES

from .base import DepthSource, SourceError
from .depth_kinds import HOW_TO_CHOOSE, checked_kind, checked_scale, to_disparity
from .optional import by_shape, load_config, load_transformers

#: What networks predict, by ``model_type``; those of Depth Anything say it in their config, Depth Pro's is made metres.
_KINDS = {'glpn': 'metres', 'zoedepth': 'metres', 'chmv2': 'metres', 'tipsv2_dpt': 'metres'}
#: Range of inverse depth, 1/m, that Depth Pro's own code clamps to.
_DEPTH_PRO_RANGE = 1e-4, 1e4


class _Predicted(NamedTuple):
    """What a network says of B pictures of one size: values (B, h, w) and focal lengths (B), parts of the width."""
    values: torch.Tensor
    focals: torch.Tensor


@SOURCES.register_module()
class TransformersDepth(DepthSource):
    """Any model that ``AutoModelForDepthEstimation`` loads: Depth Anything V1, V2 (relative or metric), DPT, ...

    Relative networks give disparity up to scale and shift, metric ones depth in m, which is inverted here. Maps are
    brought to the image's size in disparity, bilinearly: halfway between two surfaces lies neither. Depth Pro answers
    with inverse depth for a width of one focal length; its own field of view makes that metres, and is known as the
    focal length that comes with the map.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        kind: one of :data:`~.depth_kinds.KINDS`; None: as the model's config says.
        scale: factor from what is predicted to the kind's unit, m of ``'metres'``; None is 1. The paper's solver wants
            people of relative networks at 100 to 1000; the posterior's asks for no unit.
        batch_size: images of one size that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there.
        ValueError: another ``kind``, or None for a model whose config does not tell.
    """

    def __init__(self, model, kind=None, scale=None, batch_size=4, device=None, local_files_only=False):
        checked_scale(checked_kind(kind), scale)
        self.processor, self.network = load_transformers('AutoModelForDepthEstimation', model, device, local_files_only)
        self.kind = kind or depth_kind(self.network.config, model)
        if self.kind != 'disparity' and _is_inverse(self.network.config):
            raise ValueError(f"{model}: this Depth Pro has no use_fov_model, without which it predicts inverse depth "
                             f"up to a factor: kind='disparity', not {self.kind!r}")
        self.scale = checked_scale(self.kind, scale)
        self.batch_size = batch_size

    def __call__(self, samples):
        return [disparity for disparity, _ in self.with_focals(samples)]

    def with_focals(self, samples):
        # ZoeDepth's padding would have to be cut off again, for which its post-processing wants the sizes.
        inputs = [self.processor(sample.image, do_pad=False, return_tensors='pt').pixel_values[0] for sample in samples]
        found = [None] * len(samples)
        for indices in by_shape(inputs, self.batch_size):
            predicted = self._predict(torch.stack([inputs[i] for i in indices]))
            disparity = to_disparity(predicted.values * self.scale, self.kind)
            for i, values, focal in zip(indices, disparity, predicted.focals.tolist()):
                found[i] = _at_size(values, samples[i]), focal * samples[i].ori_shape[1]
        return found

    @torch.no_grad()
    def _predict(self, pixels):
        answer = self.network(pixel_values=pixels.to(self.network.device))
        values, angle = answer.predicted_depth.float(), getattr(answer, 'field_of_view', None)
        focals = values.new_full((len(values), ), math.nan)
        if angle is not None:
            focals = .5 / torch.tan(torch.deg2rad(angle.float().reshape(-1)) / 2)
            if self.kind == 'metres':
                values = 1 / (values / focals[:, None, None]).clamp(*_DEPTH_PRO_RANGE)
        return _Predicted(values, focals)


def depth_kind(config, model):
    """One of :data:`~.depth_kinds.KINDS`: what comes of a network with this ``transformers`` config.

    Raises:
        ValueError: the config does not tell; ``model`` names it in the message.
    """
    stated = getattr(config, 'depth_estimation_type', None)
    if stated in ('relative', 'metric'):
        return 'metres' if stated == 'metric' else 'disparity'
    if config.model_type == 'depth_pro':
        return 'disparity' if _is_inverse(config) else 'metres'
    if config.model_type not in _KINDS:
        raise ValueError(f'{model}: its config ({config.model_type}) does not say what it predicts; give kind (DPT for '
                         f"NYU or KITTI: 'metres'), one of {HOW_TO_CHOOSE}")
    return _KINDS[config.model_type]


def model_kind(model, local_files_only=False):
    """One of :data:`~.depth_kinds.KINDS`: what a model, folder or name, predicts, before it is loaded.

    Raises:
        ImportError, WeightsError, ValueError: as of :class:`TransformersDepth`.
    """
    return depth_kind(load_config(model, local_files_only), model)


def _is_inverse(config):
    """Whether a config is of a Depth Pro that does not know the field of view, by which its answer becomes metres."""
    return config.model_type == 'depth_pro' and not config.use_fov_model


def _at_size(disparity, sample):
    disparity = interpolate(disparity[None, None], tuple(sample.ori_shape), mode='bilinear')[0, 0]
    if not disparity.isfinite().all() or not disparity.any():
        raise SourceError(f'{sample.img_id}: the depth network gave no positive, finite disparity')
    return disparity
