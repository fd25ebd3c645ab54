"""What the values of a depth map mean: three kinds, which nobody can tell from the numbers alone."""
import math

import torch

from mmhuman_dto.dto.terms.depth import PER_KILOMETRE

#: Kinds, and by what to recognise them.
KINDS = dict(
    disparity='inverse depth up to a factor and an offset, larger is nearer: MiDaS, DPT, Depth Anything V1 and V2',
    depth='depth up to a factor and an offset, larger is farther: MoGe 1, Depth Anything 3 without metric',
    metres='depth in m, larger is farther: MoGe 2, UniDepth, Depth Pro, ZoeDepth, metric Depth Anything')
HOW_TO_CHOOSE = '; '.join(f"'{kind}' ({what})" for kind, what in KINDS.items())


def checked_kind(kind):
    """``kind``, None included; ValueError names the kinds."""
    if kind is not None and kind not in KINDS:
        raise ValueError(f'kind of a depth map must be one of {HOW_TO_CHOOSE}; got {kind!r}')
    return kind


def checked_scale(kind, scale):
    """``scale``, None being 1; ValueError where a map of this kind has no use for one.

    Before there were three kinds, 'depth' was that of metres, to which a scale may lead.
    """
    if kind == 'depth' and scale is not None:
        raise ValueError("kind='depth' is depth up to a factor, of which a scale says nothing. Where the values, or a "
                         "scale of them, are metres, give kind='metres' (a scale of .001 for values in mm)")
    if isinstance(scale, (int, float)) and not (math.isfinite(scale) and scale > 0):
        raise ValueError(f'scale must be positive, got {scale!r}')
    return 1. if scale is None else scale


def to_disparity(values, kind):
    """Values (*) of a map as disparity >= 0, 0 where unknown (not finite or, of depth, not positive).

    Of metres it is in 1/km: people at 1 to 10 m lie at 1000 to 100, and DTO's far people (1 / disparity above .02) are
    those beyond 20 m. Depth of no unit is turned the same way.
    """
    known = values.isfinite() & (values > 0)
    return torch.where(known, values if kind == 'disparity' else PER_KILOMETRE / values.where(known, 1.), 0.)
