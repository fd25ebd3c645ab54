"""CMU Panoptic: 17 Human3.6M joints relative to the pelvis, by sequence.

Protocol: Zanfir et al., "Monocular 3D Pose and Shape Estimation of Multiple People in Natural Scenes" (CVPR 2018); the
constants are those of MA-HMR's public evaluator.
"""
import numpy as np

from .bodies import MIN_SCORE
from .summary import mean, rounded

#: Sequences, found by their name in an image's path.
SEQUENCES = ('haggling', 'mafia', 'ultimatum', 'pizza')


def sequence_name(path):
    """Which of ``SEQUENCES`` an image's path belongs to, or None."""
    return next((name for name in SEQUENCES if name in path), None)


def panoptic_errors(joints_pred, joints_true, confidence):
    """Error of each annotated person against the prediction that is nearest in the joints that everyone shows.

    Two people may share a prediction. Joints count by their confidence, hidden ones as right, as the protocol has it.

    Args:
        joints_pred, joints_true: (P, 17, 3), (T, 17, 3) m, camera frame. confidence: (T, 17), 0 where not seen.

    Returns:
        (T,) mm; nan without predictions.
    """
    if not len(joints_pred):
        return np.full(len(joints_true), np.nan)
    pred, true = (joints - joints[:, :1] for joints in (joints_pred, joints_true))
    shown = (confidence > 0).all(0)
    distance = np.linalg.norm((true[:, None] - pred[None])[:, :, shown], axis=(2, 3))
    error = np.linalg.norm(true - pred[distance.argmin(1)], axis=-1)
    return 1000 * (error * confidence).sum(1) / error.shape[1]


def lowered_threshold(scores, threshold=MIN_SCORE):
    """``threshold``, halved until a prediction is above it; unchanged where none ever will be."""
    best = np.max(scores, initial=0.)
    while 0 < best <= threshold:
        threshold /= 2
    return threshold


def panoptic_metrics(records, threshold=MIN_SCORE, parity=False):
    """Figures of many images.

    Args:
        records: dicts of ``sequence`` (name or None), ``joints_pred`` (P, 17, 3), ``scores`` (P,), ``joints_true``
            (T, 17, 3) and ``confidence`` (T, 17), in the order of the data set.
        threshold: predictions count from above this score; lower for an image that has none.
        parity: a threshold once lowered stays so for all images that follow; rounded to one digit.

    Returns:
        dict: MPJPE (mm) of each sequence and, over all people of all sequences, ``mean``; ``missed``: people of images
        without any prediction, who are left out.
    """
    errors, names, current = [], [], threshold
    for record in records:
        current = lowered_threshold(record['scores'], current if parity else threshold)
        pred = record['joints_pred'][record['scores'] > current]
        errors.append(panoptic_errors(pred, record['joints_true'], record['confidence']))
        names += [record['sequence']] * len(errors[-1])
    errors, names = np.concatenate([np.zeros(0), *errors]), np.array(names, dtype=object)
    known = ~np.isnan(errors)
    figures = {name: mean(errors[known & (names == name)]) for name in SEQUENCES}
    figures['mean'] = mean(errors[known])
    return dict(rounded(figures, 1) if parity else figures, missed=int((~known).sum()))
