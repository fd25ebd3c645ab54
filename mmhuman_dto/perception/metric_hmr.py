"""Initial meshes by our own network."""
import torch

from mmhuman_dto.engine.model import init_model
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import HumanDataSample

from .base import MeshSource, SourceError
from .optional import in_batches


@SOURCES.register_module()
class MetricHMRMeshes(MeshSource):
    """Everybody's mesh and the camera by a Metric-Aware HMR checkpoint, ours or a converted public one.

    Args:
        config, checkpoint, device: see :func:`mmhuman_dto.engine.model.init_model`.
        threshold: confidence above which a query is a person, 0..1; None: the config's.
        batch_size: images that go through the network together.

    Raises:
        FileNotFoundError, CheckpointError: what is not there, or not of this network.
        ValueError: a threshold that makes no sense. SourceError: a picture too narrow for the network.
    """

    def __init__(self, config, checkpoint=None, threshold=None, batch_size=4, device=None):
        if threshold is not None and not 0 <= threshold < 1:
            raise ValueError(f'threshold must be in [0, 1), is {threshold}')
        self.network = init_model(config, checkpoint, device)
        if threshold is not None:
            self.network.threshold = threshold
        self.batch_size = batch_size

    @property
    def body_model(self):
        return self.network.body_model

    @property
    def caveat(self):
        return self.network.caveat

    def __call__(self, samples):
        for sample in samples:
            self._check_shape(sample)
        return [found for batch in in_batches(samples, self.batch_size) for found in self._predict(batch)]

    def _check_shape(self, sample):
        (short, long), size = sorted(sample.image.shape[:2]), self.network.input_size
        if round(short * size / long) == 0:
            raise SourceError(f'{short} px of {long} px is too narrow for a network that sees {size} px')

    @torch.no_grad()
    def _predict(self, samples):
        images = [torch.from_numpy(sample.image.transpose(2, 0, 1).copy()) for sample in samples]
        blank = [HumanDataSample(metainfo=dict(img_id=sample.img_id, ori_shape=image.shape[1:],
                                               img_shape=image.shape[1:])) for sample, image in zip(samples, images)]
        found = self.network.test_step(dict(inputs=images, data_samples=blank))
        return [(sample.pred_instances, sample.pred_camera) for sample in found]
