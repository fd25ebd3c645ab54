"""Reading the files of the SMPL family into plain arrays, with every key and shape checked."""
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse
import torch

from mmhuman_dto.fileio import BrokenFileError, load_npy, load_npz, load_pickle

from .base import BodyModelError

_WEBSITES = {'smpl': 'https://smpl.is.tue.mpg.de', 'smplx': 'https://smpl-x.is.tue.mpg.de'}
#: Genders, and what SMPL's own files call them.
GENDERS = dict(neutral='neutral', male='m', female='f')
_SAID = {name: gender for gender, short in GENDERS.items() for name in (gender, short)}


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
        BodyModelError: the file's name says another gender.
    """
    if gender not in GENDERS:
        raise ValueError(f'gender {gender!r} of a {family} body, expected one of {tuple(GENDERS)}')
    folder = Path(model_path)
    if folder.is_file():
        said = {_SAID[word] for word in re.split('[^a-z]+', folder.stem.lower()) if word in _SAID}
        _check_gender(folder, gender, said, 'name')
        return folder
    stem = f'{family.upper()}_{gender.upper()}'
    for path in (place / f'{stem}{suffix}' for place in (folder / family, folder) for suffix in ('.npz', '.pkl')):
        if path.is_file():
            return path
    original = f' (basicmodel_{GENDERS[gender]}_lbs_10_207_0_v1.1.0.pkl)' if family == 'smpl' else ''
    raise FileNotFoundError(f'no {stem}.npz or {stem}.pkl in {folder / family} or {folder}. It is licensed: '
                            f'register at {_WEBSITES[family]}, download the {gender} model{original} and save it as '
                            f'{folder / stem}.pkl (or .npz, as it comes).')


def read_body(path, num_bones, extras=None, gender=None):
    """Arrays of a ``.pkl`` or ``.npz`` body file with ``num_bones`` bones; ``extras`` is ``{key: shape}`` of more.

    Nothing in the file is run, chumpy arrays and sparse matrices become plain arrays. ``gender`` is the one asked for.

    Raises:
        BrokenFileError: a missing key or a wrong shape, by name.
        UnsafeFileError: a pickle of anything but plain data.
        BodyModelError: the file says that it is of another gender.
    """
    path = Path(path)
    if path.suffix == '.npz':
        with load_npz(path) as content:
            return _body(path, content, num_bones, extras or {}, gender)
    content = load_pickle(path)
    if not isinstance(content, dict):
        raise BrokenFileError(f'{path}: holds a {type(content).__name__}, expected a dictionary of arrays')
    return _body(path, content, num_bones, extras or {}, gender)


def _check_gender(path, gender, said, where):
    """Refuse a file whose name or content names one gender, and that another one."""
    if len(said) == 1 and gender not in said:
        other, = said
        raise BodyModelError(f'{path}: gender {gender!r} is asked for, the file\'s {where} says {other!r}. Give '
                             f'gender={other!r} if that is meant, or the {gender} file, SMPL_{gender.upper()} or alike')


def _body(path, content, bones, extras, gender):
    if gender is not None and 'gender' in content:
        said = content['gender']
        said = said.ravel()[0] if isinstance(said, np.ndarray) and said.size == 1 else said
        said = said.decode('utf-8', 'replace') if isinstance(said, bytes) else str(said)
        _check_gender(path, gender, {_SAID[said.strip().lower()]} if said.strip().lower() in _SAID else (), 'content')
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


def read_mapping(path, num_target, num_source):
    """(num_target, num_source) float64 sparse tensor that makes the vertices of one body of another's.

    The file is SMPL-X's authors' ``smpl2smplx_deftrafo_setup.pkl`` or ``smplx2smpl_deftrafo_setup.pkl`` (transfer_model
    of the smplx repository): the key ``mtx``, of whose columns the second half is for normals and not used.

    Raises:
        BrokenFileError, UnsafeFileError, FileNotFoundError: another file, or one of other bodies.
    """
    content = load_pickle(path)
    matrix = content.get('mtx') if isinstance(content, dict) else None
    if matrix is None or getattr(matrix, 'shape', None) not in ((num_target, num_source), (num_target, 2 * num_source)):
        raise BrokenFileError(f'{path}: no key mtx of shape ({num_target}, {num_source}) or twice as wide, as '
                              'smpl2smplx_deftrafo_setup.pkl and smplx2smpl_deftrafo_setup.pkl have it; is it the file '
                              'of the other direction?')
    matrix = scipy.sparse.csr_matrix(matrix, dtype=np.float64)[:, :num_source].tocoo()
    return torch.sparse_coo_tensor(np.stack([matrix.row, matrix.col]), matrix.data, matrix.shape, check_invariants=True)
