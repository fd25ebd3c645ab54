"""Relative Human."""
from mmhuman_dto.evaluation.functional.relative_human import age_groups, relative_human_metrics, relative_human_record
from mmhuman_dto.registry import METRICS

from .base import PeopleMetric, as_numpy


@METRICS.register_module()
class RelativeHumanMetric(PeopleMetric):
    """PCDR^0.2 by age group, mPCKh, precision, recall and F1 (%) of Relative Human.

    A sample needs ``gt_instances`` with ``keypoints_2d`` (T, 14, 2) in CrowdPose's order, ``keypoints_2d_valid``,
    ``depth_layers`` and ``ages`` (years), and ``pred_instances`` with ``keypoints_2d`` (P, 14, 2), ``transl`` and
    ``scores``: the network's ``joint_set`` is crowdpose14. Arguments are those of :class:`PeopleMetric`.

    Raises:
        ValueError: other joints than CrowdPose's 14.
    """
    default_prefix = 'relative_human'

    def record(self, sample):
        pred, true = sample['pred_instances'], sample['gt_instances']
        rows = self.confident(pred)
        joints = {kind: as_numpy(people['keypoints_2d']) for kind, people in (('pred', pred), ('gt', true))}
        for kind, values in joints.items():
            if values.shape[1:] != (14, 2):
                raise ValueError(f'{sample.get("img_id", "?")}: keypoints_2d of {kind}_instances have shape '
                                 f'{values.shape}, expected CrowdPose\'s 14 joints: set joint_set=\'crowdpose14\'')
        return relative_human_record(
            joints['pred'][rows], as_numpy(pred['transl'])[rows, 2], joints['gt'],
            as_numpy(true['keypoints_2d_valid']), as_numpy(true['depth_layers']), age_groups(as_numpy(true['ages'])),
            self.parity)

    def compute_metrics(self, results):
        return relative_human_metrics(results, self.parity)
