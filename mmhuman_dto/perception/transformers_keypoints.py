"""2D joints by ViTPose of ``transformers``."""
import numpy as np
import torch

from mmhuman_dto.registry import SOURCES

from .base import KeypointSource
from .crops import keypoints_by_image, person_view
from .optional import WeightsError, load_transformers

#: COCO's expert among those of ViTPose++.
_COCO = 0


@SOURCES.register_module()
class TransformersKeypoints(KeypointSource):
    """ViTPose and ViTPose++ (``VitPoseForPoseEstimation``): COCO's 17 joints of each person that was found.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        masked: show the network the pixels of the person's mask only, as DTO-Humans was made (arXiv 2511.13282).
        batch_size: people that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there, or it predicts other joints.
    """

    def __init__(self, model, masked=True, batch_size=32, device=None, local_files_only=False):
        self.processor, self.network = load_transformers('VitPoseForPoseEstimation', model, device, local_files_only)
        config = self.network.config
        if config.num_labels != 17:
            raise WeightsError(f'{model}: predicts {config.num_labels} joints, expected the 17 of COCO')
        self.experts = config.backbone_config.num_experts > 1
        self.masked, self.batch_size = masked, batch_size

    def __call__(self, samples):
        people = [(i, j) for i, sample in enumerate(samples) for j in range(len(sample.detected_instances))]
        poses = []
        for start in range(0, len(people), self.batch_size):
            batch = people[start:start + self.batch_size]
            poses += self._predict([samples[i] for i, _ in batch], [j for _, j in batch])
        return keypoints_by_image(samples, poses)

    @torch.no_grad()
    def _predict(self, samples, rows):
        """A (17, 3) array x, y, score for each row of each sample."""
        views, boxes, offsets = [], [], []
        for sample, row in zip(samples, rows):
            found = sample.detected_instances
            box = found.bboxes[row].numpy()
            view, offset = person_view(sample.image, box, found.masks[row].numpy() if self.masked else None)
            x0, y0, x1, y1 = box - np.tile(offset, 2)
            views.append(view)
            boxes.append([[x0, y0, x1 - x0, y1 - y0]])
            offsets.append(offset)
        pixels = self.processor(views, boxes=boxes, return_tensors='pt').pixel_values.to(self.network.device)
        expert = dict(dataset_index=torch.full((len(pixels), ), _COCO, device=pixels.device)) if self.experts else {}
        outputs = self.network(pixel_values=pixels, **expert)
        outputs.heatmaps = outputs.heatmaps.float()
        poses = self.processor.post_process_pose_estimation(outputs, boxes=boxes)
        # Its joints count from the centre of the first pixel.
        return [np.concatenate([pose['keypoints'].numpy() + offset + .5, pose['scores'].numpy().reshape(-1, 1)], 1)
                for (pose, ), offset in zip(poses, offsets)]
