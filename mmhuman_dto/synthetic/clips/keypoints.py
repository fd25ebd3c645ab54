"""What a network of 2D joints would have said of a clip's frames: joints, boxes, people who are missed or made up."""
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.body_models import BodyOutput

from ..keypoint_errors import KeypointErrors, detected
from ..keypoints import hidden_by_others

#: Waves that a slow error is made of.
_WAVES = 8


@dataclass(frozen=True)
class ClipKeypointErrors:
    """Errors of a network of 2D joints, frame after frame."""
    joints: KeypointErrors = KeypointErrors()  # how large; a person's spread and how hips are put stay through the clip
    drifting: float = .4  # share of the variance of joints that are about right that changes slowly, in
    seconds: float = .5  # about this time
    missed: float = .03  # probability that a person who is seen whole is missed
    hidden: float = .4  # of whom less than this share is seen is missed more often, at 0.1 almost always
    made_up: float = .01  # probability that a frame has somebody who is not there, of low scores
    box: float = .02  # std of each edge of a box, in its sizes

    @classmethod
    def none(cls):
        """The truth of everybody, with a score of 1 for what is seen."""
        return cls(KeypointErrors.none(), 0., 1., 0., 0., 0., 0.)


class FrameKeypoints(NamedTuple):
    """K detections of a frame, best first: coco17 ``keypoints`` (K, 17, 2) px and their ``keypoint_scores`` (K, 17),
    ``bboxes`` (K, 4) px xyxy, ``scores`` (K), and the truth: ``track_ids`` (K), -1 for who is not there."""
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    bboxes: np.ndarray
    scores: np.ndarray
    track_ids: np.ndarray


def clip_keypoints(crowd, t, errors=ClipKeypointErrors(), seed=0):
    """:class:`FrameKeypoints` of frame t of a :class:`~mmhuman_dto.synthetic.clips.MovingCrowd`, in any order."""
    scene = crowd.everybody[t]
    rng = np.random.default_rng([*crowd.seed, seed, t, *b'keypoints'])
    joints = _coco_joints(scene, crowd.body_model)
    pixels, focal = scene.project(joints), crowd.camera.intrinsics[1, 1]
    hidden = hidden_by_others(pixels, joints, scene.heights, focal) if len(scene) else np.zeros((0, 17), bool)
    found = []
    for i, row in enumerate(scene.cast.rows):
        visible, u = scene.cast.visible[i], rng.random()
        if visible >= crowd.config.min_visible and u >= _missed(visible, errors):
            found.append((*_person(row, pixels[i:i + 1], hidden[i:i + 1], crowd, t, errors, seed, rng),
                          _box(scene.project(scene.vertices[i]), scene.size, errors, rng), row))
    if rng.random() < errors.made_up and len(scene):
        found.append(_made_up(pixels[rng.integers(len(scene))], scene.size, rng))
    found.sort(key=lambda one: -one[1].mean())
    keypoints, scores, boxes, rows = (np.array([one[k] for one in found]) for k in range(4))
    return FrameKeypoints(keypoints.reshape(-1, 17, 2), scores.reshape(-1, 17), boxes.reshape(-1, 4),
                          scores.reshape(-1, 17).mean(1), rows.astype(np.int64))


def _coco_joints(scene, body_model):
    output = BodyOutput(torch.as_tensor(scene.vertices), torch.as_tensor(scene.joints, dtype=torch.float32))
    return body_model.select_joints(output, 'coco17').double().numpy()


def _missed(visible, errors):
    """Probability that a person is missed of whom a share is visible."""
    hidden = np.clip((errors.hidden - visible) / max(errors.hidden - .1, 1e-9), 0, 1)
    return errors.missed + (1 - errors.missed) * hidden


def _person(row, pixels, hidden, crowd, t, errors, seed, rng):
    """Joints (17, 2) px and scores (17) of one person."""
    own = np.random.default_rng([*crowd.seed, seed, row, *b'keypoints'])
    wanted, factor = errors.joints, np.exp(errors.joints.person_spread * own.standard_normal())
    least, more, decline = wanted.std
    fresh = factor * np.sqrt(1 - errors.drifting)
    kind = replace(wanted, person_spread=0., std=(least * fresh, more * fresh, decline),
                   hips_raised=(own.normal(*wanted.hips_raised), 0.))
    keypoints, scores = detected(pixels, hidden, crowd.config.size, kind, rng)
    shown = np.clip(pixels[0], 0, crowd.config.size[::-1])
    std = factor * (least + more * np.exp(-decline * scores[0])) * np.linalg.norm(np.ptp(shown, axis=0))
    drift = np.sqrt(errors.drifting) * std[:, None] * _waves(own, t / crowd.config.fps, errors)
    return keypoints[0] + drift, scores[0]


def _waves(own, time, errors):
    """(17, 2) numbers of variance 1 that change in about ``errors.seconds``."""
    frequency = own.rayleigh(1 / errors.seconds, (_WAVES, 17, 2))  # rad/s; so the correlation falls as a normal curve
    phase = own.uniform(0, 2 * np.pi, (_WAVES, 17, 2))
    return np.sqrt(2 / _WAVES) * np.cos(frequency * time + phase).sum(0)


def _box(mesh, size, errors, rng):
    edge = np.tile(size[::-1], 2)
    box = np.clip(np.concatenate([mesh.min(0), mesh.max(0)]), 0, edge)
    sizes = np.tile(box[2:] - box[:2], 2)
    return np.clip(box + errors.box * sizes * rng.standard_normal(4), 0, edge)


def _made_up(pixels, size, rng):
    """Joints like somebody's at a random place, smaller or larger, with low scores."""
    low, high = pixels.min(0), pixels.max(0)
    middle, scale = rng.uniform(0, size[::-1]), rng.uniform(.4, 1.2)
    keypoints = np.clip(middle + scale * (pixels - (low + high) / 2), 0, size[::-1])
    return keypoints, rng.uniform(.1, .45, 17), np.concatenate([keypoints.min(0), keypoints.max(0)]), -1
