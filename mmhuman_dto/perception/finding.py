"""Who is who among people found more than once: duplicate boxes, duplicate poses, meshes and poses.

Rules and constants are those by which DTO-Humans was made (arXiv 2511.13282). All arrays are numpy.
"""
import numpy as np
from scipy.optimize import linear_sum_assignment

from mmhuman_dto.evaluation.functional.relative_human import right_keypoints
from mmhuman_dto.geometry.matching import Matches, box_iou

#: A detection counts from this score on.
MIN_SCORE = .5
#: Boxes that overlap more are one person.
MAX_IOU = .7
#: A pose counts with this many keypoints of ``MIN_SCORE``.
MIN_KEYPOINTS = 5
#: Poses are one person when their joints lie closer, on average, than this part of the longer side of the box:
#: .6 heads, of which a body has about eight.
DUPLICATE_DISTANCE = .6 / 8
#: A mesh is a pose's when more than this share of the visible keypoints agree.
MIN_AGREEMENT = .5


def box_nms(boxes, scores, max_iou=MAX_IOU):
    """Indices, best score first, of boxes (N, 4) xyxy of which none overlaps a better one by more than ``max_iou``."""
    order = np.argsort(-np.asarray(scores), kind='stable')
    return _best_first(order, box_iou(boxes, boxes) > max_iou)


def keypoint_nms(keypoints, visible, scores, boxes):
    """Indices, best score first, of poses that are not the pose of a better one.

    Args:
        keypoints: (N, J, 2) px. visible: (N, J). scores: (N,). boxes: (N, 4) xyxy px; the better one's counts.
    """
    order = np.argsort(-np.asarray(scores), kind='stable')
    common = visible[:, None] & visible[None]
    distance = np.linalg.norm(keypoints[:, None] - keypoints[None], axis=-1)
    count = common.sum(-1)
    mean = (distance * common).sum(-1) / np.maximum(count, 1)
    longer = (boxes[:, 2:] - boxes[:, :2]).max(-1, initial=0)
    return _best_first(order, (count > 0) & (mean < DUPLICATE_DISTANCE * longer[:, None]))


def _best_first(order, duplicates):
    """Members of ``order`` that no kept one before claims; ``duplicates[i, j]``: j is a copy of i."""
    kept = []
    for index in order:
        if not duplicates[kept, index].any():
            kept.append(index)
    return np.array(kept, dtype=np.int64)


def match_keypoints(joints, keypoints, visible):
    """Pair meshes with poses so that the sum of mean joint errors is least.

    A pair is allowed when more than half of the visible keypoints lie within .6 head sizes, for which .143 diagonals of
    the visible keypoints' box stand (Relative Human, arXiv 2112.08274).

    Args:
        joints: (M, J, 2) px, of the meshes. keypoints: (N, J, 2) px. visible: (N, J).

    Returns:
        Matches: ``pred`` rows of meshes, ``true`` rows of poses, by ascending ``true``.
    """
    num_meshes, num_poses = len(joints), len(keypoints)
    if not num_meshes or not num_poses:
        return Matches(*np.zeros((2, 0), dtype=np.int64))
    mesh, pose = (index.ravel() for index in np.indices((num_meshes, num_poses)))
    share = right_keypoints(joints[mesh], keypoints[pose], visible[pose]).reshape(num_meshes, num_poses)
    distance = np.linalg.norm(joints[:, None] - keypoints[None], axis=-1)
    error = (distance * visible).sum(-1) / np.maximum(visible.sum(-1), 1)
    allowed = share > MIN_AGREEMENT  # nan, of fewer than two visible keypoints, is not
    worst = error.max() * (min(error.shape) + 1) + 1
    rows, columns = linear_sum_assignment(np.where(allowed, error, worst))
    kept = allowed[rows, columns]
    order = np.argsort(columns[kept])
    return Matches(rows[kept][order], columns[kept][order])


def id_map(masks, scores):
    """Masks (N, H, W) as one int32 map (H, W): 0 nobody, i + 1 person i; where they overlap, the best score's."""
    ids = np.zeros(masks.shape[1:], dtype=np.int32)
    for index in np.argsort(np.asarray(scores), kind='stable'):
        ids[masks[index]] = index + 1
    return ids
