"""Bodies lifted from joints against exact truth, and whether what they state of their errors is true."""
import numpy as np
from mmengine.evaluator import BaseMetric

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.evaluation.functional.calibration import LEVELS, in_intervals
from mmhuman_dto.evaluation.functional.pose import mpjpe, pa_mpjpe
from mmhuman_dto.registry import METRICS

from .base import as_numpy


@METRICS.register_module()
class LiftingMetric(BaseMetric):
    """MPJPE, PA-MPJPE (mm), errors of depth (%) and height (m), and how often the truth is in stated intervals (%).

    Row i of ``pred_instances`` is row i of ``gt_instances``; both have ``keypoints_3d`` (N, J, 3) m and ``heights``,
    predictions ``keypoints_3d_std``, ``depths_std`` and ``heights_std`` (m). Poses are compared by the nose and the
    limbs, hips on hips; the pelvis' depth is the hips' mean. ``depth_in_90`` is the share of people whose depth lies in
    the central 90 % interval that is stated; of joints it is each of x, y and z.

    Args:
        joint_set: of the 3D joints.
    """
    default_prefix = 'lifting'

    def __init__(self, joint_set='coco17', collect_device='cpu', prefix=None):
        super().__init__(collect_device, prefix)
        names = JOINT_SETS[joint_set].names
        self.limbs = [i for i, name in enumerate(names) if not name.endswith(('eye', 'ear'))]
        self.hips = [names.index(f'{side}_hip') for side in ('left', 'right')]

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            pred, true = sample['pred_instances'], sample['gt_instances']
            joints, true_joints = (as_numpy(people['keypoints_3d']).astype(float) for people in (pred, true))
            around, true_around = (part[:, self.limbs] - part[:, self.hips].mean(1, keepdims=True)
                                   for part in (joints, true_joints))
            depth, true_depth = (part[:, self.hips, 2].mean(1) for part in (joints, true_joints))
            heights, true_heights = (as_numpy(people['heights']) for people in (pred, true))
            stds = as_numpy(pred['keypoints_3d_std'])[:, self.limbs, None].repeat(3, 2)
            inside = {
                'depth': in_intervals(depth, as_numpy(pred['depths_std']), true_depth),
                'height': in_intervals(heights, as_numpy(pred['heights_std']), true_heights),
                'joints': in_intervals(around.ravel(), stds.ravel(), true_around.ravel()).reshape(len(joints), -1, 2)
                .mean(1)}
            self.results.append(dict(
                mpjpe=mpjpe(around, true_around), pa_mpjpe=pa_mpjpe(around, true_around),
                depth_error=100 * np.abs(depth / true_depth - 1), height_error=np.abs(heights - true_heights),
                **{f'{name}_in_{100 * level:.0f}': 100 * values[:, i] for name, values in inside.items()
                   for i, level in enumerate(LEVELS)}))

    def compute_metrics(self, results):
        return {name: float(np.concatenate([record[name] for record in results]).mean()) for name in results[0]}
