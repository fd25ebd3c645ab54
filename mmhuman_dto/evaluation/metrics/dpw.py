"""3DPW and Hi4D."""
from mmhuman_dto.evaluation.functional.dpw import dpw_metrics, dpw_record
from mmhuman_dto.registry import METRICS

from .base import BodyMetric


@METRICS.register_module()
class DPWMetric(BodyMetric):
    """MPJPE, PA-MPJPE, MVE and PA-MVE (mm), focal (px) and height (m) error of the people found (3DPW, Hi4D).

    A sample needs poses, betas and transl of both sides, ``scores`` of the predictions and both cameras, of one image
    frame; the body model needs a regressor of ``h36m17``. Arguments are those of :class:`BodyMetric`.
    """
    default_prefix = '3dpw'
    regressed = 'h36m17'

    def record(self, sample):
        return dpw_record(self.predicted(sample), self.annotated(sample), parity=self.parity)

    def compute_metrics(self, results):
        return dpw_metrics(results, self.parity)
