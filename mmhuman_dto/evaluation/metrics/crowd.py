"""All that exact truth allows to say about predicted people: found, posed, sized and placed."""
import numpy as np
from mmengine.evaluator import BaseMetric

from mmhuman_dto.evaluation.functional.placement import PlacedPeople, placement_metrics
from mmhuman_dto.evaluation.functional.pose import detection_scores, mpjpe, pa_mpjpe
from mmhuman_dto.evaluation.functional.summary import mean, total
from mmhuman_dto.geometry import fov_from_focal
from mmhuman_dto.geometry.matching import match_people
from mmhuman_dto.registry import BODY_MODELS, METRICS


@METRICS.register_module()
class CrowdMetric(BaseMetric):
    """Detection (%), MPJPE and PA-MPJPE (mm, 24 kinematic joints, pelvis-aligned), placement, height and FoV errors.

    Args:
        body_model: config of the body model; gives heights.
        threshold: confidence from which a prediction counts.
        min_iou: of the joints' boxes of a match.
    """
    default_prefix = 'crowd'

    def __init__(self, body_model, threshold=.3, min_iou=.1, collect_device='cpu', prefix=None):
        super().__init__(collect_device, prefix)
        self.body_model = BODY_MODELS.build(body_model)
        self.threshold, self.min_iou = threshold, min_iou

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            self.results.append(self._record(sample))

    def _record(self, sample):
        pred, true = (self._people(sample[f'{kind}_instances']) for kind in ('pred', 'gt'))
        pred = {name: value[pred['scores'] >= self.threshold] for name, value in pred.items()}
        visible = true['keypoints_2d_valid'][:, :24]
        seen = visible.any(1)
        matches = match_people(pred['keypoints_2d'][:, :24], true['keypoints_2d'][seen, :24], visible[seen],
                               self.min_iou)
        true_rows = np.flatnonzero(seen)[matches.true]
        record = dict(num_pred=len(pred['scores']), num_true=int(seen.sum()), num_matched=len(true_rows))
        for kind, people, rows in (('pred', pred, matches.pred), ('true', true, true_rows)):
            record[f'joints_{kind}'] = people['keypoints_3d'][rows, :24]
            record[f'heights_{kind}'] = people['heights'][rows]
        focal = [float(sample[f'{kind}_camera']['intrinsics'][1, 1]) for kind in ('pred', 'gt')]
        height = sample['img_shape'][0]
        record['fov_pred'], record['fov_true'] = (fov_from_focal(f, height) for f in focal)
        return record

    def _people(self, people):
        people = {name: value.cpu() for name, value in people.items()}
        if 'heights' not in people:
            people['heights'] = self.body_model.height(people['betas'])
        return {name: value.numpy() for name, value in people.items()}

    def compute_metrics(self, results):
        def joined(name):
            return np.concatenate([record[name] for record in results])

        joints = [points - points[:, :1] for points in (joined('joints_pred'), joined('joints_true'))]
        scenes = [tuple(PlacedPeople(record[f'joints_{kind}'][:, 0], record[f'heights_{kind}'])
                        for kind in ('pred', 'true')) for record in results]
        fov_error = np.abs([record['fov_pred'] - record['fov_true'] for record in results])
        return dict(
            detection_scores(*(total(results, f'num_{which}') for which in ('matched', 'pred', 'true'))),
            mpjpe=mean(mpjpe(*joints)), pa_mpjpe=mean(pa_mpjpe(*joints)), **placement_metrics(scenes),
            fov_error=float(np.degrees(fov_error.mean())))
