"""Meshes from people's 2D joints by a lifting network, without a fit."""
import torch

from mmhuman_dto.engine.model import init_model
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import HumanDataSample

from .base import MeshSource
from .keypoint_fit import camera_of, detected

#: The lifting network that comes with the package.
DEFAULT_LIFTER = 'openbody_coco17'


@SOURCES.register_module()
class LiftedMeshes(MeshSource):
    """A body for each of ``detected_instances`` from its ``keypoints_2d``; row i is person i.

    The people also have ``keypoints_3d`` with ``keypoints_3d_std``, ``depths_std`` and ``heights_std``, m, and
    ``sizes_std``: how sure the network is, the focal length being right.

    Args:
        config, checkpoint, device: see :func:`mmhuman_dto.engine.model.init_model`.

    Raises:
        SourceError: a sample without ``detected_instances`` that have ``keypoints_2d``.
    """
    needs = ('detected_instances.keypoints_2d', )
    focal_source, per_detection = 'guess', True

    def __init__(self, config=DEFAULT_LIFTER, checkpoint=None, device=None):
        self.network = init_model(config, checkpoint, device)

    @property
    def body_model(self):
        return self.network.body_model

    @torch.no_grad()
    def __call__(self, samples):
        cameras, given = [camera_of(sample) for sample in samples], []
        for sample, camera in zip(samples, cameras):
            one = HumanDataSample(metainfo=dict(img_id=sample.img_id))
            one.detected_instances, one.pred_camera = detected(sample), camera
            given.append(one.to(self.body_model.faces.device))
        found = self.network(given, mode='predict')
        return [(sample.pred_instances.cpu(), camera) for sample, camera in zip(found, cameras)]
