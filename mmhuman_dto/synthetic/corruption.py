"""What networks would have said of a scene: initial meshes, disparity, ages, each with the errors of its kind."""
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from .people import CLASSES, body_heights, match_height

_ADULT_HEIGHT = np.mean([CLASSES['female'][1], CLASSES['male'][1]])


@dataclass(frozen=True)
class InitialErrors:
    """Errors of a mesh network that looks at one person at a time; all zero gives the truth."""
    #: how far a height (m) is pulled to the mean adult's; 1 makes everybody an average adult
    height_shrinkage: float = .8
    #: how far the child coefficient is pulled to 0; 1 is a network that knows adult bodies only
    child_shrinkage: float = 1.
    height_noise: float = .02  # std of the height beyond that, m
    shape_noise: float = .2  # std of the shape coefficients
    focal_noise: float = .1  # std of the logarithm of (assumed / true focal length), one a picture
    pose_noise: float = 5.  # std of the rotation error of each joint, degrees
    orient_noise: float = 4.  # the same of the whole body
    offset_noise: float = .01  # std of the place in the picture, in body heights
    scale_noise: float = .02  # std of the logarithm of the size in the picture

    @classmethod
    def none(cls):
        """No errors at all."""
        return cls(*[0.] * 9)


@dataclass(frozen=True)
class DisparityErrors:
    """Errors of a relative-depth network; with the noises and the shift zero the map is ``scale`` / z."""
    #: mean factor, disparity units x m; for DTO people are far from ``scale`` / 50 m on (1 / disparity > 0.02)
    scale: float = 900.
    scale_noise: float = .15  # std of the logarithm of the factor, one a picture
    shift_noise: float = .04  # std of a constant added to 1 / z, in medians of 1 / z over the people
    person_noise: float = .05  # std of the logarithm of each person's disparity against the truth
    relief_noise: float = .1  # std of the logarithm of how deep each person's own shape appears
    row_bias: float = .03  # std of the growth (share) from the top row to the bottom row
    smoothing: float = .002  # std of the blur over edges, in image heights
    pixel_noise: float = .005  # std of smooth noise, as a share of the disparity

    @classmethod
    def none(cls):
        """Exactly 900 / z."""
        return cls(cls.scale, *[0.] * 7)


@dataclass(frozen=True)
class AgeErrors:
    """Errors of an age and sex network."""
    age_noise: float = .12  # std of the logarithm of (age + 2 years)
    #: certainty, male_noise: mean (towards the truth) and std of the log-odds of P(male)
    certainty: float = 3.
    male_noise: float = 1.5


@dataclass(frozen=True)
class NetworkErrors:
    """The errors of all networks that are imitated."""
    initial: InitialErrors = InitialErrors()
    disparity: DisparityErrors = DisparityErrors()
    ages: AgeErrors = AgeErrors()


class InitialMeshes(NamedTuple):
    """``pose`` (N, 24, 3), ``betas`` (N, B), ``transl`` (N, 3) m; ``intrinsics`` (3, 3) px of the assumed camera."""
    pose: np.ndarray
    betas: np.ndarray
    transl: np.ndarray
    intrinsics: np.ndarray


def fresh(rng):
    """Standard normal numbers of a numpy Generator as the functions here ask for them: ``draw(name, shape)``.

    Other kinds of ``draw`` may know the names: 'shape', 'height', 'size', 'offset', 'pose', 'depth', 'age' and 'sex',
    whose rows are people, and 'focal', 'map shift', 'map rows', 'map pixels', 'map scale'.
    """
    return lambda name, shape=(): rng.normal(size=shape)


