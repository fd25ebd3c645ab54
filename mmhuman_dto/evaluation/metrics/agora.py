"""AGORA and BEDLAM."""
import numpy as np

from mmhuman_dto.evaluation.functional import agora_metrics, agora_record
from mmhuman_dto.fileio import load_npy
from mmhuman_dto.registry import METRICS

from .base import BodyMetric, as_numpy


@METRICS.register_module()
class AGORAMetric(BodyMetric):
    """F1 (%), MPJPE, MVE, NMJE and NMVE (mm) of everyone and of children (AGORA, BEDLAM).

    A sample needs poses, betas and transl of both sides, ``scores`` of the predictions and both cameras, of one image
    frame. Children are those whose coefficient of the child blend is above 0.

    Args:
        body_vertices: ``body_verts_smpl.npy``, the rows of vertices that MVE is taken over; None: all.
        **kwargs: of :class:`BodyMetric`.
    """
    default_prefix = 'agora'

    def __init__(self, body_vertices=None, **kwargs):
        super().__init__(**kwargs)
        self.body_vertices = slice(None) if body_vertices is None else load_npy(body_vertices)

    def record(self, sample):
        """Matches and errors of one image."""
        betas = as_numpy(sample['gt_instances']['betas'])
        child = self.body_model.child_coefficient
        kids = betas[:, child] > 0 if child is not None else np.zeros(len(betas), bool)
        return agora_record(self.predicted(sample), self.annotated(sample), kids, self.body_vertices,
                            parity=self.parity)

    def compute_metrics(self, results):
        """Figures over all images."""
        return agora_metrics(results, self.parity)
