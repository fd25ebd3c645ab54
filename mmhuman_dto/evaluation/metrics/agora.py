"""AGORA and BEDLAM."""
import numpy as np

from mmhuman_dto.evaluation.functional.agora import agora_metrics, agora_record
from mmhuman_dto.fileio import load_npy
from mmhuman_dto.registry import METRICS

from .base import BodyMetric, as_numpy


@METRICS.register_module()
class AGORAMetric(BodyMetric):
    """F1 (%), MPJPE, MVE, NMJE and NMVE (mm) of everyone and of children (AGORA, BEDLAM).

    A sample needs poses, betas and transl of both sides, ``scores`` of the predictions and both cameras, of one image
    frame. Children are those annotated as such (``is_child``), or without that field those whose coefficient of the
    child blend is above 0.

    Args:
        body_vertices: ``body_verts_smpl.npy``, the rows of vertices that MVE is taken over; None: all.
        **kwargs: of :class:`BodyMetric`.
    """
    default_prefix = 'agora'

    def __init__(self, body_vertices=None, **kwargs):
        super().__init__(**kwargs)
        self.body_vertices = slice(None) if body_vertices is None else load_npy(body_vertices)

    def record(self, sample):
        return agora_record(self.predicted(sample), self.annotated(sample), self._kids(sample['gt_instances']),
                            self.body_vertices, parity=self.parity)

    def _kids(self, people):
        if 'is_child' in people:
            return as_numpy(people['is_child']).astype(bool)
        betas, child = as_numpy(people['betas']), self.body_model.child_coefficient
        return betas[:, child] > 0 if child is not None else np.zeros(len(betas), bool)

    def compute_metrics(self, results):
        return agora_metrics(results, self.parity)
