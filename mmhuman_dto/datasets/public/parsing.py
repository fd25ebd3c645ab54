"""From the objects of a public file to checked arrays; every complaint names key and shape."""
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.structures import People

#: Principal components of shape that data sets annotate, unless they say more.
COMPONENTS = 10
#: Diagonals of the boxes of people's joints, m: no baby's is less, no adult's more.
_SIZES = (.2, 4.)
#: Joints are in another order where that makes their bones so many times shorter.
_LONGER = 1.5
#: No picture is longer, px.
_LONGEST_SIDE = 1_000_000


class ShapeSpace(NamedTuple):
    """What the betas of a body model are: principal components, and whether the blend to a child follows them."""
    components: int
    child: bool


class LayoutError(ValueError):
    """A file or an image's entry that does not follow its layout; names file, image, key and shape."""


def entry(record, key):
    """``record[key]``, which must be there and not None."""
    if not isinstance(record, dict) or record.get(key) is None:
        raise LayoutError(f'lacks {key}')
    return record[key]


def single(values):
    """Doubles as single precision, which is what samples have, in half the memory; other arrays as they are."""
    with np.errstate(over='ignore'):  # what is too large becomes infinity, which is refused when it is asked for
        return values.astype(np.float32) if values.dtype == np.float64 else values


