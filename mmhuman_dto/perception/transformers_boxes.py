"""People found by object detection networks of ``transformers``, and what all that find people there share."""
import torch

from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People

from .base import PeopleSource
from .finding import MAX_IOU, MIN_SCORE, box_nms
from .optional import by_shape, class_index, load_transformers


class TransformersFinder(PeopleSource):
    """A network of ``transformers`` that finds people; subclasses name its ``auto_class`` and read its answers.

    Args:
        model: folder or name, see :func:`~.optional.load_transformers`.
        label: name of the class of people in the model's config.
        min_score: people below it are left out. max_iou: of boxes that overlap more, the best score stays.
        batch_size: images of one size that go through the network together.
        device, local_files_only: see :func:`~.optional.load_transformers`.

    Raises:
        ImportError, WeightsError: transformers or the model is not there, or the model knows no such class.
    """

    def __init__(self, model, label='person', min_score=MIN_SCORE, max_iou=MAX_IOU, batch_size=4, device=None,
                 local_files_only=False):
        self.processor, self.network = load_transformers(self.auto_class, model, device, local_files_only)
        self._check(model)
        self.label = class_index(self.network.config.id2label, [label.lower()], model)
        self.min_score, self.max_iou, self.batch_size = min_score, max_iou, batch_size

    def _check(self, model):
        """Raise :class:`WeightsError` for a model that cannot be used."""


@SOURCES.register_module()
class TransformersBoxes(TransformersFinder):
    """Any model that ``AutoModelForObjectDetection`` loads: RT-DETR, DETR, Deformable DETR, YOLOS, ...; boxes alone.

    Images are not padded: networks differ in what their boxes are relative to there.
    """
    auto_class = 'AutoModelForObjectDetection'

    def __call__(self, samples):
        inputs = [self.processor(sample.image, do_pad=False, return_tensors='pt').pixel_values[0] for sample in samples]
        found = [None] * len(samples)
        for indices in by_shape(inputs, self.batch_size):
            answers = self._predict(torch.stack([inputs[i] for i in indices]),
                                    [tuple(samples[i].ori_shape) for i in indices])
            for i, answer in zip(indices, answers):
                found[i] = self._people(answer)
        return found

    @torch.no_grad()
    def _predict(self, pixels, sizes):
        """Scores (N,), labels (N,) and boxes (N, 4) xyxy, px of images of ``sizes`` (H, W), one dictionary an image."""
        outputs = self.network(pixel_values=pixels.to(self.network.device))
        outputs.logits, outputs.pred_boxes = outputs.logits.float().cpu(), outputs.pred_boxes.float().cpu()
        return self.processor.post_process_object_detection(outputs, self.min_score, sizes)

    def _people(self, answer):
        ours = answer['labels'] == self.label
        boxes, scores = answer['boxes'][ours], answer['scores'][ours]
        kept = torch.from_numpy(box_nms(boxes.numpy(), scores.numpy(), self.max_iou))
        return People(bboxes=boxes[kept], scores=scores[kept])
