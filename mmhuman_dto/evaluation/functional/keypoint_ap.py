"""Average precision and recall of 2D joints by COCO's rules, through the pycocotools package.

Definition: https://cocodataset.org/#keypoints-eval: a prediction is right above an object keypoint similarity (OKS), in
which each joint's error is relative to the person's size and to how well annotators place that joint.
"""
import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmhuman_dto.geometry.matching import joint_boxes

#: Standard deviation of annotators, relative to the root of the person's area, by joint set: COCO's own, and those of
#: CrowdPose (Li et al., "CrowdPose", CVPR 2019, as its evaluator has them).
SIGMAS = {
    'coco17': (.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089),
    'crowdpose14': (.079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089, .079, .079),
}
#: Area of a person relative to that of the box, where it was not segmented (CrowdPose's evaluator).
AREA_OF_BOX = .53
#: What COCOeval gives for keypoints, in its order.
_FIGURES = ('ap', 'ap_50', 'ap_75', 'ap_medium', 'ap_large', 'ar', 'ar_50', 'ar_75', 'ar_medium', 'ar_large')
#: What a record says of annotated people.
_TRUTH = ('joints_true', 'visible', 'boxes', 'areas', 'crowd')
_CATEGORY = dict(id=1, name='person')


def keypoint_record(joints_pred, scores, joints_true, visible, boxes=None, areas=None, crowd=None):
    """What the people of one image look like to :func:`keypoint_metrics`.

    Args:
        joints_pred: (P, K, 2) px. scores: (P,).
        joints_true: (T, K, 2) px. visible: (T, K) joints that are annotated.
        boxes: (T, 4) px, xyxy, of the annotated people; None: around their visible joints. People whose box has no
            area count for nothing, neither found nor missed.
        areas: (T,) px^2, of people's segments; None: ``AREA_OF_BOX`` of the boxes'.
        crowd: (T,) whether it is a region of several people: predictions there count for nothing. None: nowhere.

    Returns:
        dict of arrays: the arguments, ``visible`` nowhere on people without area.
    """
    visible = np.asarray(visible, dtype=bool)
    boxes = joint_boxes(np.asarray(joints_true), visible) if boxes is None else np.asarray(boxes)
    boxes = np.nan_to_num(np.asarray(boxes, dtype=np.float64))
    solid = (boxes[:, 2:] > boxes[:, :2]).all(1)
    if areas is None:
        areas = AREA_OF_BOX * (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return dict(joints_pred=np.asarray(joints_pred, np.float64), scores=np.asarray(scores, np.float64),
                joints_true=np.asarray(joints_true, np.float64), visible=visible & solid[:, None], boxes=boxes,
                areas=np.asarray(areas, np.float64), crowd=np.zeros(len(boxes)) if crowd is None else np.asarray(crowd))


def keypoint_metrics(records, sigmas):
    """Figures of many records of :func:`keypoint_record`, with ``sigmas`` (K,) of ``SIGMAS``.

    Returns:
        dict: ``ap`` and ``ar`` (means over OKS thresholds .5, .55 ... .95), ``ap_50``, ``ap_75``, ``ar_50``, ``ar_75``,
        and ``*_medium`` (areas of 32^2 to 96^2 px), ``*_large``, all 0..1; nan where nobody is annotated. Of an image
        the 20 best predictions count, as in COCO.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = (_index(COCO(), len(records), annotations)
                        for annotations in (_truth(records), _predictions(records)))
        evaluator = COCOeval(truth, found, 'keypoints')
        evaluator.params.kpt_oks_sigmas = np.array(sigmas)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return {name: float(value) if value >= 0 else float('nan') for name, value in zip(_FIGURES, evaluator.stats)}


def _index(coco, num_images, annotations):
    coco.dataset = dict(images=[dict(id=i) for i in range(num_images)], categories=[_CATEGORY],
                        annotations=[dict(a, id=i + 1, category_id=_CATEGORY['id'])
                                     for i, a in enumerate(annotations)])
    coco.createIndex()
    return coco


def _truth(records):
    for image, record in enumerate(records):
        for joints, visible, box, area, crowd in zip(*(record[name] for name in _TRUTH)):
            yield dict(image_id=image, keypoints=_flat(joints, 2 * visible), num_keypoints=int(visible.sum()),
                       bbox=[*box[:2], *(box[2:] - box[:2])], area=area, iscrowd=int(crowd))


def _predictions(records):
    for image, record in enumerate(records):
        for joints, score in zip(record['joints_pred'], record['scores']):
            corner, size = joints.min(0), np.ptp(joints, 0)
            yield dict(image_id=image, keypoints=_flat(joints, np.ones(len(joints))), bbox=[*corner, *size],
                       area=size.prod(), score=score, iscrowd=0)


def _flat(joints, flags):
    return np.column_stack([joints, flags]).ravel().tolist()