def initial_meshes(scene, body_model, errors=InitialErrors(), draw=None):
    """What a single-person network gives: too adult, at the distance that makes the wrong size look right.

    A wrong height is seen at the right size by moving the body away by wrong / true height, a wrong focal length by
    assumed / true focal length. ``draw``: see :func:`fresh`, which it is if None.
    """
    draw = draw or fresh(scene.generator('initial meshes'))
    betas = _initial_betas(scene, body_model, errors, draw)
    ratio = body_heights(betas, body_model) / scene.heights * np.exp(errors.scale_noise * draw('size', len(scene)))
    focal = np.exp(errors.focal_noise * draw('focal'))
    intrinsics = scene.intrinsics * [[focal, 1, 1], [1, focal, 1], [1, 1, 1]]
    root = scene.joints[:, 0]
    offset = errors.offset_noise * draw('offset', (len(scene), 2)) * scene.heights[:, None]
    moved = np.concatenate([(root[:, :2] + offset) / focal, root[:, 2:]], 1) * (ratio * focal)[:, None]
    pose = _noisy_pose(scene.pose, errors, draw)
    return InitialMeshes(pose, betas, moved - rest_roots(betas, body_model), intrinsics)


def _initial_betas(scene, body_model, errors, draw):
    betas = scene.betas.copy()
    betas[:, :-1] += errors.shape_noise * draw('shape', betas[:, :-1].shape)
    betas[:, -1] *= 1 - errors.child_shrinkage
    heights = scene.heights + errors.height_shrinkage * (_ADULT_HEIGHT - scene.heights)
    return match_height(heights + errors.height_noise * draw('height', len(scene)), betas, 0, body_model)


def rest_roots(betas, body_model):
    """Root joints (N, 3) m of the rest bodies: where ``transl`` is added."""
    betas = torch.as_tensor(betas, dtype=torch.float32)
    return body_model.skeleton(betas.new_zeros(len(betas), 24, 3), betas, None)[:, 0].double().numpy()


def _noisy_pose(pose, errors, draw):
    std = np.full((24, 1), np.radians(errors.pose_noise))
    std[0] = np.radians(errors.orient_noise)
    wrong = Rotation.from_rotvec((draw('pose', pose.shape) * std / np.sqrt(3)).reshape(-1, 3))
    return (wrong * Rotation.from_rotvec(pose.reshape(-1, 3))).as_rotvec().reshape(pose.shape)


def disparity(scene, picture, errors=DisparityErrors(), draw=None):
    """What a relative-depth network gives for a picture: (H, W) float32 >= 0, 0 in the sky without errors."""
    return imitated_disparity(picture, len(scene), draw or fresh(scene.generator('disparity')), errors)


def imitated_disparity(picture, people, draw, errors=DisparityErrors()):
    """:func:`disparity` of a picture with so many people, its errors as drawn by ``draw`` (see :func:`fresh`)."""
    inverse = np.divide(1, picture.depth, out=np.zeros_like(picture.depth), where=picture.depth > 0)
    anybody = picture.id_map > 0
    shift = errors.shift_noise * draw('map shift') * (np.median(inverse[anybody]) if anybody.any() else 0)
    factors = np.exp([errors.person_noise, errors.relief_noise] * draw('depth', (people, 2)))
    for i, (level, relief) in enumerate(factors):
        mine = picture.id_map == i + 1
        if mine.any():
            mean = inverse[mine].mean()
            inverse[mine] = level * (mean + relief * (inverse[mine] - mean))
    height, width = inverse.shape
    if errors.smoothing:
        inverse = cv2.GaussianBlur(inverse, (0, 0), errors.smoothing * height)
    rows = np.linspace(-.5, .5, height, dtype=np.float32)[:, None]
    inverse *= 1 + errors.row_bias * np.float32(draw('map rows')) * rows
    coarse = draw('map pixels', (height // 16 + 2, width // 16 + 2)).astype(np.float32)
    inverse *= 1 + errors.pixel_noise * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    scale = errors.scale * np.exp(errors.scale_noise * draw('map scale'))
    return np.maximum(scale * (inverse + shift), 0).astype(np.float32)


def ages_and_sexes(scene, errors=AgeErrors(), draw=None):
    """What an age and sex network gives: ages (N) years, P(male) (N)."""
    draw = draw or fresh(scene.generator('ages'))
    ages = (scene.ages + 2) * np.exp(errors.age_noise * draw('age', len(scene))) - 2
    odds = np.where(scene.male, 1, -1) * errors.certainty + errors.male_noise * draw('sex', len(scene))
    return np.maximum(ages, 0), 1 / (1 + np.exp(-odds))
