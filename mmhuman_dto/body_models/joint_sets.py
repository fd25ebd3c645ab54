"""Named joint sets: names, mirror permutation and the edges to draw.

A name means the same in every set, but for ``neck``: SMPL's is the rotation centre at the skull's base of the
kinematic tree, other sets' the point between the shoulders that annotators click.
"""
from typing import NamedTuple

import torch


class JointSet(NamedTuple):
    """One order of K named joints, and ``edges``, pairs of indices to connect when drawing."""
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def flip_permutation(self):
        """Indices (K) that turn the joints of a mirrored person into this order: ``joints[..., permutation, :]``."""
        return tuple(self.names.index(_mirrored(name)) for name in self.names)


def _mirrored(name):
    for side, other in (('left_', 'right_'), ('right_', 'left_')):
        if name.startswith(side):
            return other + name[len(side):]
    return name


def _sides(*names):
    """Left, right of each name in turn."""
    return tuple(f'{side}_{name}' for name in names for side in ('left', 'right'))


def _limb(side, *names):
    return tuple(f'{side}_{name}' for name in names)


def _joint_set(names, *chains):
    """A set with edges along chains of names; ``*`` in a name stands for left and right."""
    edges = []
    for chain in chains:
        for side in (('left', 'right') if any('*' in name for name in chain) else ('', )):
            rows = [names.index(name.replace('*', side)) for name in chain]
            edges += [(a, b) for a, b in zip(rows, rows[1:]) if (a, b) not in edges]
    return JointSet(tuple(names), tuple(edges))


_ARM = ('*_shoulder', '*_elbow', '*_wrist')
_LEG = ('*_hip', '*_knee', '*_ankle')
_FACE = ('nose', '*_eye', '*_ear')
_TORSO = (('left_shoulder', 'right_shoulder'), ('left_hip', 'right_hip'), ('*_shoulder', '*_hip'))

#: Parents of SMPL's 24 joints, the root's -1.
SMPL_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

_SMPL24 = ('pelvis', 'left_hip', 'right_hip', 'spine1', 'left_knee', 'right_knee', 'spine2', 'left_ankle',
           'right_ankle', 'spine3', 'left_foot', 'right_foot', 'neck', 'left_collar', 'right_collar', 'head',
           *_sides('shoulder', 'elbow', 'wrist', 'hand'))
_SMPL_CHAINS = (('pelvis', 'spine1', 'spine2', 'spine3', 'neck', 'head'), ('pelvis', *_LEG, '*_foot'),
                ('spine3', '*_collar', *_ARM, '*_hand'))
_FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')
_SMPL45 = (*_SMPL24, 'nose', 'right_eye', 'left_eye', 'right_ear', 'left_ear',
           *_limb('left', 'big_toe', 'small_toe', 'heel'), *_limb('right', 'big_toe', 'small_toe', 'heel'),
           *_limb('left', *_FINGERS), *_limb('right', *_FINGERS))
_H36M_BODY = ('pelvis', *_limb('right', 'hip', 'knee', 'ankle'), *_limb('left', 'hip', 'knee', 'ankle'), 'spine',
              'neck', 'head', 'head_top', *_limb('left', 'shoulder', 'elbow', 'wrist'),
              *_limb('right', 'shoulder', 'elbow', 'wrist'))
_RIGHT_THEN_LEFT = (*_limb('right', 'shoulder', 'elbow', 'wrist'), *_limb('left', 'shoulder', 'elbow', 'wrist'),
                    *_limb('right', 'hip', 'knee', 'ankle'), *_limb('left', 'hip', 'knee', 'ankle'))
_TRUNK = (('pelvis', 'spine', 'neck', 'head', 'head_top'), ('pelvis', *_LEG), ('neck', *_ARM))

JOINT_SETS = {
    'smpl24': _joint_set(_SMPL24, *_SMPL_CHAINS),
    # The smplx package's 24 kinematic joints and 21 points on the skin.
    'smpl45': _joint_set(_SMPL45, *_SMPL_CHAINS, ('head', *_FACE), ('*_ankle', '*_heel'), ('*_foot', '*_big_toe'),
                         ('*_foot', '*_small_toe'), *(('*_hand', f'*_{finger}') for finger in _FINGERS)),
    'coco17': _joint_set(('nose', *_sides('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')),
                         _FACE, _ARM, _LEG, *_TORSO),
    'crowdpose14': _joint_set((*_sides('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle'), 'head_top', 'neck'),
                              ('head_top', 'neck', *_ARM), _LEG, *_TORSO[1:]),
    'h36m17': _joint_set(_H36M_BODY, *_TRUNK),
    # MPI-INF-3DHP's 17, used by MuPoTS-3D.
    'mpi17': _joint_set(('head_top', 'neck', *_RIGHT_THEN_LEFT, 'pelvis', 'spine', 'head'), *_TRUNK),
    # The two 19-joint orders of Relative Human's annotations.
    'bk19': _joint_set(('head_top', 'nose', 'neck',
                        *_sides('eye', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle', 'big_toe')),
                       ('head_top', 'neck', *_ARM), ('nose', '*_eye'), (*_LEG, '*_big_toe'), *_TORSO[1:]),
    'ochuman19': _joint_set((*_RIGHT_THEN_LEFT, 'head_top', 'neck', 'right_ear', 'left_ear', 'nose', 'right_eye',
                             'left_eye'),
                            ('head_top', 'neck', *_ARM), _FACE, _LEG, *_TORSO[1:]),
}


def names_of(joint_set):
    """Names of the joints of a set, given by its name or as these names."""
    return JOINT_SETS[joint_set].names if isinstance(joint_set, str) else tuple(joint_set)


def pick_rows(names, joint_set):
    """Rows of ``names`` that give ``joint_set``, by name; KeyError for a joint that ``names`` lacks."""
    missing = [name for name in JOINT_SETS[joint_set].names if name not in names]
    if missing:
        raise KeyError(f'joint set {joint_set!r} needs {missing}, which these joints lack')
    return [names.index(name) for name in JOINT_SETS[joint_set].names]


def shared_joints(source, target):
    """Rows of ``source`` and of ``target`` (two equal-length lists) that hold the joints both name.

    Both are as of :func:`names_of`. SMPL's neck is no other set's.
    """
    source, target = names_of(source), names_of(target)
    names = set(source) & set(target)
    if ('spine1' in source) != ('spine1' in target):
        names -= {'neck'}
    names = [name for name in target if name in names]
    return [source.index(name) for name in names], [target.index(name) for name in names]


def to_joint_set(points, known, source, target):
    """Joints (N, K, D) of one set, ``known`` (N, K), as those of another, by name; sets as of :func:`names_of`.

    Returns:
        (N, J, D), 0 where unknown, and (N, J) bool: those that ``source`` lacks are unknown.

    Raises:
        ValueError: another number of joints than the set's, or none that both sets have.
    """
    rows, places = shared_joints(source, target)
    if points.shape[1] != len(names_of(source)) or not rows:
        raise ValueError(f'{points.shape[1]} joints of joint_set {source!r}, which has {len(names_of(source))}, '
                         f'{len(rows)} of them in {target!r}: say which joints they are, by the joint_set of the table '
                         'or of HumanTable')
    rows, places = (torch.tensor(joints).to(points.device, non_blocking=True) for joints in (rows, places))
    moved = points.new_zeros(len(points), len(names_of(target)), points.shape[2])
    seen = torch.zeros_like(moved[..., 0], dtype=torch.bool)
    moved[:, places] = torch.where(known[..., None], points, 0.)[:, rows]
    seen[:, places] = known[:, rows]
    return moved, seen