def array(record, key):
    """``record[key]`` (array, torch tensor, or nested lists of them) as a float32 array of its own.

    Raises:
        LayoutError: an absent key, anything but numbers, nan or infinity.
    """
    value = entry(record, key)
    try:
        plain = np.array([_numbers(row) for row in value] if isinstance(value, list) else _numbers(value))
        with np.errstate(over='ignore'):  # what is too large becomes infinity, which is refused below
            value = plain.astype(np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise LayoutError(f'{key} is not an array of numbers ({error})') from error
    if not np.isfinite(value).all():
        raise LayoutError(f'{key} holds values that are not finite')
    return value


def _numbers(value):
    """``value`` as an array; text is refused before numpy makes an array of it, in which each takes as much as the
    longest."""
    plain = None if _has_text(value) else np.asarray(value)
    if plain is None or plain.dtype.kind not in 'biufO':
        raise TypeError(f'it holds {"text" if plain is None else plain.dtype}')
    return plain


def _has_text(value):
    return isinstance(value, (str, bytes)) or isinstance(value, (list, tuple)) and any(map(_has_text, value))


def number_of_people(record, key):
    """How many rows ``record[key]`` has."""
    value = entry(record, key)
    if not isinstance(value, (list, tuple)) and np.ndim(value) == 0:
        raise LayoutError(f'{key} is {type(value).__name__}, expected a row a person')
    return len(value)


def rows(record, key, count, *row):
    """``record[key]`` (count, ``*row``) as a float32 tensor; a row of None is free."""
    value = array(record, key)
    if count == 0:
        return torch.zeros(0, *(size or 0 for size in row))
    if value.ndim != 1 + len(row) or len(value) != count or any(
            want not in (None, have) for want, have in zip(row, value.shape[1:])):
        wanted = ', '.join(str(size or 'B') for size in (count, *row))
        raise LayoutError(f'{key} has shape {value.shape}, expected ({wanted}{"" if row else ","})')
    return torch.from_numpy(value)


def vectors(people, key, *row):
    """One array of shape ``row`` a person (dictionaries), leading axes of 1 allowed -> (N, ``*row``) float32 tensor."""
    values = [array(person, key) for person in people]
    for value in values:
        if value.shape[max(value.ndim - len(row), 0):] != row or value.size != np.prod(row, dtype=int):
            raise LayoutError(f'{key} of a person has shape {value.shape}, expected {row}')
    return torch.from_numpy(np.stack(values).reshape(-1, *row)) if values else torch.zeros(0, *row)


def shapes(people, key, space, **kwargs):
    """Shape coefficients of each person (dictionaries), as :func:`padded_betas` has them -> (N, B)."""
    values = [array(person, key).ravel() for person in people]
    return padded_betas([torch.from_numpy(value) for value in values], key, space, **kwargs)


def padded_betas(betas, key, space, child_last=False, cut=None):
    """Shape coefficients of each person as those of a body model, filled up with zeros -> (N, B).

    Args:
        betas: a tensor a person, of any length.
        key: that they were found under.
        space: :class:`ShapeSpace` of the body model.
        child_last: whether an 11th coefficient is the blend to a child, as in AGORA's SMPL fits. False: it is a
            principal component like those before, which never takes the place of a blend.
        cut: principal components further than this many are dropped where the body model lacks them.

    Raises:
        LayoutError: more coefficients than the body model has, or a child without a body model for children.
    """
    rows = torch.zeros(len(betas), space.components + space.child)
    for row, values in zip(rows, betas):
        if child_last and len(values) == COMPONENTS + 1:
            if not space.child:
                raise LayoutError(f'{key} has {len(values)} coefficients, the body model {space.components}: give one '
                                  'with a child coefficient, such as SMPL+A')
            values, row[-1] = values[:-1], values[-1]
        if len(values) > space.components and cut is not None:
            values = values[:max(cut, space.components)]
        if len(values) > space.components:
            raise LayoutError(f'{key} has {len(values)} shape components, the body model {space.components}: give it '
                              f'num_betas={len(values)} and a file that has as many. None of them is the blend to a '
                              'child of SMPL+A')
        row[:len(values)] = values
    return rows


def check_joints(points, valid, joint_set, key, mistaken=()):
    """Refuse joints (N, K, 3), m, valid (N, K), of the size of nobody, or in another order than ``joint_set``'s.

    Sizes are the diagonals of the joints' boxes. In another order the bones, which join neighbours, are much longer.

    Args:
        mistaken: joint sets of as many joints that files are known to mix up with this one.

    Raises:
        LayoutError: the likely unit, or the order that they seem to be in.
    """
    points, valid = points[valid.sum(1) > 1], valid[valid.sum(1) > 1][..., None]
    if not len(points):
        return
    low, high = torch.where(valid, points, torch.inf).amin(1), torch.where(valid, points, -torch.inf).amax(1)
    size = float((high - low).norm(dim=-1).median())
    factor = next((factor for factor in (1, 1e-3, 1e-2, 1e2, 1e3) if _SIZES[0] < size * factor < _SIZES[1]), 1)
    if factor != 1:
        raise LayoutError(f'{key} makes people of {size:.4g} m from end to end: it is of another unit, by a factor of '
                          f'{factor:g}')
    lengths = {name: _bone_length(torch.where(valid, points, torch.nan), name) for name in (joint_set, *mistaken)}
    best = min(lengths, key=lengths.get)
    if lengths[best] * _LONGER < lengths[joint_set]:
        raise LayoutError(f'{key} seems to be in the order of {best}, not in that of {joint_set}, in which bones are '
                          f'{lengths[joint_set] / lengths[best]:.2g} x as long')


def _bone_length(points, joint_set):
    """Mean length of the bones that joints (N, K, 3), nan where unknown, make in the order of a set."""
    ends = points[:, torch.tensor(JOINT_SETS[joint_set].edges)]
    return float((ends[:, :, 0] - ends[:, :, 1]).norm(dim=-1).nanmean().nan_to_num())


def picture_size(record):
    """``height`` and ``width`` of an image, px, as a tuple."""
    size = np.concatenate([array(record, key).ravel() for key in ('height', 'width')])
    if size.shape != (2, ) or (size < 1).any() or (size > _LONGEST_SIDE).any():
        raise LayoutError(f'height, width are {size.tolist()}, which is no size of an image')
    return tuple(size.astype(int).tolist())


def list_of_people(record):
    """The entry of an image that is a list of dictionaries, one a person."""
    record = record.tolist() if isinstance(record, np.ndarray) else record
    if not isinstance(record, (list, tuple)) or not all(isinstance(person, dict) for person in record):
        raise LayoutError(f'is {type(record).__name__}, expected a list with a dictionary a person')
    return record


def smpl_people(record, is_released=None):
    """People of ``trans_cam`` (N, 3), ``pose_cam`` (N, 72 or 24 x 3) and ``shape`` (N, B), camera frame."""
    count = len(np.atleast_1d(array(record, 'trans_cam')))
    if count == 0:
        return People(num_people=0)
    pose = array(record, 'pose_cam')
    if pose.shape == (count, 24, 3):
        record = dict(record, pose_cam=pose.reshape(count, 72))
    pose = rows(record, 'pose_cam', count, 72).reshape(count, 24, 3)
    people = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=rows(record, 'shape', count, None),
                    transl=rows(record, 'trans_cam', count, 3))
    if is_released is not None:
        people.is_released = torch.from_numpy(np.broadcast_to(is_released, (count, )).copy())
    return people


def pinhole(people):
    """Intrinsics (N, 3, 3) of dictionaries with ``focal`` (2) and ``princpt`` (2), px."""
    intrinsics = torch.eye(3).repeat(len(people), 1, 1)
    intrinsics[:, [0, 1], [0, 1]] = vectors(people, 'focal', 2)
    intrinsics[:, :2, 2] = vectors(people, 'princpt', 2)
    return intrinsics.numpy()


def one_camera(intrinsics, key):
    """The (3, 3) intrinsics that the people of an image (N, 3, 3) share, or the image's own (3, 3), as a tensor."""
    if intrinsics.shape[-2:] != (3, 3) or intrinsics.ndim > 3:
        raise LayoutError(f'{key} has shape {intrinsics.shape}, expected (N, 3, 3)')
    intrinsics = intrinsics.reshape(-1, 3, 3)
    if not np.allclose(intrinsics, intrinsics[:1], rtol=1e-4):
        raise LayoutError(f'{key} differs between the people of one image')
    return torch.from_numpy(intrinsics[0].copy())
