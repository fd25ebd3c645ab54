"""Stages that make what DTO starts from out of photos: focal length, people, joints, meshes, and who is who.

They set ``detected_instances`` (:class:`People` with ``bboxes``, ``scores``, ``keypoints_2d``, ``keypoints_2d_valid``,
the joints' scores, and ``masks`` where the people source has them; CPU) and ``pred_instances``, the meshes; after
:class:`MatchDetections` row i of both is one person. Rules and constants are those by which DTO-Humans was made (arXiv
2511.13282).
"""
import math

import numpy as np
import torch

from mmhuman_dto.datasets.transforms.depth import maps_of
from mmhuman_dto.geometry import centered_intrinsics, project, unproject
from mmhuman_dto.perception.base import MeshSource
from mmhuman_dto.perception.finding import MIN_KEYPOINTS, MIN_SCORE, id_map, keypoint_nms, match_keypoints
from mmhuman_dto.registry import STAGES
from mmhuman_dto.structures import Camera, People
from mmhuman_dto.structures.fields import SEEN_SCORE

from .base import SkipImage, Stage, StageError
from .dto import SourceStage

#: What meshes are made of, and what else mesh sources may say of people.
_MESH = ('global_orient', 'body_pose', 'betas', 'transl')
_STATED = ('scores', 'bboxes', 'depths_std', 'heights_std', 'sizes_std')


@STAGES.register_module()
class AddFocal(SourceStage):
    """Sets ``pred_camera`` where a focal source knows the focal length; its axis goes through the image's centre.

    Metainfo ``focal_source`` is the source's class.
    """
    needs = ('image', )

    def _set(self, sample, focal):
        if math.isnan(focal):
            return
        height, width = sample.ori_shape
        sample.pred_camera = Camera(intrinsics=centered_intrinsics(focal, width, height),
                                    focal_std=torch.tensor(getattr(self.source, 'focal_std', 0.)))
        sample.pred_camera = sample.pred_camera.to(self.context.device)
        sample.set_metainfo(dict(focal_source=type(self.source).__name__))


@STAGES.register_module()
class AddDetections(SourceStage):
    """Sets ``detected_instances`` from a people source; leaves out images without people.

    Where the source has joints too (``MoveNetJoints``), no :class:`AddKeypoints` is needed.
    """
    needs, sets = ('image', ), ('detected_instances', )

    def _set(self, sample, people):
        if len(people) == 0:
            raise SkipImage('nobody detected')
        sample.detected_instances = people
        if 'keypoints_2d' in people:
            sample.set_metainfo(dict(keypoint_set=self.source.joint_set))


@STAGES.register_module()
class AddKeypoints(SourceStage):
    """Sets ``keypoints_2d`` and ``keypoints_2d_valid`` of ``detected_instances`` from a keypoint source.

    People with too few keypoints go, and those who were found twice; images in which nobody stays are left out.

    Args:
        source: config of a keypoint source.
        min_score: keypoints of lower scores are not seen: their score becomes 0.
        min_keypoints: seen keypoints a person needs.
    """
    needs, sets = ('detected_instances', ), ('detected_instances.keypoints_2d', )

    def __init__(self, source, min_score=MIN_SCORE, min_keypoints=MIN_KEYPOINTS):
        super().__init__(source)
        self.min_score, self.min_keypoints = min_score, min_keypoints

    def _set(self, sample, result):
        keypoints, scores = result
        people, seen = sample.detected_instances[:], scores >= self.min_score
        people.keypoints_2d, people.keypoints_2d_valid = keypoints, torch.where(seen, scores.clamp(0, 1), 0)
        enough = (seen.sum(1) >= self.min_keypoints).nonzero()[:, 0]
        mean = (scores * seen).sum(1) / seen.sum(1).clamp(min=1)
        kept = enough[keypoint_nms(*(field[enough].numpy() for field in (keypoints, seen, mean, people.bboxes)))]
        if len(kept) == 0:
            raise SkipImage('nobody with enough keypoints')
        sample.detected_instances = people[kept]
        sample.set_metainfo(dict(keypoint_set=self.source.joint_set))


