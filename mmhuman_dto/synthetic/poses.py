"""A small set of hand-made SMPL poses, noise within joint limits, and feet that reach the ground."""
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

JOINTS = ('pelvis', 'l_hip', 'r_hip', 'spine1', 'l_knee', 'r_knee', 'spine2', 'l_ankle', 'r_ankle', 'spine3', 'l_foot',
          'r_foot', 'neck', 'l_collar', 'r_collar', 'head', 'l_shoulder', 'r_shoulder', 'l_elbow', 'r_elbow', 'l_wrist',
          'r_wrist', 'l_hand', 'r_hand')
_INDEX = {name: i for i, name in enumerate(JOINTS)}
_MIRRORED = [_INDEX[{'l': 'r', 'r': 'l'}[name[0]] + name[1:]] if name[1] == '_' else i for i, name in enumerate(JOINTS)]
_SIDES = (('l_hip', 'l_knee', 'l_ankle'), ('r_hip', 'r_knee', 'r_ankle'))


class Pose(NamedTuple):
    """Euler angles in degrees, rotation = Rx Ry Rz, of the joints that leave SMPL's rest pose (arms along x)."""
    angles: dict  # joint name -> (x, y, z)
    planted: str = 'lr'  # the feet that stand flat on the ground, among 'l' and 'r'
    seat: str = None  # None, 'box' (sits on one, feet on the ground) or 'ground'
    weight: float = 1.0  # how often it is drawn, relative to the others


_ARM_L, _ARM_R = (0, 0, -72), (0, 0, 72)  # hanging down, a little away from the hips
_DOWN = dict(l_shoulder=_ARM_L, r_shoulder=_ARM_R, l_elbow=(0, -14, 0), r_elbow=(0, 14, 0))

