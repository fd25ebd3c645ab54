"""The camera that people are placed for, where it is not the one of the results."""
import math
from pathlib import Path

import torch

from mmhuman_dto.geometry import project, unproject
from mmhuman_dto.perception.focal import DepthFocal
from mmhuman_dto.perception.keypoint_fit import guessed_intrinsics
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.results import ResultError

#: Focal lengths over the longer side of the picture that a photo of people may have: 10 to 300 mm, in 35-mm terms.
_USUAL = (.25, 8.)
#: What a focal length may be called that nobody gives as a number.
_NAMED = {None: dict(type='ExifFocal'), 'exif': dict(type='ExifFocal'), 'depth': dict(type='DepthFocal')}


class Cameras:
    """Which camera people of a picture are placed for.

    Args:
        focal: px of the picture; ``'exif'``: what the file says; ``'results'``: the one of the results; a JSON file
            {name: px} or a config of a :class:`~mmhuman_dto.perception.FocalSource`; ``'depth'``: the one that comes
            with the depth maps, which must be there first (``needs_maps``); None: the one of the results, or,
            where their program made it up, what the picture's file says, and our guess where that of the program is no
            photo's.
    """

    def __init__(self, focal=None):
        self.focal = focal
        self.source = _source(focal)
        self.needs_maps = isinstance(self.source, DepthFocal)

    def __call__(self, sample, stated, is_guess):
        """(intrinsics (3, 3) float64, what is said of them as ``focal_source``).

        Args:
            sample: with ``img_id``, ``img_path``, ``ori_shape``.
            stated: (3, 3) of the results; None where they state none. is_guess: whether their program made it up.
        """
        asked = self.source is not None and (self.focal is not None or is_guess or stated is None)
        known = float(self.source([sample])[0]) if asked else math.nan
        if math.isfinite(known):
            return _with_focal(stated, known, sample.ori_shape), 'given' if self.focal is not None else 'exif'
        if stated is not None and not (is_guess and self.focal is None and _absurd(stated, sample.ori_shape)):
            return stated.double(), 'guess' if is_guess else 'network'
        if self.focal == 'results':
            raise ResultError(f'{sample.img_id}: its results state no focal length; give one with --focal')
        return guessed_intrinsics(sample.ori_shape).double(), 'guess'


def refocused(people, old, new):
    """:class:`People` whose meshes are seen by another camera as they were by the old one, their pelvis to the pixel.

    Depths grow with the focal length, and what the principal point moved is moved back (exact at the pelvis alone).
    """
    if torch.equal(old, new):
        return people
    old, new, pelvis = old.double(), new.double(), people.pelvis.double()
    goal = unproject(project(pelvis, old), pelvis[:, 2] * new[1, 1] / old[1, 1], new)
    moved = people[:]
    for name in ('vertices', 'smpl_joints', 'transl', 'pelvis'):
        if name in moved:
            shift = (goal - pelvis).to(moved[name].dtype)
            moved.set_field(moved[name] + (shift[:, None] if moved[name].ndim == 3 else shift), name)
    return moved


def _source(focal):
    if focal == 'results':
        return None
    if not isinstance(focal, dict):
        if isinstance(focal, str) and focal not in _NAMED and not Path(focal).is_file():
            raise ResultError(f"focal {focal}: expected px, 'exif', 'depth', 'results' or a JSON file that is there")
        focal = _NAMED.get(focal, dict(type='GivenFocal', focal=focal))
    return SOURCES.build(focal)


def _absurd(intrinsics, size):
    share = float(intrinsics[1, 1]) / max(size)
    return not _USUAL[0] < share < _USUAL[1]


def _with_focal(stated, focal, size):
    """Intrinsics of a focal length, with the principal point of the results or in the middle."""
    height, width = size
    centre = (width / 2, height / 2) if stated is None else stated[:2, 2].tolist()
    return torch.tensor([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]], dtype=torch.float64)
