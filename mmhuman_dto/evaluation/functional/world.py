"""Where people go in the world, against the truth: W-MPJPE, WA-MPJPE, RTE, ERVE.

Joints (T, J, 3) and roots (T, 3) are in m, each side in a world of its own; ``valid`` (T) bool are the frames that
count (None: all). Each function gives one value for each frame, or step, that counts.
"""
import numpy as np
import torch

from mmhuman_dto.geometry.alignment import best_similarity

from .motion import FRAME_TIME, derivatives, together
from .pose import mpjpe

#: Frames that are aligned together, and those of them that W-MPJPE aligns.
CHUNK, FIRST = 100, 2


def w_mpjpe(pred, true, valid=None, chunk=CHUNK):
    """Error of joints (M), mm, after the similarity motion, scale included, of a chunk's first two frames.

    Definition: SLAHMR (arXiv 2302.12827) as WHAM computes it (arXiv 2312.07531): the frames that count are cut into
    chunks of 100, what is left over at the end is a chunk too; SMPL's 24 joints.
    """
    return _chunk_errors(pred, true, valid, chunk, FIRST)


def wa_mpjpe(pred, true, valid=None, chunk=CHUNK):
    """:func:`w_mpjpe`, each chunk aligned as a whole."""
    return _chunk_errors(pred, true, valid, chunk, chunk)


def root_trajectory_errors(pred, true, valid=None):
    """RTE (M), %: distance of roots after the rigid motion (no scale) that aligns the whole path, over its length.

    Definition: WHAM (arXiv 2312.07531), which takes SMPL's translation for the root; GVHMR takes the pelvis joint. nan
    of a true path without length.
    """
    pred, true = (_tensor(points)[_rows(valid)] for points in (pred, true))
    if not len(true):
        return np.zeros(0)
    length = float(true.diff(dim=0).norm(dim=-1).sum())
    away = (best_similarity(pred, true, scale=False)(pred) - true).norm(dim=-1).numpy()
    return 100 * away / length if length else np.full(len(away), np.nan)


def egocentric_velocity_errors(pred, true, rotations_pred, rotations_true, times, valid=None):
    """ERVE (D), mm a frame: error of the root's way from a frame to the next, seen from the person.

    Definition: TRAM (arXiv 2403.17346): ``|R_true R_pred^T v_pred - v_true|``, R root -> world of the earlier frame, v
    the root's way in a frame. At other rates than 30 frames/s, the way is that of ``FRAME_TIME``.

    Args:
        rotations_pred, rotations_true: (T, 3, 3) root -> world.
    """
    rotations = np.asarray(rotations_true, np.float64) @ np.swapaxes(np.asarray(rotations_pred, np.float64), 1, 2)
    # The predicted way is turned where it starts; the difference has to be taken of ways, not of paths.
    ways = [FRAME_TIME * derivatives(np.asarray(roots)[:, None], times, 1)[:, 0] for roots in (pred, true)]
    errors = np.linalg.norm(np.einsum('tij,tj->ti', rotations[:-1], ways[0]) - ways[1], axis=-1)
    return 1000 * errors[together(valid, 2, len(times))]


def _chunk_errors(pred, true, valid, chunk, aligned):
    pred, true = (_tensor(points)[_rows(valid)] for points in (pred, true))
    errors = [np.zeros(0)]
    for first in range(0, len(true), chunk):
        part, target = pred[first:first + chunk], true[first:first + chunk]
        move = best_similarity(part[:aligned].flatten(0, 1), target[:aligned].flatten(0, 1))
        errors.append(mpjpe(move(part.flatten(0, 1)).view_as(part).numpy(), target.numpy()))
    return np.concatenate(errors)


def _tensor(points):
    return torch.as_tensor(np.asarray(points), dtype=torch.float64)


def _rows(valid):
    return slice(None) if valid is None else torch.as_tensor(np.asarray(valid, bool))
