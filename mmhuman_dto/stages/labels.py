"""People as labels that networks are trained on: what was seen of them, and whose mesh agrees with it."""
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import joint_boxes
from mmhuman_dto.registry import STAGES
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import SkipImage, Stage

#: Of people of a real clip who are within it poses were 54 mm (PA) from the truth, of those beyond 190 mm: two people
#: close together, whose limbs were exchanged.
MAX_ERROR = .025


@STAGES.register_module()
class TrainingLabels(Stage):
    """Keeps with everybody the joints that were seen, and says whose mesh can be learnt from.

    Nobody is left out: who has no good mesh is a label in the picture alone. Row i of ``pred_instances`` is row i of
    ``detected_instances``; put it last. How sure depths, heights and the focal length are stays with the people
    (``depths_std``, ``heights_std``) and the image (``focal_std``): training decides what is sure enough
    (:class:`mmhuman_dto.datasets.transforms.TrustLabels`).

    Sets ``keypoints_2d`` (px) and ``keypoints_2d_valid``, their scores, 0 of those not seen; ``has_mesh``; metainfo
    ``joint_set``, ``fully_annotated`` and ``focal_std``. Boxes go: they end at the outermost joints seen, those that
    training makes of joints are wider. An image in which nobody has a good mesh is left out.

    Args:
        min_joints: seen joints that a mesh needs.
        max_error: largest mean distance of the mesh's joints from those seen, part of the longer side of the box around
            them.
        fully_annotated: whether everybody in the pictures is taken to have been found.
    """
    needs = ('pred_instances', 'pred_camera', 'detected_instances.keypoints_2d')
    sets = ('training labels', )

    def __init__(self, min_joints=8, max_error=MAX_ERROR, fully_annotated=False):
        self.min_joints, self.max_error, self.fully_annotated = min_joints, max_error, fully_annotated

    def __call__(self, samples):
        for sample in samples:
            self._label(sample)
        return samples

    def _label(self, sample):
        people, found = sample.pred_instances, sample.detected_instances
        points, scores = (value.to(self.context.device) for value in (found.keypoints_2d, found.keypoints_2d_valid))
        seen = scores >= SEEN_SCORE
        good = (seen.sum(1) >= self.min_joints) & (self._errors(sample, points, seen) <= self.max_error)
        people.has_mesh = good & people.get('has_mesh', torch.ones_like(good)).bool()
        if not people.has_mesh.any():
            raise SkipImage('nobody whose mesh fits what was seen')
        people.keypoints_2d, people.keypoints_2d_valid = points, torch.where(seen, scores.float(), 0.)
        people.pop('bboxes', None)
        sample.set_metainfo(dict(
            joint_set=sample.keypoint_set, fully_annotated=self.fully_annotated,
            focal_std=float(sample.pred_camera.get('focal_std', 0.))))

    @torch.no_grad()
    def _errors(self, sample, points, seen):
        """(N) mean distance of the meshes' joints from those seen, part of the person's size; inf of nobody seen."""
        people, body_model = sample.pred_instances, self.context.body_model
        output = body_model(people.pose, people.betas, people.transl)
        joints = project(body_model.select_joints(output, sample.keypoint_set), sample.pred_camera.intrinsics)
        boxes = points.new_tensor(joint_boxes(points.cpu().numpy(), seen.cpu().numpy()))
        distance = ((joints - points).norm(dim=-1) * seen).sum(1) / seen.sum(1)
        return torch.nan_to_num(distance / (boxes[:, 2:] - boxes[:, :2]).amax(1), torch.inf, torch.inf)
