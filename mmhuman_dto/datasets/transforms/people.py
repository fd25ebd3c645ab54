"""Joints of annotated meshes, and who is visible enough to be asked for."""
import torch

from mmhuman_dto.body_models.joint_sets import to_joint_set
from mmhuman_dto.fitting import MeshConversion
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import BODY_MODELS, TRANSFORMS

from .joints import has_people_with


@TRANSFORMS.register_module()
class JointsFromMeshes:
    """Joints of the annotated bodies: ``keypoints_3d`` (m, camera), ``keypoints_2d`` (px), and whether they are seen.

    A 2D joint is valid inside the picture and in front of the camera. Needs ``gt_instances`` (global_orient, body_pose,
    betas, transl), ``gt_camera.intrinsics`` and ``img_shape``; sets metainfo ``joint_set``. Where ``has_mesh`` says
    that people have none, theirs are the annotated ones.

    Args:
        body_model: config of the body model that the meshes are of.
        keep_meshes: False leaves the joints alone, for a network with another body model; those in 3D go too where the
            meshes are no targets in 3D (``has_3d`` False).

    Raises:
        ValueError: people without meshes, or with meshes of another body model.
    """

    def __init__(self, body_model, keep_meshes=True):
        self.body_model, self.keep_meshes = BODY_MODELS.build(body_model).thinned('smpl45'), keep_meshes

    @torch.no_grad()
    def __call__(self, sample):
        people = sample.gt_instances
        if not has_people_with(sample, 'transl', 'JointsFromMeshes is for sets with meshes') and 'transl' not in people:
            return sample
        self.body_model.check_meshes_of(sample.get('body_model'), sample.get('img_id', 'sample'))
        joints = self.body_model(people.pose, people.betas, people.transl).joints
        pixels = project(joints, sample.gt_camera.intrinsics)
        limits = torch.tensor(sample.img_shape[::-1])
        inside = ((pixels >= 0) & (pixels < limits)).all(-1)
        has_mesh = people.has_mesh.bool() if 'has_mesh' in people else inside.new_ones(len(people))
        for field, points, valid in (('keypoints_3d', joints, torch.ones_like(inside)),
                                     ('keypoints_2d', pixels, inside & (joints[..., 2] > 0))):
            if not has_mesh.all():
                points, valid = self._among_others(sample, field, points, valid, has_mesh)
            people.set_field(points, field)
            people.set_field(valid, f'{field}_valid')
        sample.set_metainfo(dict(joint_set='smpl45'))
        if not self.keep_meshes:
            unsure = () if sample.get('has_3d', True) else ('keypoints_3d', 'keypoints_3d_valid')
            for name in ('global_orient', 'body_pose', 'betas', 'transl', *unsure):
                delattr(people, name)
        return sample

    @staticmethod
    def _among_others(sample, field, points, valid, has_mesh):
        """Joints of the meshes, and the annotated ones of people without a mesh."""
        people = sample.gt_instances
        own, known = torch.zeros_like(points), torch.zeros_like(valid)
        if field in people:
            known = people[f'{field}_valid'].bool() & people[field].isfinite().all(-1)
            own, known = to_joint_set(people[field].to(points), known, sample.joint_set, 'smpl45')
        return (torch.where(has_mesh.view(-1, *[1] * (ours.dim() - 1)), ours, other)
                for ours, other in ((points, own), (valid, known)))


@TRANSFORMS.register_module()
class ConvertMeshes:
    """People of one body model as people of another: same pose, pelvis and, where the other has it, height; see
    :class:`mmhuman_dto.fitting.MeshConversion`. Put it first, before JointsFromMeshes.

    Needs ``gt_instances`` (global_orient, body_pose, betas, transl); sets ``betas``, ``transl`` and metainfo
    ``body_model``.

    Args:
        meshes_of: config of the body model that the meshes are of, with its files.
        body_model: config of the one that they become.

    Raises:
        BodyModelError: meshes of another body model than ``meshes_of``.
    """

    def __init__(self, meshes_of, body_model):
        self.convert = MeshConversion(BODY_MODELS.build(meshes_of), BODY_MODELS.build(body_model))

    def __call__(self, sample):
        found = has_people_with(sample, 'transl', 'ConvertMeshes is for sets with meshes')
        if not found and 'transl' not in sample.gt_instances:
            return sample
        self.convert.source.check_meshes_of(sample.get('body_model'), sample.get('img_id', 'sample'))
        sample.gt_instances = self.convert(sample.gt_instances)
        sample.set_metainfo(dict(body_model=type(self.convert.target).__name__))
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
