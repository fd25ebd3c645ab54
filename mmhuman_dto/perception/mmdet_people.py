"""People found by instance segmentation networks of mmdet."""
import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate

from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People

from .base import PeopleSource
from .finding import MAX_IOU, MIN_SCORE, box_nms
from .openmmlab import load_openmmlab, scope
from .optional import in_batches


@SOURCES.register_module()
class MMDetPeople(PeopleSource):
    """RTMDet-Ins, Mask R-CNN, Cascade Mask R-CNN with ResNet or ViTDet, and other mmdet models that give masks.

    Args:
        config: an mmdet config file, or its path below mmdet's own, ``'rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py'``.
        checkpoint: its weights, a file.
        label: index of the class of people; 0 for models trained on COCO.
        min_score: people below it are left out. max_iou: of boxes that overlap more, the best score stays.
        batch_size: images that go through the network together.
        device: None is a GPU where there is one.

    Raises:
        ImportError, WeightsError, CheckpointError: see :func:`~.openmmlab.load_openmmlab`.
    """

    def __init__(self, config, checkpoint, label=0, min_score=MIN_SCORE, max_iou=MAX_IOU, batch_size=4, device=None):
        self.network, config = load_openmmlab('mmdet', config, checkpoint, device)
        with scope('mmdet'):
            self.pipeline = Compose(_without_files(config.test_dataloader.dataset.pipeline))
        self.label, self.min_score, self.max_iou, self.batch_size = label, min_score, max_iou, batch_size

    def __call__(self, samples):
        return [self._people(found.pred_instances, sample) for batch in in_batches(samples, self.batch_size)
                for found, sample in zip(self._predict([sample.image for sample in batch]), batch)]

    @torch.no_grad()
    def _predict(self, images):
        with scope('mmdet'):
            data = [self.pipeline(dict(img=np.ascontiguousarray(image[..., ::-1]), img_id=i))
                    for i, image in enumerate(images)]
            return self.network.test_step(pseudo_collate(data))

    def _people(self, found, sample):
        found = found[(found.labels == self.label) & (found.scores >= self.min_score)]
        # mmdet gives masks of nobody another size.
        masks = found.masks.cpu() if len(found) else torch.zeros(0, *sample.ori_shape, dtype=torch.bool)
        boxes, scores = found.bboxes.float().cpu(), found.scores.float().cpu()
        kept = torch.from_numpy(box_nms(boxes.numpy(), scores.numpy(), self.max_iou))
        return People(bboxes=boxes[kept], scores=scores[kept], masks=masks[kept].bool())


def _without_files(pipeline):
    """A test pipeline for pictures in memory: no file is read, nor annotations."""
    steps = [step for step in pipeline if step['type'].split('.')[-1] not in ('LoadImageFromFile', 'LoadAnnotations')]
    return [dict(type='mmdet.LoadImageFromNDArray'), *steps]
