"""What every layout of depth files is: where the map of an image is, and what it and its camera say."""
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio.finding import find_map
from mmhuman_dto.geometry import resize_intrinsics

from ..base import SourceError
from ..depth_kinds import HOW_TO_CHOOSE, KINDS


class DepthMap(NamedTuple):
    """A map as it was saved, in the unit of its kind."""
    values: np.ndarray  # (h, w) float32; not finite or not positive: unknown
    intrinsics: np.ndarray | None = None  # (3, 3), px of the map, of the camera that comes with it
    #: px by which its shorter side may be off the image's proportions, as networks take sides that are multiples of
    #: their patches; infinite for squares of any image; None: hardly at all.
    rounding: float | None = None


class DepthFiles(ABC):
    """One program's files in a folder; register a subclass in ``DEPTH_FILES``.

    Attributes:
        writer: the program, for messages.
        kinds: what its maps may hold; where these are several and the files do not say which, it has to be told.
    """
    writer, kinds = '', tuple(KINDS)

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    @abstractmethod
    def sniff(cls, folder, names):
        """Whether a folder is of this layout, by the first ``names`` of files in it and what is in these."""

    @abstractmethod
    def path(self, sample):
        """The file of a sample's map; SourceError where there is none."""

    @abstractmethod
    def read(self, path, sample, kind):
        """The :class:`DepthMap` of a sample, in ``kind``, which is one of ``kinds``."""

    def stated_kind(self):
        """Which kind the files say they hold, and how they say it; (None, '') where they don't."""
        return (self.kinds[0], f'{self.writer} writes it') if len(self.kinds) == 1 else (None, '')

    def check(self, kind):
        """Raise ValueError where these files cannot be of a kind, None being none that is known."""
        if kind is None:
            raise ValueError(f'{self.folder}: nothing says what its depth maps hold; give kind, one of {HOW_TO_CHOOSE}')
        if kind not in self.kinds:
            raise ValueError(f"{self.folder}: these are files of {self.writer}, which are of kind "
                             f"{' or '.join(map(repr, self.kinds))}, not {kind!r}; if they are others, say "
                             "layout=dict(type='PlainDepth')")

    def find(self, sample, *suffixes):
        """The file ``FOLDER/a/b`` of image ``a/b.jpg`` with the first of ``suffixes`` that is there."""
        for suffix in suffixes:
            path = find_map(self.folder, sample.img_id, suffix)
            if path is not None:
                return path
        raise self.missing(sample, suffixes[0])

    def missing(self, sample, suffix):
        return SourceError(f'{self.folder / Path(sample.img_id).with_suffix("")}{suffix}: not found')


def first_names(folder, count=500):
    """Names of the first files in a folder and those in it, ``/`` between their parts, however many there are."""
    found = []
    for root, folders, files in os.walk(folder):
        folders.sort()
        below = Path(root).relative_to(folder)
        found += [(below / name).as_posix() for name in sorted(files) if not name.startswith('.')]
        if len(found) >= count:
            break
    return found[:count]


def pixel_intrinsics(intrinsics, path, width, height):
    """Intrinsics (3, 3), px of a map, from a file's (3, 3) or (1, 3, 3) in px or as shares of width and height.

    Shares are told by the principal point, which is no pixel of the first row and column.

    Raises:
        SourceError: another shape, or focal lengths that are not positive.
    """
    values = np.asarray(intrinsics, np.float64)
    values = values[0] if values.shape == (1, 3, 3) else values
    if values.shape != (3, 3) or not (np.isfinite(values).all() and values[0, 0] > 0 and values[1, 1] > 0):
        raise SourceError(f'{path}: intrinsics {values.tolist()}, expected (3, 3) with positive focal lengths')
    if values[0, 2] < 1 and values[1, 2] < 1:
        values = values * np.array([[width], [height], [1]])
    return values


def intrinsics_of(focal, shape, path):
    """Intrinsics (3, 3) of the map of ``shape`` (h, w) in a file, the axis through its centre; SourceError unless the
    focal length, px, is positive."""
    if not (np.isfinite(focal) and focal > 0):
        raise SourceError(f'{path}: a focal length of {focal} px comes with the map, expected a positive number')
    return np.array([[focal, 0, shape[1] / 2], [0, focal, shape[0] / 2], [0, 0, 1]])


def known_intrinsics(sample, shape, writer):
    """Intrinsics (3, 3) of a sample's camera, px of its map of ``shape`` (h, w).

    Raises:
        SourceError: it has no camera; ``writer`` needs one for metres.
    """
    if 'pred_camera' not in sample:
        raise SourceError(f'{sample.img_id}: {writer} becomes metres by the focal length, and none is known here: give '
                          'it (--focal PX, or the layout\'s option focal), or put the stage of depth after the meshes')
    (height, width), intrinsics = sample.ori_shape, torch.as_tensor(sample.pred_camera.intrinsics).double().cpu()
    return resize_intrinsics(intrinsics, shape[1] / width, shape[0] / height).numpy()
