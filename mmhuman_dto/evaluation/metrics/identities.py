"""Who is who through videos, against the truth."""
from pathlib import PurePosixPath

import numpy as np

from mmhuman_dto.evaluation.functional.bodies import MIN_SCORE
from mmhuman_dto.evaluation.functional.identities import IdentityFrame, identity_metrics, place_similarity
from mmhuman_dto.geometry.matching import box_iou
from mmhuman_dto.registry import METRICS

from .base import PeopleMetric, as_numpy


@METRICS.register_module()
class IdentityMetric(PeopleMetric):
    """IDF1, identity switches, MOTA and HOTA of people with ``track_ids``, one sample a frame, in the order of time.

    A sample needs ``track_ids`` and ``bboxes``, or places, of both sides; predictions with ``track_ids`` below 0 are
    nobody's, those with ``scores`` count above the threshold. Frames are of one video whose ``img_id`` are in one
    folder, or that have the same metainfo ``video``.

    Args:
        by: 'boxes': people are alike as far as their boxes overlap; 'places': as their ``transl`` are near.
        min_similarity: pairs count from this IoU on; of places 1 - distance / (2 ``reach``).
        reach: m, of ``by='places'``.
        threshold: predictions count from above this score.
    """
    default_prefix = 'identity'

    def __init__(self, by='boxes', min_similarity=.5, reach=1., threshold=MIN_SCORE, collect_device='cpu', prefix=None):
        if by not in ('boxes', 'places'):
            raise ValueError(f"by={by!r}: people are compared by 'boxes' or by 'places'")
        super().__init__(threshold=threshold, collect_device=collect_device, prefix=prefix)
        self.by, self.min_similarity, self.reach = by, min_similarity, reach

    def record(self, sample):
        pred, true = sample['pred_instances'], sample['gt_instances']
        rows = as_numpy(pred['track_ids']) >= 0
        if 'scores' in pred:
            rows &= self.confident(pred)
        if self.by == 'boxes':
            similarity = box_iou(as_numpy(true['bboxes']), as_numpy(pred['bboxes'])[rows])
        else:
            similarity = place_similarity(as_numpy(true['transl']), as_numpy(pred['transl'])[rows], self.reach)
        folder = str(PurePosixPath(str(sample.get('img_id', ''))).parent)
        return dict(video=sample.get('video', folder), true=as_numpy(true['track_ids']),
                    pred=as_numpy(pred['track_ids'])[rows], similarity=similarity.astype(np.float64))

    def compute_metrics(self, results):
        videos = {}
        for record in results:
            videos.setdefault(record['video'], []).append(
                IdentityFrame(record['true'], record['pred'], record['similarity']))
        return identity_metrics(list(videos.values()), self.min_similarity)