@STAGES.register_module()
class AddMeshes(SourceStage):
    """Sets ``pred_instances`` and, where nothing is known of it, ``pred_camera`` from a mesh source.

    The network says how large people appear: with another focal length than its own they are proportionally farther
    away or nearer. People that an annotation source gave as ``is_released`` stay, the network's come after them. Images
    without either are left out.
    """
    needs, sets = ('image', ), ('pred_instances', 'pred_camera')

    def bind(self, context):
        super().bind(context)
        theirs, ours = self.source.body_model, context.body_model
        # A blend to a child comes last: no component may come into its place, and nothing behind it.
        misplaced = theirs.child_coefficient is not None and theirs.num_betas != ours.num_betas or (
            theirs.child_coefficient is None and ours.child_coefficient is not None
            and theirs.num_betas > ours.child_coefficient)
        if not isinstance(ours, type(theirs)) or theirs.num_betas > ours.num_betas or misplaced:
            raise ValueError(f'{self.name}: the meshes are of {type(theirs).__name__} with {theirs.num_betas} shape '
                             f'coefficients, the config has body_model {type(ours).__name__} with {ours.num_betas}')

    def _set(self, sample, result):
        people, camera = result
        camera = camera.to(self.context.device)
        people = self._mesh(people, (*_MESH, *_STATED))
        if 'pred_camera' in sample:
            known = sample.pred_camera.to(self.context.device)
            people.transl, camera = seen_by(known.intrinsics, people.transl, camera.intrinsics), known
        else:
            sample.set_metainfo(dict(focal_source=self._said('focal_source')))
        if self._said('caveat'):
            sample.set_metainfo(dict(caveat=self._said('caveat')))
        if self._said('per_detection'):
            _take_detections(sample, people, sample.detected_instances, self.context.device)
        sample.pred_camera = camera
        people.is_released = torch.zeros(len(people), dtype=torch.bool, device=self.context.device)
        people = self._after_released(sample, people)
        if len(people) == 0:
            raise SkipImage('no meshes')
        sample.pred_instances = people

    def _said(self, name):
        """An attribute of the source, :class:`MeshSource`'s where it is a plain function."""
        return getattr(self.source, name, getattr(MeshSource, name))

    def _after_released(self, sample, people):
        before = sample.get('pred_instances')
        if before is None or 'is_released' not in before:
            return people
        released = self._mesh(before[before.is_released.bool()], _MESH)
        released.is_released = torch.ones(len(released), dtype=torch.bool, device=self.context.device)
        return People(**{name: torch.cat([released[name], people[name]]) for name in (*_MESH, 'is_released')})

    def _mesh(self, people, names):
        """Fields of people that are there, with the body model's number of shape coefficients."""
        people = People(**{name: people[name].to(self.context.device) for name in names if name in people})
        people.betas = torch.nn.functional.pad(
            people.betas, (0, self.context.body_model.num_betas - people.betas.shape[1]))
        return people


def seen_by(intrinsics, transl, before):
    """Translations (N, 3), m, of people seen with intrinsics ``before`` (3, 3) as another camera would see them.

    They project to where they did, at a depth that changes as the focal length does, so that they appear as large.
    """
    return unproject(project(transl, before), transl[:, 2] * intrinsics[1, 1] / before[1, 1], intrinsics)


@STAGES.register_module()
class MatchDetections(Stage):
    """Pairs meshes with detections by their joints, and keeps people who have both.

    A released mesh wins over the network's. ``pred_instances`` get the detections' ``bboxes`` and ``scores``,
    ``pred_maps.segmentation`` their masks (0 nobody, i + 1 person i) where they have any; where not, the meshes'
    silhouettes count.
    """
    needs = ('pred_instances', 'pred_camera', 'detected_instances.keypoints_2d')
    sets = ('matched detections', )

    def __call__(self, samples):
        return [self._match(sample) for sample in samples]

    def _match(self, sample):
        meshes, found = sample.pred_instances, sample.detected_instances.cpu()
        if 'keypoints_2d' not in found:
            raise StageError(self.name, 'detected_instances have no keypoints_2d; put AddKeypoints before')
        joints = self._joints(sample)
        keypoints, visible = found.keypoints_2d.numpy(), found.keypoints_2d_valid.numpy() >= SEEN_SCORE
        released = meshes.is_released.cpu().numpy() if 'is_released' in meshes else np.zeros(len(meshes), bool)
        partner = np.full(len(found), -1)  # row of each detection's mesh
        for rows in (released.nonzero()[0], (~released).nonzero()[0]):
            free = (partner < 0).nonzero()[0]
            pairs = match_keypoints(joints[rows], keypoints[free], visible[free])
            partner[free[pairs.true]] = rows[pairs.pred]
        kept = (partner >= 0).nonzero()[0]
        if len(kept) == 0:
            raise SkipImage('no mesh fits a detected person')
        self._keep(sample, torch.from_numpy(partner[kept]), found[torch.from_numpy(kept)])
        return sample

    def _joints(self, sample):
        """Joints (N, J, 2), px, of the meshes, in the keypoints' order."""
        people, body_model = sample.pred_instances, self.context.body_model
        output = body_model(people.pose, people.betas, people.transl)
        joints = body_model.select_joints(output, sample.keypoint_set)
        return project(joints, sample.pred_camera.intrinsics).cpu().numpy()

    def _keep(self, sample, meshes, found):
        device = self.context.device
        people = sample.pred_instances[meshes.to(device)]
        _take_detections(sample, people, found, device)
        sample.pred_instances, sample.detected_instances = people, found


def _take_detections(sample, people, found, device):
    """Give people what was found of them, row by row: boxes, scores, how sure their joints are, masks."""
    people.bboxes, people.scores = found.bboxes.to(device), found.scores.to(device)
    people.keypoint_scores = found.keypoints_2d_valid.float().to(device)
    if 'ages' in found:
        people.ages = found.ages.to(device)
    if 'masks' in found:
        segmentation = id_map(found.masks.numpy(), found.scores.numpy())
        maps_of(sample).segmentation = torch.from_numpy(segmentation).to(device)


@STAGES.register_module()
class RefitMeshes(SourceStage):
    """Fits the meshes to the joints in the picture again, their depths being known now.

    DTO gives people the size that goes with their distance by one shape coefficient, which moves their joints in the
    picture; this moves them back. ``heights`` follow. Row i of ``pred_instances`` is row i of ``detected_instances``.

    Args:
        source: config of a mesh source with ``refit(samples)``, such as :class:`KeypointFitMeshes`.
    """
    needs = ('optimised', 'detected_instances.keypoints_2d')

    def _ask(self, samples):
        return self.source.refit(samples)

    def _set(self, sample, people):
        for name, values in people.items():
            sample.pred_instances.set_field(values.to(self.context.device), name)
        sample.pred_instances.heights = self.context.body_model.height(sample.pred_instances.betas)
