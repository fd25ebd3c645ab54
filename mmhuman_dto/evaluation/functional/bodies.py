"""Posed bodies of one image, as the mesh evaluators compare them."""
from typing import NamedTuple

import numpy as np

from mmhuman_dto.geometry.matching import match_greedily, match_people

#: Added to depths (m) before dividing by them, as the public evaluators do.
_DEPTH_OFFSET = 1e-6
#: Predictions count from above this confidence (the public evaluators of AGORA, 3DPW, Panoptic and MuPoTS).
MIN_SCORE = .3
#: Boxes of a match overlap at least this much (AGORA, 3DPW).
MIN_IOU = .1


class Bodies(NamedTuple):
    """N people of one image."""
    joints: np.ndarray  # (N, 24, 3) kinematic joints, m, camera frame
    vertices: np.ndarray  # (N, V, 3), m, camera frame
    heights: np.ndarray  # (N,) of the zero-pose mesh, m
    intrinsics: np.ndarray  # (3, 3), px
    #: (N, 17, 3) joints of the Human3.6M regressor, m, camera frame; only 3DPW's and Hi4D's errors need them
    h36m: np.ndarray | None = None


def to_pixels(points, intrinsics):
    """Project (*, 3) m, camera frame, with intrinsics (3, 3): (*, 2) px."""
    plane = points[..., :2] / (points[..., 2:] + _DEPTH_OFFSET)
    return plane @ intrinsics[:2, :2].T + intrinsics[:2, 2]


def match_bodies(pred, true, min_iou=MIN_IOU, parity=False):
    """:class:`Matches` of two :class:`Bodies` of an image by their 24 joints in the image, which all count as visible.

    Each side is projected with its own camera. Pairs whose joints' boxes overlap less than ``min_iou`` are no match;
    ``parity``: the public evaluators' greedy search instead of the best assignment.
    """
    joints = [to_pixels(people.joints, people.intrinsics) for people in (pred, true)]
    match = match_greedily if parity else match_people
    return match(*joints, np.ones(joints[1].shape[:2], dtype=bool), min_iou)
