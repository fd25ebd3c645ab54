"""CMU Panoptic and MuPoTS-3D: predicted bodies against 17 annotated joints."""
import numpy as np

from mmhuman_dto.evaluation.functional.bodies import to_pixels
from mmhuman_dto.evaluation.functional.mupots import MuPoTSPeople, mupots_metrics, mupots_record
from mmhuman_dto.evaluation.functional.panoptic import lowered_threshold, panoptic_metrics, sequence_name
from mmhuman_dto.registry import BODY_MODELS, METRICS

from .base import PeopleMetric, as_numpy, body_inputs


class _H36MMetric(PeopleMetric):
    """Predictions by their 17 Human3.6M joints.

    Args:
        body_model: config of the predictions' body model, with a regressor of ``h36m17``.
        **kwargs: of :class:`PeopleMetric`.
    """

    def __init__(self, body_model, **kwargs):
        super().__init__(**kwargs)
        self.body_model = BODY_MODELS.build(body_model).thinned('h36m17')

    def predicted_joints(self, sample, rows):
        """Joints (N, 17, 3) m, camera frame, of some predictions."""
        posed = self.body_model(*body_inputs(sample['pred_instances'], rows))
        return self.body_model.select_joints(posed, 'h36m17').numpy()

    @staticmethod
    def annotated(sample, name):
        """An array (T, 17, ...) of the truth."""
        values = as_numpy(sample['gt_instances'][name])
        if values.shape[1:2] != (17, ):
            raise ValueError(f'{sample.get("img_id", "?")}: {name} of the truth has shape {values.shape}, expected '
                             '17 joints in Human3.6M\'s order (joint set h36m17)')
        return values


@METRICS.register_module()
class PanopticMetric(_H36MMetric):
    """MPJPE (mm) by sequence of CMU Panoptic.

    A sample needs ``gt_instances.keypoints_3d`` (T, 17, 3) m in Human3.6M's order (:func:`panoptic_to_h36m`) with the
    confidences as ``keypoints_3d_valid``; of the predictions poses, betas, transl and ``scores``, also low ones: an
    image without a score above the threshold lowers it. The sequence is found in ``img_id``.
    """
    default_prefix = 'panoptic'

    def record(self, sample):
        """Joints and scores of one image: all in parity, where the threshold depends on the images before."""
        scores = as_numpy(sample['pred_instances']['scores'])
        rows = np.full(len(scores), True) if self.parity else scores > lowered_threshold(scores, self.threshold)
        return dict(
            sequence=sequence_name(sample['img_id']), scores=scores[rows],
            joints_pred=self.predicted_joints(sample, rows), joints_true=self.annotated(sample, 'keypoints_3d'),
            confidence=self.annotated(sample, 'keypoints_3d_valid'))

    def compute_metrics(self, results):
        return panoptic_metrics(results, self.threshold, self.parity)


@METRICS.register_module()
class MuPoTSMetric(_H36MMetric):
    """PCK (%) of MuPoTS-3D, of all annotated people and of those found.

    A sample needs ``gt_instances`` with ``keypoints_3d`` (T, 17, 3) m, ``keypoints_2d`` (T, 17, 2) px and
    ``keypoints_2d_valid`` in Human3.6M's order; of the predictions poses, betas, transl, ``scores`` and the camera.
    """
    default_prefix = 'mupots'

    def record(self, sample):
        joints = self.predicted_joints(sample, self.confident(sample['pred_instances']))
        pixels = to_pixels(joints, as_numpy(sample['pred_camera']['intrinsics']))
        true = MuPoTSPeople(self.annotated(sample, 'keypoints_3d'), self.annotated(sample, 'keypoints_2d'))
        return mupots_record(MuPoTSPeople(joints, pixels), true, self.annotated(sample, 'keypoints_2d_valid'),
                             self.parity)

    def compute_metrics(self, results):
        return mupots_metrics(results, self.parity)
