"""Depth maps that other programs wrote, of any of their layouts."""
import math
from pathlib import Path

import cv2
import numpy as np
import torch

from mmhuman_dto.fileio.finding import entry_of
from mmhuman_dto.geometry import resize_intrinsics
from mmhuman_dto.registry import DEPTH_FILES, SOURCES

from .base import DepthSource, SourceError
from .depth_files import PlainDepth, layout_of
from .depth_kinds import checked_kind, checked_scale, to_disparity
from .precomputed import check_proportions, read_json


@SOURCES.register_module()
class PrecomputedDepth(DepthSource):
    """Depth maps from files, brought to the image's size (bilinear in disparity, from known pixels alone).

    Args:
        folder: folder of the maps, relative to ``data_root``.
        suffix: of plain files, a file an image (:class:`~.depth_files.PlainDepth`); None: ``layout``, or what files
            there are.
        kind: what the maps hold, one of :data:`~.depth_kinds.KINDS`; None: what the files' own layout says.
        scale: factor from stored values to the map's unit, m of ``'metres'``, or a JSON file of one factor an image id;
            None: 1. ``'depth'`` has none.
        layout: config of a :class:`~.depth_files.DepthFiles` without its folder; None: as it is sniffed.

    Raises:
        ValueError: no kind where the files do not say it, or another one than they say.
        FileNotFoundError: no such folder to be sniffed, or no such JSON.
    """

    def __init__(self, folder, suffix=None, kind=None, scale=None, layout=None, data_root=''):
        if suffix is not None and layout is not None:
            raise ValueError('suffix is that of plain files, say it in layout: '
                             f"layout=dict(type='PlainDepth', suffix={suffix!r})")
        self.folder = Path(data_root) / folder
        self.layout = depth_files(self.folder, suffix, layout)
        self.kind = checked_kind(kind) or self.layout.stated_kind()[0]
        self.layout.check(self.kind)
        scale = checked_scale(self.kind, scale)
        self.scale_path = Path(data_root) / scale if isinstance(scale, str) else None
        self.scale = scale if self.scale_path is None else read_json(self.scale_path)

    def __call__(self, samples):
        return [disparity for disparity, _ in self.with_focals(samples)]

    def with_focals(self, samples):
        return [self._read(sample) for sample in samples]

    def stored(self, sample):
        """What the file of a sample's map holds, as it is: (h, w) of any type; None where its layout changes it."""
        return self.layout.stored(self.layout.path(sample), self.kind) if isinstance(self.layout, PlainDepth) else None

    def _read(self, sample):
        path = self.layout.path(sample)
        values, intrinsics, rounding = self.layout.read(path, sample, self.kind)
        disparity = to_disparity(torch.from_numpy(values).float() * self._scale_of(sample.img_id), self.kind)
        if not disparity.any():
            raise SourceError(f'{path}: no positive, finite {self.kind} in it')
        check_proportions(values.shape, sample.ori_shape, path, rounding)
        return _resized(disparity, sample.ori_shape), _focal(intrinsics, values.shape, sample.ori_shape)

    def _scale_of(self, img_id):
        if self.scale_path is None:
            return np.float32(self.scale)
        scale = entry_of(self.scale, img_id)
        if scale is None:
            raise SourceError(f'{self.scale_path}: has no scale for {img_id}')
        if not isinstance(scale, (int, float)) or not math.isfinite(scale):
            raise SourceError(f'{self.scale_path}: the scale for {img_id} is {scale!r}, expected a number')
        return np.float32(scale)


def depth_files(folder, suffix=None, layout=None):
    """The :class:`~.depth_files.DepthFiles` of a folder: of a suffix, of a config, or as it is sniffed.

    A config without ``type`` adds to what is sniffed.
    """
    if suffix is not None:
        return PlainDepth(folder, suffix)
    if layout is None:
        return layout_of(folder)
    layout = {'type': type(layout_of(folder)).__name__, **layout} if 'type' not in layout else layout
    return DEPTH_FILES.build(layout, default_args=dict(folder=folder))


def _resized(disparity, size):
    """A map (h, w) at ``size`` (h, w); what is unknown there, by more than half, is 0 and takes no part."""
    if tuple(disparity.shape) == tuple(size):
        return disparity
    values, known = (cv2.resize(field.numpy(), tuple(size)[::-1], interpolation=cv2.INTER_LINEAR)
                     for field in (disparity, (disparity > 0).float()))
    return torch.from_numpy(np.divide(values, known, out=np.zeros_like(values), where=known > .5))


def _focal(intrinsics, shape, size):
    """Focal length of intrinsics of a map of ``shape`` (h, w), px of the image of ``size`` (h, w); nan without any."""
    if intrinsics is None:
        return math.nan
    scaled = resize_intrinsics(torch.from_numpy(intrinsics), size[1] / shape[1], size[0] / shape[0])
    return float(scaled[0, 0] + scaled[1, 1]) / 2
