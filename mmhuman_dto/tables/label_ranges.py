"""Labels that nobody can have: finite numbers that are no person's, from which a training goes bad."""
import math
from typing import NamedTuple

import torch

#: Where a person's mesh is described, for those who have one.
_OF_MESHES = ('betas', 'global_orient', 'body_pose', 'transl')


class Range(NamedTuple):
    """Values that a field of people can have, and what others are called; the limits are meant to be generous."""
    field: str
    measure: str  # what is compared, see ``_MEASURES``
    low: float  # exclusive
    high: float  # inclusive
    reason: str


class Implausible(NamedTuple):
    """A person with an impossible label."""
    person: int  # row among the people of the image
    field: str
    value: float
    reason: str


#: Coefficients are in standard deviations of the scans that a body model was learnt from; of thousands of people none
#: is beyond 5. The tallest person measured had 2.72 m, the shortest newborns have 0.3 m, the oldest person was 122. At
#: 300 m somebody is 6 px tall in a picture with a focal length of 1000 px. A rotation needs no more than one turn, fits
#: that go round again are left alone; a root in degrees is not.
RANGES = (
    Range('betas', 'largest', -math.inf, 10., 'beyond 10 standard deviations'),
    Range('transl', 'depth', 0., math.inf, 'behind the camera'),
    Range('transl', 'largest', -math.inf, 300., 'farther than 300 m'),
    Range('global_orient', 'angle', -math.inf, 4 * math.pi, 'more than two turns (rad)'),
    Range('body_pose', 'angle', -math.inf, 4 * math.pi, 'more than two turns (rad)'),
    Range('heights', 'value', .3, 2.8, 'not within 0.3 to 2.8 m'),
    Range('ages', 'value', -1e-6, 130., 'not within 0 to 130 years'),
    Range('male_probs', 'value', -1e-6, 1., 'not within 0 to 1'),
    Range('keypoints_3d', 'largest', -math.inf, 300., 'farther than 300 m'),
    Range('keypoints_2d', 'largest', -math.inf, 1e6, 'beyond 1,000,000 px'),
    Range('bboxes', 'largest', -math.inf, 1e6, 'beyond 1,000,000 px'),
)
_MEASURES = {
    'value': lambda values: values,
    'depth': lambda values: values[:, 2],
    'largest': lambda values: values.abs().reshape(len(values), -1).amax(1),
    'angle': lambda values: values.norm(dim=-1).reshape(len(values), -1).amax(1),
}
#: Focal lengths in long sides of the picture: fields of view from 0.6 to 157 degrees.
FOCAL_RANGE = .1, 100.


def implausible(people):
    """Those of :class:`People` whom ``RANGES`` rule out, each with the first reason; unknown values (nan) are none."""
    found = {}
    for field, measure, low, high, reason in RANGES:
        if field not in people or len(people) == 0 or 0 in people[field].shape:
            continue
        values = people[field].double()
        if f'{field}_valid' in people:
            values = values * people[f'{field}_valid'].bool()[..., None]
        measured = _MEASURES[measure](values)
        bad = (measured <= low) | (measured > high)
        if field in _OF_MESHES and 'has_mesh' in people:
            bad &= people.has_mesh.bool()
        for person in bad.nonzero()[:, 0].tolist():
            found.setdefault(person, Implausible(person, field, float(measured[person]), reason))
    return [found[person] for person in sorted(found)]


def implausible_focal(intrinsics, shape):
    """What is wrong with the focal length (px) of a picture of ``shape`` (height, width), or None."""
    low, high = (limit * max(shape) for limit in FOCAL_RANGE)
    for focal in torch.as_tensor(intrinsics)[[0, 1], [0, 1]].tolist():
        if not low <= focal <= high:
            return (f'the focal length is {focal:g} px, of a picture of {shape[0]} x {shape[1]} px (height, width) '
                    f'expected within {low:g} to {high:g}')
    return None
