"""Legs that reach given feet: how high a pelvis may be, and rotations from hips to toes (two-bone IK)."""
import numpy as np
from scipy.ndimage import convolve1d, minimum_filter1d
from scipy.spatial.transform import Rotation

from .anatomy import HIPS

#: Legs are never straighter than this part of their length; in front of this, s, pelves begin to go down.
REACH, _AHEAD = .996, .09


def ankles(moves, anatomy):
    """Ankles (F, 2, 3), m, of :class:`~mmhuman_dto.synthetic.clips.steps.Moves`, floor frame."""
    back = feet(moves).apply(np.tile(-anatomy.ball, (len(moves.balls), 1)))
    return moves.balls + back.reshape(moves.balls.shape)


def feet(moves):
    """Rotations (2 F) of the feet, those of a frame side by side."""
    return Rotation.from_euler('YX', np.stack([moves.yaw, moves.pitch], -1).reshape(-1, 2))


def pelvis_heights(ankle, offsets, place, anatomy, fps):
    """Heights (F), m, of a pelvis from which both legs reach the ankles and that goes up and down smoothly.

    Args:
        ankle: (F, 2, 3) m. offsets: (F, 2, 3) m, hips around the pelvis. place: (F, 2) x, z of the pelvis.
    """
    across = np.linalg.norm(ankle[..., [0, 2]] - offsets[..., [0, 2]] - place[:, None], axis=-1)
    reach = REACH * (anatomy.thigh + anatomy.shank)
    upright = np.sqrt(np.maximum(reach**2 - across**2, (.3 * reach)**2))
    limit = (ankle[..., 1] - offsets[..., 1] + upright).min(1)
    half = max(1, round(_AHEAD * fps))
    window = np.hanning(2 * half + 3)[1:-1]
    # The mean of minima over as many frames is nowhere above the limit.
    return convolve1d(minimum_filter1d(limit, 2 * half + 1, mode='nearest'), window / window.sum(), mode='nearest')


def leg_rotations(pelvis, turn, moves, anatomy):
    """Rotation vectors (F, 4, 2, 3) of hips, knees, ankles and toes against their parents, rad.

    Args:
        pelvis: (F, 3) m. turn: Rotations (F) of the pelvis.
    """
    target, foot = ankles(moves, anatomy), feet(moves)
    rest = anatomy.joints
    result = np.empty((len(pelvis), 4, 2, 3))
    for side in (0, 1):
        hip = pelvis + turn.apply(rest[HIPS[side]] - rest[0])
        knee, axis = _knees(hip, target[:, side], _forward(turn, foot[side::2]), anatomy.thigh[side],
                            anatomy.shank[side])
        thigh = _aligned(rest[4 + side] - rest[1 + side], knee - hip, axis)
        shank = _aligned(rest[7 + side] - rest[4 + side], target[:, side] - knee, axis)
        chain = [turn, thigh, shank, foot[side::2]]
        for k in range(3):
            result[:, k, side] = (chain[k].inv() * chain[k + 1]).as_rotvec()
    result[:, 3] = -moves.bend[..., None] * np.array([1., 0, 0])
    return result


def _forward(turn, foot):
    """Level unit vectors (F, 3) between where pelvis and foot face."""
    facing = turn.apply([0, 0, 1.]) + foot.apply([0, 0, 1.])
    facing[:, 1] = 0
    return _unit(facing)


def _knees(hip, ankle, forward, thigh, shank):
    """Knees (F, 3), m, bent towards ``forward``, and their axes (F, 3)."""
    down = ankle - hip
    length = np.clip(np.linalg.norm(down, axis=1), abs(thigh - shank) + 1e-6, thigh + shank - 1e-9)
    down = _unit(down)
    along = (length**2 + thigh**2 - shank**2) / (2 * length)
    ahead = _unit(forward - (forward * down).sum(1, keepdims=True) * down)
    out = np.sqrt(np.maximum(thigh**2 - along**2, 0))
    return hip + along[:, None] * down + out[:, None] * ahead, _unit(np.cross(forward, down))


def _aligned(rest, bone, axis):
    """Rotations (F) that take a bone (3) at rest to (F, 3) and x to about ``axis`` (F, 3), at a right angle to it."""
    at_rest = _frames(rest[None], np.array([[1., 0, 0]]))
    return Rotation.from_matrix(_frames(bone, axis) @ at_rest[0].T)


def _frames(bone, axis):
    first = _unit(bone)
    third = _unit(axis - (axis * first).sum(-1, keepdims=True) * first)
    return np.stack([first, np.cross(third, first), third], -1)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
