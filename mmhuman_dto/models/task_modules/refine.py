"""Predictions placed together by DTO, at test time."""
import torch

from mmhuman_dto.dto import DTOOptimizer
from mmhuman_dto.dto.drawing import LONG_SIDE, draw_meshes
from mmhuman_dto.registry import TASK_UTILS

#: Of the pixels in a silhouette, those of the person are among the nearest: their level is this quantile's.
FOREGROUND = .75


@TASK_UTILS.register_module()
class RefineByDTO:
    """:class:`mmhuman_dto.dto.DTOOptimizer` on what a network predicted (``test_cfg.dto`` of a detector).

    Masks are the meshes' silhouettes without what lies behind them, as predicted poses are never exact; ages and sexes
    are unknown.

    Args:
        solver, prior, evidence: of :class:`mmhuman_dto.dto.DTOOptimizer`.
        long_side: see :func:`mmhuman_dto.dto.drawing.draw_meshes`.
        reach: a pixel is a person's where disparity times mesh z is within this share of the person's level, which is
            the quantile ``FOREGROUND`` over its silhouette; infinite takes whole silhouettes.
    """

    def __init__(self, solver, prior=None, evidence=None, long_side=LONG_SIDE, reach=.15):
        self.dto, self.long_side, self.reach = DTOOptimizer(solver, prior, evidence), long_side, reach

    @torch.no_grad()
    def __call__(self, samples, body_model):
        """New samples with ``pred_instances`` placed; everybody stays, in its row.

        Args:
            samples: with ``pred_instances``, ``pred_camera`` and ``pred_maps.disparity``, all px of one picture; their
                ``pred_maps`` and ``visible_vertices`` are written.
            body_model: the predictions'.

        Raises:
            ValueError: a sample without disparity.
        """
        for sample in samples:
            if 'disparity' not in sample.get('pred_maps', ()):
                raise ValueError(f'{sample.get("img_id", "sample")}: test_cfg.dto needs pred_maps.disparity; put the '
                                 'transform AddDisparity into the pipeline, or set test_cfg.dto to None')
        draw_meshes(samples, [sample.pred_maps.disparity.shape for sample in samples], body_model, self.long_side)
        for sample in samples:
            keep_foreground(sample, self.reach)
        placed = self.dto(samples, body_model, keep_dropped=True)
        for sample in placed:
            del sample.pred_instances.visible_vertices
        return placed


def keep_foreground(sample, reach):
    """Take pixels that show something behind or before a person off ``pred_maps.id_map``; see :class:`RefineByDTO`."""
    maps = sample.pred_maps
    level = maps.disparity * maps.z_map  # the same all over a person where the disparity is inverse depth
    for person in range(1, len(sample.pred_instances) + 1):
        mine = maps.id_map == person
        if mine.any():
            off = (level / level[mine].quantile(FOREGROUND) - 1).abs() > reach
            maps.id_map[mine & off] = 0
