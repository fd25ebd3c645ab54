"""Reading the files of the SMPL family into plain arrays, with every key and shape checked."""
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse

from mmhuman_dto.fileio import BrokenFileError, load_npy, load_npz, load_pickle

_WEBSITES = {'smpl': 'https://smpl.is.tue.mpg.de', 'smplx': 'https://smpl-x.is.tue.mpg.de'}
#: Genders, and what SMPL's own files call them.
_GENDERS = dict(neutral='neutral', male='m', female='f')


class BodyArrays(NamedTuple):
    """What a body file holds, float64 and int64 numpy: V vertices, K bones, S shape directions."""
    path: Path  # the file, for messages
    template: np.ndarray  # (V, 3) m
    shape_dirs: np.ndarray  # (V, 3, S) m
    pose_dirs: np.ndarray  # (V, 3, 9 (K - 1)) m
    joint_regressor: np.ndarray  # (K, V)
    skin_weights: np.ndarray  # (V, K)
    parents: np.ndarray  # (K,), the root's -1
    faces: np.ndarray  # (F, 3)
    extras: dict  # other keys that were asked for


def find_body_file(model_path, family, gender):
    """Path of a body file, e.g. ``model_path/smpl/SMPL_NEUTRAL.pkl``, as the smplx package lays them out.

    Args:
        model_path: the folder that holds the family's folder, that folder itself, or the file.
        family: 'smpl' or 'smplx'.
        gender: 'neutral', 'male' or 'female'.

    Raises:
        FileNotFoundError: says which file, where to get it and where to put it.
    """
    if gender not in _GENDERS:
        raise ValueError(f'gender {gender!r} of a {family} body, expected one of {tuple(_GENDERS)}')
    folder = Path(model_path)
    if folder.is_file():
        return folder
    stem = f'{family.upper()}_{gender.upper()}'
    for path in (place / f'{stem}{suffix}' for place in (folder / family, folder) for suffix in ('.npz', '.pkl')):
        if path.is_file():
            return path
    original = f' (basicmodel_{_GENDERS[gender]}_lbs_10_207_0_v1.1.0.pkl)' if family == 'smpl' else ''
    raise FileNotFoundError(f'no {stem}.npz or {stem}.pkl in {folder / family} or {folder}. It is licensed: '
                            f'register at {_WEBSITES[family]}, download the {gender} model{original} and save it as '
                            f'{folder / stem}.pkl (or .npz, as it comes).')


def read_body(path, num_bones, extras=None):
    """Arrays of a ``.pkl`` or ``.npz`` body file with ``num_bones`` bones; ``extras`` is ``{key: shape}`` of more.

    Nothing in the file is run, chumpy arrays and sparse matrices become plain arrays.

    Raises:
        BrokenFileError: a missing key or a wrong shape, by name.
        UnsafeFileError: a pickle of anything but plain data.
    """
    path = Path(path)
    if path.suffix == '.npz':
        with load_npz(path) as content:
            return _body(path, content, num_bones, extras or {})
    content = load_pickle(path)
    if not isinstance(content, dict):
        raise BrokenFileError(f'{path}: holds a {type(content).__name__}, expected a dictionary of arrays')
    return _body(path, content, num_bones, extras or {})


def _body(path, content, bones, extras):
    size = len(_array(path, content, 'v_template', ('V', 3)))
    wanted = {'v_template': (size, 3), 'shapedirs': (size, 3, 'S'), 'posedirs': (size, 3, 9 * (bones - 1)),
              'J_regressor': (bones, size), 'weights': (size, bones), 'kintree_table': (2, bones), 'f': ('F', 3),
              **extras}
    arrays = {key: _array(path, content, key, shape) for key, shape in wanted.items()}
    parents, faces = arrays['kintree_table'][0].astype(np.int64), arrays['f'].astype(np.int64)
    parents[0] = -1
    if not (parents[1:] < np.arange(1, bones)).all() or parents[1:].min() < 0:
        raise BrokenFileError(f'{path}: key kintree_table has a joint before its parent: {parents.tolist()}')
    if faces.size and not 0 <= faces.min() <= faces.max() < size:
        raise BrokenFileError(f'{path}: key f names vertices {faces.min()} to {faces.max()}, there are {size}')
    return BodyArrays(path, arrays['v_template'], arrays['shapedirs'], arrays['posedirs'], arrays['J_regressor'],
                      arrays['weights'], parents, faces, {key: arrays[key] for key in extras})


def read_matrix(path, shape):
    """The ``.npy`` array at ``path``, whose shape must be ``shape``; FileNotFoundError, BrokenFileError otherwise."""
    return _checked(path, 'array', load_npy(path), shape)


def child_direction(template, child_template):
    """Shape direction (V, 3), m, from an adult to a child template, as the smplx package's ``age='kid'`` takes it."""
    return child_template - child_template.mean(0) - template


def _array(path, content, key, shape):
    if key not in content:
        raise BrokenFileError(f'{path}: no key {key!r}, it has {sorted(map(str, content))}. '
                              'Is it a body model of another family?')
    return _checked(path, f'key {key!r}', content[key], shape)


def _checked(path, what, value, shape):
    have = getattr(value, 'shape', None)
    if have is None or len(have) != len(shape) or any(
            not isinstance(want, str) and want != size for want, size in zip(shape, have)):
        raise BrokenFileError(f'{path}: {what} has shape {have}, expected {shape}')
    if scipy.sparse.issparse(value):
        if not all(isinstance(want, int) for want in shape):  # it could say any size, and have no values
            raise BrokenFileError(f'{path}: {what} is a sparse matrix, expected an array')
        value = value.toarray()
    if value.dtype.kind not in 'biuf':
        raise BrokenFileError(f'{path}: {what} holds {value.dtype}, expected numbers')
    return value
