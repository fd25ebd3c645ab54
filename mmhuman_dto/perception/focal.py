"""Focal lengths that are known before a network looks at the picture: written by the camera, or given by you."""
import math
import sys
from pathlib import Path

from PIL import ExifTags

from mmhuman_dto.fileio.finding import entry_of
from mmhuman_dto.fileio.images import ImageError, opened
from mmhuman_dto.registry import SOURCES

from .base import FocalSource
from .precomputed import read_json

#: Diagonal of a 36 x 24 mm frame, to which EXIF's 35-mm equivalents refer.
FILM_DIAGONAL = math.hypot(36, 24)
#: 35-mm equivalents, mm, that are believed; cameras were seen to write tens of thousands. EXIF says 0 for unknown.
FILM_FOCALS = (5, 2000)


@SOURCES.register_module()
class ExifFocal(FocalSource):
    """The 35-mm equivalent focal length in the photo's EXIF; unknown (nan) where there is none.

    A photo cut after it was taken has another equivalent than the one written in it: do not use it for such.
    """
    focal_std = .05  # equivalents are whole mm, 24 to 28 of most phones

    def __call__(self, samples):
        return [exif_focal(sample.get('img_path', ''), sample.ori_shape) for sample in samples]


def exif_focal(path, size):
    """Focal length, px, of a photo at ``size`` (h, w) from its EXIF; nan where it does not say, or nothing believable.

    f = equivalent / 43.27 mm * diagonal (EXIF 2.32, FocalLengthIn35mmFilm).
    """
    try:
        with opened(path) as file:
            equivalent = float(file.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm, 0))
    except ImageError:  # no file, no picture, or broken EXIF
        return math.nan
    low, high = FILM_FOCALS
    return equivalent / FILM_DIAGONAL * math.hypot(*size) if low <= equivalent <= high else math.nan


@SOURCES.register_module()
class GivenFocal(FocalSource):
    """Focal lengths you know.

    Args:
        focal: px of the image: one number for all, or a JSON file {image id: px}, relative to ``data_root``; an image
            that is not in it is unknown.

    Raises:
        ValueError: a focal length that is not positive. FileNotFoundError: no such file.
    """

    def __init__(self, focal, data_root=''):
        self.table = read_json(Path(data_root) / focal) if isinstance(focal, str) else None
        self.focal = None if isinstance(focal, str) else focal
        for key, value in dict(focal=focal).items() if self.table is None else self.table.items():
            if not (isinstance(value, (int, float)) and 0 < value <= sys.float_info.max):
                raise ValueError(f'{focal}: focal lengths must be positive numbers of px, got {value!r:.50} for {key}')

    def __call__(self, samples):
        if self.table is None:
            return [float(self.focal)] * len(samples)
        return [float(entry_of(self.table, sample.img_id) or math.nan) for sample in samples]


@SOURCES.register_module()
class DepthFocal(FocalSource):
    """The focal length that came with the depth map: the camera that a depth network found, or its files hold.

    The stage of depth has to come before that of the focal length. Networks and files without a camera: unknown (nan).

    Args:
        focal_std: standard deviation of its logarithm. No published number is for all networks: .1 is what they are
            trusted here, less than EXIF and more than a guess.
    """
    needs = ('depth_focal', )

    def __init__(self, focal_std=.1):
        self.focal_std = focal_std

    def __call__(self, samples):
        return [float(sample.depth_focal) for sample in samples]