POSES = {
    'standing': Pose(dict(_DOWN, l_hip=(0, 0, 4), r_hip=(0, 0, -4)), weight=3),
    'contrapposto': Pose(
        dict(_DOWN, pelvis=(0, 0, 4), spine1=(0, 0, -5), spine2=(0, 0, -3), l_hip=(-16, 14, 8), l_knee=(26, 0, 0),
             r_hip=(0, 0, -8), r_elbow=(0, 24, 0)), weight=2),
    'walking': Pose(
        dict(pelvis=(3, 0, 0), l_hip=(-26, 0, 1), l_knee=(8, 0, 0), r_hip=(16, 0, -1), r_knee=(22, 0, 0),
             r_ankle=(6, 0, 0), r_foot=(-22, 0, 0), l_shoulder=(22, 0, -74), r_shoulder=(-24, 0, 74),
             l_elbow=(0, -12, 0), r_elbow=(0, 28, 0)), planted='l', weight=1.5),
    'passing step': Pose(
        dict(_DOWN, pelvis=(3, 0, 0), l_hip=(-22, 0, 1), l_knee=(52, 0, 0), l_ankle=(8, 0, 0), r_hip=(3, 0, -1)),
        planted='r'),
    'hands on hips': Pose(
        dict(l_shoulder=(26, 0, -52), r_shoulder=(26, 0, 52), l_elbow=(62, -88, 0), r_elbow=(62, 88, 0),
             l_hip=(0, 4, 7), r_hip=(0, -4, -7))),
    'waving': Pose(
        dict(_DOWN, r_shoulder=(0, -15, -35), r_collar=(0, 0, -12), r_elbow=(0, 20, -60), r_hip=(0, 0, -4))),
    'arms raised': Pose(
        dict(l_shoulder=(-8, 0, 52), r_shoulder=(-8, 0, -52), l_collar=(0, 0, 16), r_collar=(0, 0, -16),
             l_elbow=(0, -18, 0), r_elbow=(0, 18, 0), spine2=(-5, 0, 0), l_hip=(0, 0, 6), r_hip=(0, 0, -6)), weight=.7),
    'pointing': Pose(
        dict(_DOWN, r_shoulder=(0, 76, 6), r_collar=(0, 12, 0), r_elbow=(0, 8, 0), spine3=(0, 10, 0), l_hip=(0, 0, 5))),
    'carrying': Pose(
        dict(l_shoulder=(-14, 0, -68), r_shoulder=(-14, 0, 68), l_elbow=(0, -88, 0), r_elbow=(0, 88, 0),
             spine2=(-4, 0, 0))),
    'looking at phone': Pose(
        dict(_DOWN, r_shoulder=(-28, 0, 66), r_elbow=(24, 98, 0), neck=(14, 0, 0), head=(16, 0, 0), l_hip=(-4, 0, 3))),
    'arms crossed': Pose(
        dict(l_shoulder=(-30, 0, -60), r_shoulder=(-34, 0, 58), l_elbow=(40, -104, 0), r_elbow=(48, 100, 0),
             l_hip=(0, 0, 4), r_hip=(0, 0, -4)), weight=.7),
    'bending': Pose(
        dict(pelvis=(16, 0, 0), spine1=(22, 0, 0), spine2=(18, 0, 0), spine3=(10, 0, 0), neck=(-14, 0, 0),
             l_hip=(-28, 0, 4), r_hip=(-24, 0, -4), l_knee=(22, 0, 0), r_knee=(16, 0, 0), l_shoulder=(-48, 0, -66),
             r_shoulder=(-44, 0, 66)), weight=.6),
    'squatting': Pose(
        dict(pelvis=(14, 0, 0), spine1=(12, 0, 0), spine2=(14, 0, 0), neck=(-16, 0, 0), l_hip=(-116, 14, 14),
             r_hip=(-116, -14, -14), l_knee=(132, 0, 0), r_knee=(132, 0, 0), l_shoulder=(-58, 0, -62),
             r_shoulder=(-58, 0, 62), l_elbow=(0, -42, 0), r_elbow=(0, 42, 0)), weight=.6),
    'sitting': Pose(
        dict(spine1=(6, 0, 0), spine2=(4, 0, 0), l_hip=(-86, 6, 6), r_hip=(-86, -6, -6), l_knee=(86, 0, 0),
             r_knee=(86, 0, 0), l_shoulder=(-30, 0, -68), r_shoulder=(-30, 0, 68), l_elbow=(0, -46, 0),
             r_elbow=(0, 46, 0)), seat='box'),
    'sitting upright': Pose(
        dict(_DOWN, l_hip=(-88, 8, 8), r_hip=(-82, -3, -3), l_knee=(92, 0, 0), r_knee=(74, 0, 0), neck=(0, 16, 0),
             l_shoulder=(-24, 0, -68)), seat='box', weight=.7),
    'sitting on the ground': Pose(
        dict(pelvis=(-6, 0, 0), spine1=(14, 0, 0), spine2=(8, 0, 0), l_hip=(-84, 10, 12), r_hip=(-84, -10, -12),
             l_knee=(8, 0, 0), r_knee=(14, 0, 0), l_ankle=(18, 0, 0), r_ankle=(18, 0, 0), l_shoulder=(-48, 0, -70),
             r_shoulder=(-48, 0, 70), l_elbow=(0, -22, 0), r_elbow=(0, 22, 0)), planted='', seat='ground', weight=.7),
}

#: Range of the Euler angles noise may reach, degrees: (x, y, z) low, high of the left side; the right side mirrors it.
_LIMITS = {
    'pelvis': ((-20, -15, -10), (30, 15, 10)), 'spine': ((-15, -20, -12), (35, 20, 12)),
    'neck': ((-30, -40, -18), (30, 40, 18)), 'head': ((-25, -40, -15), (30, 40, 15)),
    'hip': ((-120, -25, -12), (20, 30, 35)), 'knee': ((0, -2, -2), (140, 2, 2)),
    'ankle': ((-35, -15, -15), (45, 15, 15)), 'foot': ((-40, 0, 0), (15, 0, 0)),
    'collar': ((-8, -18, -8), (8, 14, 22)), 'shoulder': ((-160, -100, -80), (50, 40, 80)),
    'elbow': ((-10, -145, -10), (80, 0, 75)), 'wrist': ((-30, -25, -50), (30, 25, 50)),
    'hand': ((0, 0, -20), (0, 0, 20)),
}


