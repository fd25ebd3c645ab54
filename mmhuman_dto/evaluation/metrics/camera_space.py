"""Where people are in camera space, against exact truth."""
import numpy as np

from mmhuman_dto.evaluation.functional.bodies import MIN_IOU, MIN_SCORE, to_pixels
from mmhuman_dto.evaluation.functional.camera_space import camera_space_metrics, camera_space_record
from mmhuman_dto.evaluation.functional.cameras import fov_errors
from mmhuman_dto.evaluation.functional.placement import PlacedPeople
from mmhuman_dto.evaluation.functional.pose import detection_scores
from mmhuman_dto.evaluation.functional.summary import total
from mmhuman_dto.geometry.matching import match_people
from mmhuman_dto.registry import BODY_MODELS, METRICS

from .base import PeopleMetric, as_numpy, as_tensor, body_inputs


@METRICS.register_module()
class CameraSpaceMetric(PeopleMetric):
    """Errors in place, distance, order in depth, height and field of view, and calibration, of the people found.

    A sample needs poses, betas and transl of both sides, ``scores`` of the predictions, both cameras and ``img_shape``
    of one image frame. Where people have ``heights`` they are taken instead of their betas'. Predictions with
    ``heights_std`` or ``depths_std`` (of the pelvis' z), m, have their uncertainty checked.

    Args:
        body_model: config of the body model.
        threshold: predictions count from above this score.
        min_iou: of the joints' boxes of a match.
    """
    default_prefix = 'camera_space'

    def __init__(self, body_model, threshold=MIN_SCORE, min_iou=MIN_IOU, collect_device='cpu', prefix=None):
        super().__init__(threshold=threshold, collect_device=collect_device, prefix=prefix)
        self.body_model, self.min_iou = BODY_MODELS.build(body_model), min_iou

    def record(self, sample):
        pred, true = sample['pred_instances'], sample['gt_instances']
        cameras = [as_numpy(sample[f'{kind}_camera']['intrinsics']) for kind in ('pred', 'gt')]
        confident = self.confident(pred)
        joints = [self.body_model.skeleton(*body_inputs(people, rows)).numpy()
                  for people, rows in ((pred, confident), (true, slice(None)))]
        matches = match_people(*map(to_pixels, joints, cameras), np.full(joints[1].shape[:2], True), self.min_iou)
        rows = np.flatnonzero(confident)[matches.pred]
        stds = {f'{name}_std': as_numpy(pred[f'{name}s_std'])[rows] for name in ('depth', 'height')
                if f'{name}s_std' in pred}
        return dict(
            num_pred=len(joints[0]), num_true=len(joints[1]), num_found=len(rows), **camera_space_record(
                PlacedPeople(joints[0][matches.pred, 0], self._heights(pred)[rows]),
                PlacedPeople(joints[1][matches.true, 0], self._heights(true)[matches.true]),
                fov_errors(*cameras, sample['img_shape'][0]), **stds))

    def _heights(self, people):
        return as_numpy(people['heights'] if 'heights' in people
                        else self.body_model.height(as_tensor(people['betas'])))

    def compute_metrics(self, results):
        scores = detection_scores(*(total(results, name) for name in ('num_found', 'num_pred', 'num_true')))
        return {**scores, **camera_space_metrics(results)}
