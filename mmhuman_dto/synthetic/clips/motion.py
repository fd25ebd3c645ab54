"""Whole bodies in motion: the trunk over the legs, arms that swing or hold something, heads that look about."""
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from .. import poses
from .legs import ankles, leg_rotations, pelvis_heights
from .steps import BEHIND, turned

_ROW = {name: i for i, name in enumerate(poses.JOINTS)}
ARMS = [i for i, name in enumerate(poses.JOINTS) if name[2:] in ('collar', 'shoulder', 'elbow', 'wrist', 'hand')]
#: Degrees of a full stride: pelvis to the side of the swinging leg, its drop there, chest against it, arms, elbows.
_TURN, _DROP, _CHEST, _SWING, _BEND = 4.5, 3., 4., 23., 12.
#: How far the pelvis goes over the leg that carries it, in legs.
_SWAY = .025
#: How far the trunk leans forward halfway to a seat, and back on it, degrees.
_BOW, _RECLINE = 34., 6.


class Style(NamedTuple):
    """What is a person's own way to move."""
    posture: np.ndarray  # (24, 3) degrees, added to all upper joints
    lean: float  # degrees of the trunk, forward
    swing: float  # of the arms, in the usual swing's
    width: float  # m between standing feet
    toe_out: float  # rad
    seat: float  # height of the hips on a seat, in that of the knees
    wander: np.ndarray  # (K, 24, 3, 3) amplitude (degrees), frequency (1/s) and phase (rad) of slow movements


def sample_style(anatomy, rng):
    """A :class:`Style` by chance."""
    posture = np.zeros((24, 3))
    noise = poses.add_noise(np.zeros((24, 3)), 2.2, rng)
    for name, row in _ROW.items():
        if not any(part in name for part in ('hip', 'knee', 'ankle', 'foot', 'pelvis')):
            posture[row] = noise[row]
    hips = anatomy.joints[1, 0] - anatomy.joints[2, 0]
    wander = np.stack([rng.normal(0, .9, (3, 24, 3)), rng.uniform(.1, .55, (3, 24, 3)),
                       rng.uniform(0, 2 * np.pi, (3, 24, 3))], -1)
    return Style(posture, rng.normal(2, 1.5), rng.uniform(.7, 1.25), hips * rng.uniform(.8, 1.1),
                 np.radians(rng.normal(7, 3)), rng.uniform(.95, 1.08), wander)


def seat_distance(anatomy):
    """How far behind the place of a standing body the pelvis sits, m: with the knees over the ankles."""
    return .97 * anatomy.thigh.mean() + BEHIND * anatomy.leg


def wandering(style, times):
    """Slow movements (F, 24, 3) at times (F), s, degrees."""
    amplitude, frequency, phase = np.moveaxis(style.wander, -1, 0)
    return np.einsum('kji,fkji->fji', amplitude, np.sin(2 * np.pi * frequency * times[:, None, None, None] + phase))


def body_motion(moves, arms, times, anatomy, style, fps):
    """Pose (F, 24, 3), rad, and root joint (F, 3), m, of a body that makes the given moves; floor frame.

    Args:
        moves: :class:`~mmhuman_dto.synthetic.clips.steps.Moves` of F frames.
        arms: (F, 24, 3) Euler angles of arms that do something, degrees, and (F) from 0, hanging, to 1, how much.
        times: (F) s.
    """
    slow = wandering(style, times)
    bow = _BOW * 4 * moves.sunk * (1 - moves.sunk) - _RECLINE * moves.sunk
    tilt = np.stack([moves.heading + np.radians(_TURN) * moves.stride,
                     np.radians(style.lean * .5 + .5 * slow[:, 0, 0] + bow),
                     np.radians(_DROP) * moves.support], -1)
    turn = Rotation.from_euler('YXZ', tilt)
    rest = anatomy.joints
    hips = np.stack([turn.apply(rest[i] - rest[0]) for i in (1, 2)], 1)
    still = (1 - np.abs(moves.support) - np.abs(moves.stride)).clip(0) * (1 - moves.sunk)
    across = _SWAY * anatomy.leg * moves.support + .004 * slow[:, 0, 2] * still
    along = .003 * slow[:, 0, 1] * still - moves.sunk * seat_distance(anatomy)
    place = moves.place + turned(moves.heading, across, along)
    height = pelvis_heights(ankles(moves, anatomy), hips, place, anatomy, fps)
    height += moves.sunk * (style.seat * (anatomy.sole + anatomy.shank.mean()) - hips[..., 1].mean(1) - height)
    pelvis = np.stack([place[:, 0], height, place[:, 1]], 1)

    pose = poses.to_axis_angle(_upper(moves, arms, slow, style))
    pose[:, 0] = turn.as_rotvec()
    pose[:, [[1, 2], [4, 5], [7, 8], [10, 11]]] = leg_rotations(pelvis, turn, moves, anatomy)
    return pose, pelvis


def _upper(moves, arms, slow, style):
    """Euler angles (F, 24, 3), degrees, of all but the legs."""
    angles = style.posture + slow
    angles[:, [_ROW[f'spine{k}'] for k in (1, 2, 3)], 1] -= ((_TURN + _CHEST) / 3 * moves.stride)[:, None]
    angles[:, [_ROW[f'spine{k}'] for k in (1, 2, 3)], 2] -= (.8 * _DROP / 3 * moves.support)[:, None]
    angles[:, _ROW['spine1'], 0] += .5 * style.lean
    for name in ('neck', 'head'):
        angles[:, _ROW[name], 0] -= .4 * style.lean
        angles[:, _ROW[name], 1] += 3 * slow[:, _ROW[name], 1] + .5 * _CHEST * moves.stride
    own = angles[:, ARMS] + _hanging(moves, style)[:, ARMS]
    held, much = arms
    angles[:, ARMS] = own + much[:, None, None] * (held[:, ARMS] + angles[:, ARMS] - own)
    heads = [_ROW['neck'], _ROW['head']]
    angles[:, heads] += much[:, None, None] * held[:, heads]
    return angles


def _hanging(moves, style):
    """Arms that hang and swing, each with the leg of the other side."""
    angles = np.zeros((len(moves.stride), 24, 3))
    for name, sign in (('l', 1), ('r', -1)):
        ahead = sign * moves.stride  # of the left arm, as the right foot lands
        angles[:, _ROW[f'{name}_shoulder'], 0] = -style.swing * _SWING * ahead - 2
        angles[:, _ROW[f'{name}_shoulder'], 2] = -75 * sign
        angles[:, _ROW[f'{name}_elbow'], 1] = -sign * (15 + style.swing * _BEND * (ahead + .3 * np.abs(ahead)))
        # On a seat the hands lie on the thighs.
        angles[:, _ROW[f'{name}_shoulder']] += moves.sunk[:, None] * np.array([-26, 0, 5 * sign])
        angles[:, _ROW[f'{name}_elbow'], 1] -= 31 * sign * moves.sunk
    return angles
