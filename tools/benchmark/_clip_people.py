"""What networks would have seen of people in synthetic clips, frame by frame, and whose it is."""
from typing import NamedTuple

import numpy as np

from mmhuman_dto.synthetic.clips import clip_keypoints, clip_samples
from mmhuman_dto.tracking import Observations, colour_histograms

#: Who shows less of the body is not in the truth, unless found.
VISIBLE = .3


class Watched(NamedTuple):
    """One frame: ``owners`` (N) of the observations, -1 nobody's; ``ids`` (P) who is there to be seen."""
    time: float
    observations: Observations
    owners: np.ndarray
    ids: np.ndarray
    camera_pose: np.ndarray


def watched(crowd, renderer, seed=0):
    """Yield :class:`Watched` of each frame of a :class:`~mmhuman_dto.synthetic.clips.MovingCrowd`.

    Joints and boxes have the errors of a network of joints, meshes, and so places, poses and heights, those of a
    network of meshes, each in part lasting; colours are read from the pictures. Hidden people are missed, and some who
    are not there are seen.
    """
    last = []

    def pictures():
        for picture in crowd.pictures(renderer):
            last[:] = [picture]
            yield picture

    for t, sample in enumerate(clip_samples(crowd, pictures(), seed=seed)):
        found, scene, image = clip_keypoints(crowd, t, seed=seed), crowd.frames[t], last[0].image
        rows = {number: row for row, number in enumerate(scene.cast.rows.tolist())}
        known = _of_meshes(sample, crowd.body_model, [rows.get(number, -1) for number in found.track_ids.tolist()])
        observations = Observations(
            found.bboxes, joints=found.keypoints, joint_scores=found.keypoint_scores, scores=found.scores,
            colours=colour_histograms(image, found.keypoints, found.keypoint_scores, found.bboxes), **known)
        ids = np.union1d(scene.cast.rows[scene.cast.visible >= VISIBLE], found.track_ids[found.track_ids >= 0])
        yield Watched(crowd.times[t], observations, found.track_ids, ids, crowd.world_to_camera[t])


def _of_meshes(sample, body_model, rows):
    """Positions, poses and heights of people in rows of a sample; -1: of nobody, at a typical place."""
    people = sample.pred_instances
    joints = body_model.skeleton(people.pose, people.betas, people.transl).double().numpy()
    heights = body_model.height(people.betas).double().numpy()
    joints = np.concatenate([joints, joints.mean(0, keepdims=True) if len(joints) else np.full((1, 24, 3), np.nan)])
    return dict(positions=joints[rows, 0], pose=joints[rows] - joints[rows, :1], heights=np.append(heights, 1.6)[rows])
