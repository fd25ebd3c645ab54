"""Scenes as the samples that flow through the rest of the package."""
import numpy as np
import torch

from mmhuman_dto.geometry import fov_from_focal
from mmhuman_dto.structures import Camera, HumanDataSample, Maps, People

from .corruption import NetworkErrors, ages_and_sexes, disparity, initial_meshes

#: People nearer to each other than this along z, m, are on one depth layer.
LAYER_GAP = .3


def truth_sample(scene, img_id):
    """The exact people and camera of a scene as the ``pred_instances`` and ``pred_camera`` of a sample."""
    people = People(**_parameters(scene.pose, scene.betas, scene.transl), heights=_tensor(scene.heights),
                    ages=_tensor(scene.ages), male_probs=_tensor(scene.male))
    sample = HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=scene.size))
    sample.pred_instances, sample.pred_camera = people, Camera(intrinsics=_tensor(scene.intrinsics))
    return sample


def dto_sample(scene, picture, img_id, body_model, errors=None, draw=None):
    """What DTO starts from: initial meshes, ages, P(male), disparity and id map, as ``pred_*``.

    Args:
        errors: :class:`NetworkErrors`, default all of them at their defaults.
        draw: what they are drawn with (see ``corruption.fresh``), of the scene's own numbers if None.
    """
    errors = errors or NetworkErrors()
    meshes = initial_meshes(scene, body_model, errors.initial, draw)
    years, male_probs = ages_and_sexes(scene, errors.ages, draw)
    sample = HumanDataSample(metainfo=dict(img_id=img_id, ori_shape=scene.size))
    sample.pred_instances = People(**_parameters(meshes.pose, meshes.betas, meshes.transl), ages=_tensor(years),
                                   male_probs=_tensor(male_probs))
    sample.pred_camera = Camera(intrinsics=_tensor(meshes.intrinsics))
    sample.pred_maps = Maps(disparity=torch.as_tensor(disparity(scene, picture, errors.disparity, draw)),
                            id_map=torch.as_tensor(picture.id_map))
    return sample


def scene_record(scene, picture):
    """Everything a training sample needs of a scene as plain arrays, which can be kept in a file."""
    pixels, size = scene.project(scene.joints), np.array(scene.size[::-1])
    mesh = scene.project(scene.vertices)
    floats = dict(
        bboxes=np.concatenate([mesh.min(1), mesh.max(1)], -1).clip(0, np.tile(size, 2)),
        keypoints_2d=pixels, keypoints_3d=scene.joints,
        global_orient=scene.pose[:, 0], body_pose=scene.pose[:, 1:], betas=scene.betas, transl=scene.transl,
        heights=scene.heights, ages=scene.ages, male_probs=scene.male,
        intrinsics=scene.intrinsics, depth=picture.depth)
    return dict(
        {name: np.asarray(value, np.float32) for name, value in floats.items()}, image=picture.image,
        keypoints_2d_valid=((pixels >= 0) & (pixels < size)).all(-1),
        keypoints_3d_valid=np.ones(pixels.shape[:2], bool),
        depth_layers=_depth_layers(scene.joints[:, 0, 2]), id_map=picture.id_map.astype(np.uint8))


def sample_of(record, metainfo):
    """The :class:`HumanDataSample` of a :func:`scene_record`, with ``metainfo`` besides the shapes."""
    height, width = record['image'].shape[:2]
    tensors = {name: torch.as_tensor(value) for name, value in record.items() if name != 'image'}
    camera = {'intrinsics': tensors.pop('intrinsics')}
    camera['fov'] = fov_from_focal(camera['intrinsics'][1, 1], height)
    maps = Maps(depth=tensors.pop('depth'), id_map=tensors.pop('id_map').int())
    sample = HumanDataSample(metainfo=dict(metainfo, ori_shape=(height, width), img_shape=(height, width)))
    sample.image = record['image']
    sample.gt_instances, sample.gt_camera, sample.gt_maps = People(**tensors), Camera(**camera), maps
    return sample


def _parameters(pose, betas, transl):
    pose = _tensor(pose)
    return dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=_tensor(betas), transl=_tensor(transl))


def _depth_layers(z):
    """Order of people by z (N) m, 0 nearest; a new layer starts where sorted depths jump by :data:`LAYER_GAP`."""
    order = np.argsort(z)
    layers = np.empty(len(z), np.int64)
    layers[order] = np.concatenate([[0], np.cumsum(np.diff(z[order]) >= LAYER_GAP)])
    return layers


def _tensor(value):
    return torch.as_tensor(np.asarray(value), dtype=torch.float32)
