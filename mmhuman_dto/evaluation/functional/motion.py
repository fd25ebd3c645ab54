"""How people move, against the truth: accelerations, jitter, feet that slide, jumps in depth.

Points (T, K, 3) are in m, world frame unless said otherwise; ``times`` (T) in s, rising, need not be evenly spaced.
``valid`` (T) bool are the frames that count (None: all); a derivative is of frames that follow each other and all
count. Derivatives are divided differences, which for evenly spaced frames are the usual differences times fps.
"""
import math

import numpy as np

#: Lengths that are stated per frame are of a frame of 30 frames/s (s), the rate of EMDB and 3DPW: at another rate the
#: distance moved between two frames is scaled to this time.
FRAME_TIME = 1 / 30
#: A foot stands whose true points move by less than this in FRAME_TIME, m.
CONTACT = .01
#: The points of feet: on SMPL the vertices 3216, 3387, 6617, 6787; the points of these names of any other body model.
FOOT_POINTS = ('left_big_toe', 'left_heel', 'right_big_toe', 'right_heel')
#: Of SMPL's 24 joints those that EMDB's evaluator sets to zero (and still counts) in its jitter: root, ankles, feet,
#: wrists and hands.
EMDB_ZEROED = (0, 7, 8, 10, 11, 20, 21, 22, 23)


def derivatives(points, times, order, valid=None):
    """Derivatives (D, K, 3) of an order, unit m / s^order, one for ``order + 1`` frames that follow each other."""
    points, times = np.asarray(points, np.float64), np.asarray(times, np.float64)
    for step in range(1, order + 1):
        points = (points[1:] - points[:-1]) / (times[step:] - times[:-step])[:, None, None]
    return math.factorial(order) * points[together(valid, order + 1, len(times))]


def acceleration_errors(pred, true, times, valid=None, root=None):
    """Length (D), m/s^2, of the second derivative of ``pred - true``, mean over points.

    Definition: ``|second difference of (pred - true)| fps^2`` of WHAM (arXiv 2312.07531) and GVHMR (arXiv 2409.06662),
    who align the pelvis.

    Args:
        root: row of the point that is subtracted first; None: none is.
    """
    pred, true = (np.asarray(points, np.float64) for points in (pred, true))
    if root is not None:
        pred, true = pred - pred[:, root, None], true - true[:, root, None]
    return np.linalg.norm(derivatives(pred - true, times, 2, valid), axis=-1).mean(-1)


def jitter(points, times, valid=None, parity=False):
    """Length (D) of the third derivative, in 10 m/s^3, mean over points.

    Definition: ``|third difference| fps^3 / 10`` of EMDB (arXiv 2308.16894) and GVHMR (arXiv 2409.06662).

    Args:
        parity: as EMDB's evaluator, which sets ``EMDB_ZEROED`` of 24 joints to zero and takes the mean of all 24.
    """
    points = np.array(points, np.float64)
    if parity:
        points[:, EMDB_ZEROED] = 0
    return np.linalg.norm(derivatives(points, times, 3, valid), axis=-1).mean(-1) / 10


def foot_sliding(pred, true, times, valid=None):
    """How far each foot point slides that should stand, mm a frame: a value for each such point between two frames.

    Definition: GVHMR (arXiv 2409.06662): where the true point moves by less than 1 cm from a frame to the next, the
    predicted one's way. At other rates than 30 frames/s, threshold and way are those of ``FRAME_TIME``.

    Args:
        pred, true: (T, 4, 3) the ``FOOT_POINTS``, in the world.
    """
    ways = [FRAME_TIME * np.linalg.norm(derivatives(points, times, 1, valid), axis=-1) for points in (pred, true)]
    return 1000 * ways[0][ways[1] < CONTACT]


def popping(z_pred, z_true, valid=None):
    """Largest jump (float), m, of depth (T), camera frame, from a frame to the next, over and above the true one.

    ``max |(z_pred[t + 1] - z_pred[t]) - (z_true[t + 1] - z_true[t])|``; nan where no two frames follow each other.
    """
    jumps = np.abs(np.diff(np.asarray(z_pred, np.float64) - np.asarray(z_true, np.float64)))
    jumps = jumps[together(valid, 2, len(z_true))]
    return float(jumps.max()) if len(jumps) else float('nan')


def together(valid, number, total):
    """(total - number + 1) bool: whether a frame and the next ``number - 1`` all count."""
    starts = max(total - number + 1, 0)
    if valid is None:
        return np.ones(starts, bool)
    valid = np.asarray(valid, bool)
    return np.all([valid[step:step + starts] for step in range(number)], axis=0)
