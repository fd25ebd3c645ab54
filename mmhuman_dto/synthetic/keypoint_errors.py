"""What a network of 2D joints would have said: places beside the truth, scores, sides that are taken for each other."""
from dataclasses import dataclass

import numpy as np

from mmhuman_dto.body_models.joint_sets import JOINT_SETS

#: Bones whose two sides networks take for each other, together.
_ARMS, _LEGS = ('shoulder', 'elbow', 'wrist'), ('hip', 'knee', 'ankle')


@dataclass(frozen=True)
class KeypointErrors:
    """Errors of a network of 2D joints; lengths are parts of the diagonal of the box around a person's joints.

    The defaults are near those of MoveNet and BlazePose on rendered crowds (tools/benchmark/fit_keypoint_errors.py);
    joints of low scores are less often wrong than there, as in photographs.
    """
    #: std of a joint that is about right, in x and in y, by its score s: first + second exp(-third s)
    std: tuple[float, float, float] = (.009, .08, 4.8)
    person_spread: float = .35  # std of the logarithm of a person's errors
    #: probability that a joint is wrong, by its score s: first exp(-second s); and std of it then
    wrong: tuple[float, float] = (2.2, 4.6)
    wrong_std: float = .1
    to_other_side: float = .4  # probability that a wrong joint is where that of the other side is
    pixel_std: float = .7  # px, of any joint
    #: mean and std of the log-odds of the score of a joint that is seen, that something hides, and beyond the edge
    visible_score: tuple[float, float] = (1.25, .95)
    hidden_score: tuple[float, float] = (-.35, 1.)
    outside_score: tuple[float, float] = (-.6, 1.3)
    sides_swapped: float = .03  # probability that arms, and that legs, are named for the other side
    #: mean and std of the part of the way to the shoulders that hips are put, a picture
    hips_raised: tuple[float, float] = (.06, .03)

    @classmethod
    def none(cls):
        """The truth, all that is seen with a score of 1."""
        return cls((0., 0., 0.), 0., (0., 1.), 0., 0., 0., (99., 0.), (-99., 0.), (-99., 0.), 0., (0., 0.))


def detected(pixels, hidden, size, errors, rng, joint_set='coco17'):
    """Joints and scores as a network gives them.

    Args:
        pixels: (N, J, 2) px, the truth.
        hidden: (N, J) bool, whom something hides.
        size: (h, w) px of the picture.
        errors: :class:`KeypointErrors`. rng: numpy Generator.

    Returns:
        tuple: keypoints (N, J, 2) px, within the picture, and scores (N, J) 0..1.
    """
    edge = np.array(size[::-1], float)
    outside = ((pixels < 0) | (pixels > edge)).any(-1)
    shown = np.clip(pixels, 0, edge)
    diagonal = np.linalg.norm(shown.max(1) - shown.min(1), axis=-1)[:, None]
    mean, spread = (np.where(outside, of_outside, np.where(hidden, of_hidden, of_visible)) for
                    of_outside, of_hidden, of_visible in zip(errors.outside_score, errors.hidden_score,
                                                             errors.visible_score))
    scores = 1 / (1 + np.exp(-(mean + spread * rng.standard_normal(hidden.shape))))
    keypoints = _raised_hips(pixels, errors, rng, joint_set)
    keypoints = np.clip(keypoints + _noise(keypoints, scores, diagonal, errors, rng, joint_set), 0, edge)
    for part in (_ARMS, _LEGS):
        swapped = rng.random(len(pixels)) < errors.sides_swapped
        order = _exchanged(JOINT_SETS[joint_set].names, part)
        keypoints[swapped], scores[swapped] = keypoints[swapped][:, order], scores[swapped][:, order]
    return keypoints, scores


def _noise(keypoints, scores, diagonal, errors, rng, joint_set):
    """(N, J, 2) px from where joints are to where they are put; ``diagonal`` (N, 1) px."""
    least, more, decline = errors.std
    std = least + more * np.exp(-decline * scores)
    std = std * np.exp(errors.person_spread * rng.standard_normal(diagonal.shape))
    first, second = errors.wrong
    wrong = rng.random(scores.shape) < first * np.exp(-second * scores)
    aside = wrong & (rng.random(scores.shape) < errors.to_other_side)
    std = np.where(wrong & ~aside, errors.wrong_std, std) * diagonal
    other = np.array(JOINT_SETS[joint_set].flip_permutation)
    noise = rng.standard_normal(keypoints.shape) * np.hypot(std, errors.pixel_std)[..., None]
    return noise + aside[..., None] * (keypoints[:, other] - keypoints)


def _raised_hips(pixels, errors, rng, joint_set):
    """Joints with the hips moved towards their shoulders: annotators of pictures put them higher than bodies do."""
    names, pixels = JOINT_SETS[joint_set].names, pixels.copy()
    part = rng.normal(*errors.hips_raised)
    for side in ('left', 'right'):
        hip, shoulder = f'{side}_hip', f'{side}_shoulder'
        if hip in names and shoulder in names:
            hip, shoulder = names.index(hip), names.index(shoulder)
            pixels[:, hip] += part * (pixels[:, shoulder] - pixels[:, hip])
    return pixels


def _exchanged(names, bones):
    """Order (J) of joints in which the sides of some bones are exchanged."""
    other = {f'{side}_{bone}': f'{opposite}_{bone}' for bone in bones
             for side, opposite in (('left', 'right'), ('right', 'left'))}
    return [names.index(other[name]) if other.get(name) in names else i for i, name in enumerate(names)]
