"""Initial meshes by our own network."""
import numpy as np
import torch

from mmhuman_dto.engine.model import init_model
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import HumanDataSample

from .base import MeshSource
from .optional import in_batches


@SOURCES.register_module()
class MetricHMRMeshes(MeshSource):
    """Everybody's mesh and the camera by a Metric-Aware HMR checkpoint, ours or a converted public one.

    Args:
        config, checkpoint, device: see :func:`mmhuman_dto.engine.model.init_model`.
        threshold: confidence above which a query is a person; None: the config's.
        batch_size: images that go through the network together.

    Raises:
        FileNotFoundError, CheckpointError: what is not there, or not of this network.
    """

    def __init__(self, config, checkpoint=None, threshold=None, batch_size=4, device=None):
        self.network = init_model(config, checkpoint, device)
        if threshold is not None:
            self.network.threshold = threshold
        self.batch_size = batch_size

    @property
    def body_model(self):
        return self.network.body_model

    def __call__(self, samples):
        return [found for batch in in_batches(samples, self.batch_size) for found in self._predict(batch)]

    @torch.no_grad()
    def _predict(self, samples):
        images = [torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1))) for sample in samples]
        blank = [HumanDataSample(metainfo=dict(img_id=sample.img_id, ori_shape=image.shape[1:],
                                               img_shape=image.shape[1:])) for sample, image in zip(samples, images)]
        found = self.network.test_step(dict(inputs=images, data_samples=blank))
        return [(sample.pred_instances, sample.pred_camera) for sample in found]
