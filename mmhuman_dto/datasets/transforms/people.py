"""Joints of annotated meshes, and who is visible enough to be asked for."""
import torch

from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS, TRANSFORMS

from .joints import has_people_with


@TRANSFORMS.register_module()
class JointsFromMeshes:
    """Joints of the annotated bodies: ``keypoints_3d`` (m, camera), ``keypoints_2d`` (px), and whether they are seen.

    A 2D joint is valid inside the picture and in front of the camera. Needs ``gt_instances`` (global_orient, body_pose,
    betas, transl), ``gt_camera.intrinsics`` and ``img_shape``; sets metainfo ``joint_set``.

    Args:
        body_model: config of the body model that the meshes are of.

    Raises:
        ValueError: people without meshes.
    """

    def __init__(self, body_model):
        self.body_model = BODY_MODELS.build(body_model).thinned('smpl45')

    @torch.no_grad()
    def __call__(self, sample):
        people = sample.gt_instances
        if not has_people_with(sample, 'transl', 'JointsFromMeshes is for sets with meshes') and 'transl' not in people:
            return sample
        joints = self.body_model(people.pose, people.betas, people.transl).joints
        pixels = project(joints, sample.gt_camera.intrinsics)
        limits = torch.tensor(sample.img_shape[::-1])
        inside = ((pixels >= 0) & (pixels < limits)).all(-1)
        people.keypoints_3d, people.keypoints_2d = joints, pixels
        people.keypoints_3d_valid = torch.ones_like(inside)
        people.keypoints_2d_valid = inside & (joints[..., 2] > 0)
        sample.set_metainfo(dict(joint_set='smpl45'))
        return sample


@TRANSFORMS.register_module()
class KeepVisiblePeople:
    """Leave out people of whom the picture shows too little.

    Args:
        min_joints: fewest valid ``keypoints_2d`` of a person that stays.

    Raises:
        ValueError: people without ``keypoints_2d``.
    """

    def __init__(self, min_joints=4):
        self.min_joints = min_joints

    def __call__(self, sample):
        if not has_people_with(sample, 'keypoints_2d_valid', 'put JointsFromMeshes before KeepVisiblePeople'):
            return sample
        people = sample.gt_instances
        stay = people.keypoints_2d_valid.sum(-1) >= self.min_joints
        sample.gt_instances = people[stay]
        if 'gt_maps' in sample and 'id_map' in sample.gt_maps:
            # Person i has number i + 1 in the map.
            number = torch.cat([stay.new_zeros(1), stay]) * torch.cat([stay.new_zeros(1), stay]).cumsum(0)
            ids = sample.gt_maps.id_map
            sample.gt_maps.id_map = number[ids.long()].to(ids.dtype)
        return sample
