"""What networks would have seen of people in synthetic clips, frame by frame, and whose it is."""
from typing import NamedTuple

import numpy as np
import torch
from mmhuman_dto.synthetic.clips import clip_samples

from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.movenet.people import MIN_MEAN, mean_score, people
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.structures.fields import SEEN_SCORE
from mmhuman_dto.synthetic.keypoint_errors import KeypointErrors, detected
from mmhuman_dto.tracking import Observations

#: Who shows less of the body is not in the truth, and is found as rarely as not at this share; the spread around it.
VISIBLE, SPREAD = .3, .06
#: Shares of people in view who are missed, and frames with somebody who is not there.
MISSED, FALSE = .03, .02


class Seen(NamedTuple):
    """One frame: ``owners`` (N) of the observations, -1 nobody's; ``ids`` (P) who is there to be seen."""
    time: float
    observations: Observations
    owners: np.ndarray
    ids: np.ndarray
    camera_pose: np.ndarray
    image: np.ndarray


def watched(crowd, renderer, seed=0, images=True):
    """Yield :class:`Seen` of each frame of a :class:`~mmhuman_dto.synthetic.clips.MovingCrowd`.

    2D joints have the errors of a network of joints, meshes, and so places, poses and heights, those of a network of
    meshes, each in part lasting; colours are read from the picture. Who is mostly hidden is missed.
    """
    rng = np.random.default_rng([*crowd.seed, seed, *b'watched'])
    pictures = [crowd.picture(t, renderer, images) for t in range(len(crowd))]
    for t, (sample, picture) in enumerate(zip(clip_samples(crowd, pictures, seed=seed), pictures)):
        scene = crowd.frames[t]
        rows, shown = scene.cast.rows, crowd.visible[t, scene.cast.rows]
        joints, scores = _joints(scene, picture, crowd.body_model, rng)
        found = people(scores, MIN_MEAN) & (rng.random(len(rows)) >= MISSED)
        found &= rng.random(len(rows)) < 1 / (1 + np.exp((VISIBLE - shown) / SPREAD))
        meshes = sample.pred_instances[np.flatnonzero(found)]
        seen = scores[found] >= SEEN_SCORE
        meshes.bboxes = torch.from_numpy(joint_boxes(joints[found], seen)).float()
        meshes.scores = torch.from_numpy(mean_score(scores[found])).float()
        shot = HumanDataSample()
        shot.pred_instances, shot.pred_camera = meshes, Camera(intrinsics=sample.pred_camera.intrinsics)
        shot.detected_instances = People(keypoints_2d=torch.from_numpy(joints[found]),
                                         keypoints_2d_valid=torch.from_numpy(scores[found]))
        observations = Observations.of_sample(shot, crowd.body_model, picture.image)
        owners = rows[found]
        if rng.random() < FALSE:
            observations = Observations.cat([observations, _nobody(crowd, rng)])
            owners = np.append(owners, -1)
        yield Seen(crowd.times[t], observations, owners, rows[shown >= VISIBLE], crowd.world_to_camera[t],
                   picture.image)


def _joints(scene, picture, body_model, rng):
    """COCO's joints (N, 17, 2) px and scores (N, 17) as a network gives them."""
    if not len(scene.vertices):
        return np.zeros((0, 17, 2)), np.zeros((0, 17))
    with torch.no_grad():
        joints = body_model.regress(torch.as_tensor(scene.vertices), 'coco17').double().numpy()
    pixels = scene.project(joints)
    height, width = scene.size
    places = np.clip(pixels, 0, (width - 1, height - 1)).astype(int)
    owner = picture.id_map[places[..., 1], places[..., 0]]
    hidden = (owner > 0) & (owner != np.arange(1, len(pixels) + 1)[:, None])
    return detected(pixels, hidden, scene.size, KeypointErrors(), rng)


def _nobody(crowd, rng):
    """Somebody who is not there."""
    height, width = crowd.config.size
    tall, place = rng.uniform(.2, .6) * height, np.array([rng.uniform(0, width), rng.uniform(.3, .7) * height])
    box = np.array([-.2, -.5, .2, .5]) * tall + np.tile(place, 2)
    distance = crowd.camera.intrinsics[0, 0] * 1.6 / tall
    ray = np.append((place - crowd.camera.intrinsics[:2, 2]) / crowd.camera.intrinsics[0, 0], 1)
    return Observations(
        box[None], (ray * distance)[None], heights=np.array([1.6]), joints=rng.uniform(box[:2], box[2:], (1, 17, 2)),
        joint_scores=rng.uniform(.1, .5, (1, 17)), scores=rng.uniform(.3, .45, 1))