def _limits():
    low, high = np.zeros((24, 3)), np.zeros((24, 3))
    for i, name in enumerate(JOINTS):
        low[i], high[i] = _LIMITS[name.split('_')[-1].rstrip('123')]
        if name.startswith('r_'):
            low[i, 1:], high[i, 1:] = -high[i, 1:], -low[i, 1:]
    return low, high


LIMITS = _limits()


def pose_angles(pose):
    """Euler angles of one of :data:`POSES`, (24, 3), degrees."""
    angles = np.zeros((24, 3))
    for name, value in pose.angles.items():
        angles[_INDEX[name]] = value
    return angles


def mirror_angles(angles):
    """Swap left and right, (24, 3) Euler angles in degrees."""
    return angles[_MIRRORED] * [1, -1, -1]


def add_noise(angles, std, rng):
    """Normal noise of ``std`` degrees on every joint but the root, clipped to :data:`LIMITS`; (*, 24, 3) degrees."""
    noise = rng.normal(0, std, angles.shape) * (LIMITS[1] > LIMITS[0])
    noisy = np.clip(angles + noise, *LIMITS)
    noisy[..., 0, :] = angles[..., 0, :]
    return noisy


def flatten_feet(angles, planted):
    """Turn the ankles of planted feet so that the soles are level with the ground; (24, 3) degrees."""
    angles = angles.copy()
    for hip, knee, ankle in _SIDES:
        if hip[0] in planted:
            pitch = angles[[0, _INDEX[hip], _INDEX[knee]], 0].sum()
            angles[_INDEX[ankle]] = [np.clip(-pitch, *(limit[_INDEX[ankle], 0] for limit in LIMITS)), 0, 0]
    return angles


def bend_leg(angles, side, bend):
    """Bend hip, knee and ankle of a leg by once, twice, once ``bend`` degrees: it shortens, the sole stays level."""
    angles = angles.copy()
    for name, amount in zip(_SIDES['lr'.index(side)], (-bend, 2 * bend, -bend)):
        angles[_INDEX[name], 0] += amount
    return angles


def to_axis_angle(angles):
    """Euler angles (*, 3) in degrees (rotation = Rx Ry Rz) -> axis-angle (*, 3), rad."""
    flat = Rotation.from_euler('XYZ', np.reshape(angles, (-1, 3)), degrees=True)
    return flat.as_rotvec().reshape(np.shape(angles))


def random_poses(count, seed=0, noise=8., swapped=0.):
    """Axis-angle poses (count, 24, 3), rad, drawn from :data:`POSES` by weight, half of them mirrored, with noise.

    Args:
        noise: std, degrees, within :data:`LIMITS`. swapped: part of them whose legs are those of another pose.
    """
    rng = np.random.default_rng(seed)
    weights = np.array([pose.weight for pose in POSES.values()])
    known = np.stack([pose_angles(pose) for pose in POSES.values()])
    known = np.stack([known, np.stack([mirror_angles(angles) for angles in known])])

    def draw():
        return known[rng.integers(2, size=count), rng.choice(len(weights), count, p=weights / weights.sum())]

    angles, others = draw(), draw()
    legs = np.array([name[1:] in ('_hip', '_knee', '_ankle', '_foot') for name in JOINTS])
    angles = np.where((rng.random(count) < swapped)[:, None, None] & legs[:, None], others, angles)
    return to_axis_angle(add_noise(angles, noise, rng))
