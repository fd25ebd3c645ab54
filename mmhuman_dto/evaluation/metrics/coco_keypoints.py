"""2D joints by COCO's rules."""
import numpy as np

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.evaluation.functional.bodies import to_pixels
from mmhuman_dto.evaluation.functional.keypoint_ap import SIGMAS, keypoint_metrics, keypoint_record
from mmhuman_dto.registry import BODY_MODELS, METRICS

from .base import PeopleMetric, as_numpy, body_inputs


@METRICS.register_module()
class KeypointAPMetric(PeopleMetric):
    """Average precision and recall (0..1) of the projected joints of predicted bodies, by COCO's rules.

    A sample needs ``gt_instances`` with ``keypoints_2d``, ``keypoints_2d_valid`` and ``joint_set``, a set or names that
    have all joints of this metric's; ``bboxes`` and ``areas`` of the people, which say how large somebody is, and
    ``is_crowd`` are taken where they are there (:func:`keypoint_record`). Of the predictions it needs poses, betas,
    transl, ``scores`` and the camera. Joints of the truth's own set are taken from the bodies, so both sides mean the
    same by a name. AP ranks predictions by score: let the network give doubtful ones too (``model.threshold``).

    Args:
        body_model: config of the predictions' body model.
        joint_set: 'coco17' or 'crowdpose14', with the ``SIGMAS`` of their data sets.
        threshold: predictions count from above this score.

    Raises:
        ValueError: another joint set.
    """
    default_prefix = 'keypoints'

    def __init__(self, body_model, joint_set='coco17', threshold=0., collect_device='cpu', prefix=None):
        super().__init__(threshold=threshold, collect_device=collect_device, prefix=prefix)
        if joint_set not in SIGMAS:
            raise ValueError(f'joint set {joint_set!r} has no sigmas, expected one of {", ".join(SIGMAS)}')
        self.body_model, self.joint_set = BODY_MODELS.build(body_model), joint_set

    def record(self, sample):
        pred, true = sample['pred_instances'], sample['gt_instances']
        names, rows = self._true_joints(sample)
        posed = self.body_model(*body_inputs(pred, self.confident(pred)))
        joints = self.body_model.select_joints(posed, names) if isinstance(names, str) else posed.joints[
            :, [self.body_model.joint_names.index(name) for name in names]]
        pixels = to_pixels(joints.numpy(), as_numpy(sample['pred_camera']['intrinsics']))
        return keypoint_record(
            pixels[:, rows], as_numpy(pred['scores'])[self.confident(pred)], as_numpy(true['keypoints_2d'])[:, rows],
            as_numpy(true['keypoints_2d_valid'])[:, rows],
            *(as_numpy(true[name]) if name in true else None for name in ('bboxes', 'areas', 'is_crowd')))

    def _true_joints(self, sample):
        """The truth's joint set (a name, or names of joints) and the rows of it that are scored."""
        joint_set = sample['joint_set']
        names = list(JOINT_SETS[joint_set].names if isinstance(joint_set, str) else joint_set)
        count = np.shape(sample['gt_instances']['keypoints_2d'])[1]
        wanted = JOINT_SETS[self.joint_set].names
        missing = [name for name in wanted if name not in names]
        if missing or count != len(names):
            raise ValueError(f'{sample.get("img_id", "?")}: the truth has {count} joints, its joint set {joint_set} '
                             f'{len(names)}; it lacks {missing or "none"} of {self.joint_set}')
        return joint_set, [names.index(name) for name in wanted]

    def compute_metrics(self, results):
        return keypoint_metrics(results, SIGMAS[self.joint_set])
