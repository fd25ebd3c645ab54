"""Whether initial meshes and their cameras can be what they are taken for: units, axes, degrees, focal lengths."""
import math
from collections import Counter

import numpy as np

from mmhuman_dto.datasets.agreement import disagreements_of
from mmhuman_dto.dto.problem import FOOT_JOINTS
from mmhuman_dto.tables.label_ranges import implausible, implausible_focal

from .findings import FEW, MOST, PIXELS, Finding, by

#: Index of the head among SMPL's joints.
_HEAD = 15
#: The size in the picture that masks show over that of the meshes, from which on units or the focal length are wrong:
#: of most people more than this is seen, and nobody's mask is much larger than the person.
_LARGER, _SMALLER, _HARDLY = 2., .4, 1 / 100
_AXES = 'ours are x right, y down, z forward'


def findings_of_meshes(samples, body_model):
    """What is wrong with the units, axes and cameras of initial meshes: list of :class:`Finding`.

    Args:
        samples: with ``pred_instances``, ``pred_camera`` and, if masks are known, ``pred_maps.segmentation``.
        body_model: whose meshes these are.
    """
    found = [*_of_focals(samples), *_of_axes(samples, body_model)] or _of_sizes(samples, body_model)
    found += _of_angles(samples)
    return found or [Finding(text, False) for text in disagreements_of(samples)]


def _of_focals(samples):
    said = [(sample, text) for sample in samples
            if (text := implausible_focal(sample.pred_camera.intrinsics, sample.ori_shape))]
    if len(said) / len(samples) < MOST:
        return []
    return [Finding(f'{said[0][0].img_id} and {len(said) - 1} more of {len(samples)} images: {said[0][1]}', True)]


def _of_axes(samples, body_model):
    z, upside_down = (np.concatenate(parts) for parts in zip(*(_stance(sample, body_model) for sample in samples)))
    behind, turned, count = (z <= 0).sum(), upside_down.sum(), len(z)
    if behind / count < MOST and turned / count < MOST:
        return []
    if behind / count < MOST:
        return [Finding(f'the heads of {turned} of {count} people are below their feet: are y axes pointing up? '
                        f'{_AXES}; multiply y of the translations by -1 and turn the root rotations along',
                        bool(turned / count > .9 and count >= FEW))]
    if turned / count >= MOST:
        return [Finding(f'{behind} of {count} people are behind the camera (z negative), the heads of {turned} below '
                        f'their feet: these are the axes of OpenGL; {_AXES}. Turn translations (counted from the '
                        'pelvis) and root rotations by 180 degrees about x', True)]
    return [Finding(f'{behind} of {count} people are behind the camera (z negative, median {np.median(z):.3g} m): '
                    f'{_AXES}, translations are those of the camera frame', True)]


def _stance(sample, body_model):
    """z (N), m, of the pelvis, and whether the head is below the feet (N)."""
    people = sample.pred_instances
    joints = body_model.skeleton(people.pose, people.betas, people.transl).double().cpu().numpy()
    below = joints[:, _HEAD, 1] - joints[:, FOOT_JOINTS, 1].mean(1)
    return joints[:, 0, 2], below > .2


def _of_sizes(samples, body_model):
    """Units of distances, and focal lengths, by how large people are in the picture."""
    drawn, ratio, z, sides = [], [], [], []
    for sample in samples:
        people, focal = sample.pred_instances, float(sample.pred_camera.intrinsics[1, 1])
        depth = people.transl[:, 2].double().cpu().numpy()
        size = focal * body_model.height(people.betas).double().cpu().numpy() / depth
        shown = _mask_sizes(sample, len(people))
        drawn.append(size)
        ratio.append(shown / size)
        z.append(depth)
        sides.append(np.full(len(people), max(sample.ori_shape)))
    drawn, ratio, z, sides = map(np.concatenate, (drawn, ratio, z, sides))
    known = ratio[np.isfinite(ratio)]
    factor = np.median(known) if len(known) >= FEW else math.nan
    tall = f'{np.median(drawn):.3g} px tall at z = {np.median(z):.3g} m (medians)'
    if np.median(drawn / sides) < _HARDLY or factor > 30:
        unit, divisor = ('millimetres', 1000) if np.median(z) > 1500 or factor > 300 else ('centimetres', 100)
        return [Finding(f'the meshes of {len(z)} people are {tall}'
                        + (f', 1/{factor:.3g} of what their masks show' if factor > 1 else '')
                        + f': are translations in {unit}? Ours are metres: divide by {divisor}', True)]
    if factor > _LARGER or factor < _SMALLER:
        said = (f'the meshes of {len(known)} people are {1 / factor:.3g} x as large in the picture as their masks, '
                f'{tall}')
        focal = float(samples[0].pred_camera.intrinsics[1, 1])
        outside = any('outside of their pictures' in text for text in disagreements_of(samples))
        return [Finding(f'{said}: is the focal length that of these pictures ({samples[0].img_id}: {focal:.4g} px in '
                        f'{by(samples[0].ori_shape)} px; {focal * factor:.4g} would fit), and are distances in '
                        'metres?', outside or factor > 3 * _LARGER)]
    if np.median(drawn / sides) > 1.5 and not len(known):
        return [Finding(f'the meshes of {len(z)} people are {tall}, larger than their pictures: focal lengths and '
                        'distances must be of these pictures, in px and m', False)]
    return []


def _mask_sizes(sample, count):
    """Height or width, the larger one, of each person's mask (count), px; nan where none is known."""
    sizes = np.full(count, np.nan)
    if 'pred_maps' in sample and 'segmentation' in sample.pred_maps:
        ids = sample.pred_maps.segmentation.cpu().numpy()
        for person in range(count):
            rows, columns = np.nonzero(ids == person + 1)
            if len(rows) >= PIXELS:
                sizes[person] = max(np.ptp(rows), np.ptp(columns)) + 1
    return sizes


def _of_angles(samples):
    """Rotations and shapes that nobody has, of most people."""
    people, fields, value = sum(len(sample.pred_instances) for sample in samples), Counter(), {}
    for sample in samples:
        for one in implausible(sample.pred_instances):
            field = 'pose' if one.field in ('global_orient', 'body_pose') else one.field
            fields[field] += 1
            value.setdefault(field, f'{sample.img_id}, person {one.person}: {one.field} {one.value:.4g}')
    said = {'pose': 'are rotations in degrees? Ours are axis-angle in rad: multiply by pi / 180',
            'betas': 'are these coefficients of another body model, or not divided by their standard deviations?'}
    return [Finding(f'{fields[field]} of {people} people have impossible {field} ({value[field]}): {cure}', True)
            for field, cure in said.items() if fields[field] / people >= MOST]
