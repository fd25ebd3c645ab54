"""Metric-Aware HMR on anything that holds pictures."""
import math
from itertools import islice
from pathlib import Path

import torch

from mmhuman_dto.engine.model import DEFAULT_MODEL, init_model
from mmhuman_dto.geometry import project
from mmhuman_dto.registry import SOURCES
from mmhuman_dto.stages.isolation import attempt, describe
from mmhuman_dto.structures import HumanDataSample

from .inputs import open_photos
from .result import Inference


class MetricHMRInferencer:
    """People of pictures, in metres, by one network.

    ::

        inferencer = MetricHMRInferencer('vit-tiny_synthetic-crowd')
        for result in inferencer(['a.jpg', 'folder', 'video.mp4']):
            print(result.img_id, result.error or result.sample.pred_instances.transl)

    Args:
        model: a :class:`~mmhuman_dto.models.detectors.MetricHMR`, or what :func:`init_model` takes as config.
        checkpoint, device: see :func:`init_model`; only where ``model`` is not a network already.
        batch_size: pictures that go through the network together.
        threshold: confidence above which somebody is reported, 0..1, set on the network; None: its own.
        focal: focal length in px of the original picture, or config of a :class:`~mmhuman_dto.perception.FocalSource`
            (``dict(type='ExifFocal')``), which replaces the network's own estimate where it is known; None: the
            network's.
        allow_urls: whether http(s) addresses of images are fetched.

    Raises:
        FileNotFoundError, CheckpointError: see :func:`init_model`.
        ValueError: a batch size, threshold or focal length that makes no sense.
    """

    def __init__(self, model=DEFAULT_MODEL, checkpoint=None, device=None, batch_size=4, threshold=None, focal=None,
                 allow_urls=False):
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, is {batch_size}')
        if threshold is not None and not 0 <= threshold < 1:
            raise ValueError(f'threshold must be in [0, 1), is {threshold}')
        self.model = init_model(model, checkpoint, device) if isinstance(model, (str, Path)) else model.eval()
        if threshold is not None:
            self.model.threshold = threshold
        self.batch_size, self.allow_urls = batch_size, allow_urls
        if focal is not None:
            focal = SOURCES.build(focal if isinstance(focal, dict) else dict(type='GivenFocal', focal=focal))
        self.focal = focal

    @property
    def body_model(self):
        return self.model.body_model

    def __call__(self, inputs):
        """Yield an :class:`Inference` for each picture in ``inputs``, in order; at most a batch is in memory.

        Args:
            inputs: see :func:`~mmhuman_dto.apis.inference.inputs.open_photos`.
        """
        for batch in self.batches(inputs):
            yield from batch

    def batches(self, inputs):
        """The same, as lists of up to ``batch_size``."""
        photos = open_photos(inputs, self.allow_urls)
        while batch := list(islice(photos, self.batch_size)):
            batch = [self._checked(photo) for photo in batch]
            readable = [photo for photo in batch if not photo.error]
            samples = iter(self._predict(readable))
            yield [Inference(photo.img_id, None, error=photo.error) if photo.error else _result(photo, next(samples))
                   for photo in batch]

    def _checked(self, photo):
        if photo.error:
            return photo
        (short, long), size = sorted(photo.image.shape[:2]), self.model.input_size
        if round(short * size / long) > 0:
            return photo
        return photo._replace(image=None, error=f'{photo.img_path or photo.img_id}: {short} px of {long} px is too '
                                                f'narrow for a network that sees {size} px')

    @torch.no_grad()
    def _predict(self, photos):
        """A sample for each photo, or the exception it caused alone."""
        samples = attempt(self._forward, photos)
        if isinstance(samples, Exception):
            samples = [one if isinstance(one, Exception) else one[0]
                       for one in (attempt(self._forward, [photo]) for photo in photos)]
        return samples

    def _forward(self, photos):
        if not photos:
            return []
        inputs = [torch.from_numpy(photo.image.transpose(2, 0, 1).copy()) for photo in photos]
        samples = self.model.test_step(dict(inputs=inputs, data_samples=[_sample_of(photo) for photo in photos]))
        samples = [sample.to('cpu') for sample in samples]
        focals = [math.nan] * len(samples) if self.focal is None else self.focal(samples)
        return [self._finish(sample, focal) for sample, focal in zip(samples, focals)]

    def _finish(self, sample, focal):
        if not math.isnan(focal):
            set_focal(sample, focal)
        people = sample.pred_instances
        people.heights = self.body_model.height(people.betas.to(self.body_model.faces.device)).cpu()
        sample.set_metainfo(dict(
            body_model=type(self.body_model).__name__, joint_set=self.model.joint_set,
            focal_source='network' if math.isnan(focal) else type(self.focal).__name__))
        return sample


def set_focal(sample, focal):
    """Replace the focal length of predictions, in place.

    The network says how large people appear: with another focal length they are proportionally farther away or nearer,
    as tall and as far from the optical axis as before; keypoints follow. ``focal``: px of the original image, for x and
    y.
    """
    people, intrinsics = sample.pred_instances, sample.pred_camera.intrinsics.clone()
    shift = people.transl * people.transl.new_tensor([0, 0, 1]) * (focal / intrinsics[1, 1] - 1)
    intrinsics[0, 0] = intrinsics[1, 1] = focal
    sample.pred_camera.intrinsics, people.transl = intrinsics, people.transl + shift
    if 'keypoints_3d' in people:
        people.keypoints_3d = people.keypoints_3d + shift[:, None]
        people.keypoints_2d = project(people.keypoints_3d, intrinsics)


def _sample_of(photo):
    size = photo.image.shape[:2]
    return HumanDataSample(metainfo=dict(
        img_id=photo.img_id, img_path=photo.img_path, ori_shape=size, img_shape=size))


def _result(photo, sample):
    if isinstance(sample, Exception):
        return Inference(photo.img_id, None, error=f'{photo.img_path or photo.img_id}: {describe(sample)}')
    return Inference(photo.img_id, photo.image, sample)
