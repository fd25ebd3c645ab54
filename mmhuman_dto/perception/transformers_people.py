"""People found by instance segmentation networks of ``transformers``."""
import numpy as np
import torch
from torch.nn.functional import interpolate

from mmhuman_dto.registry import SOURCES
from mmhuman_dto.structures import People

from .finding import box_nms
from .optional import WeightsError, by_shape
from .transformers_boxes import TransformersFinder


@SOURCES.register_module()
class TransformersPeople(TransformersFinder):
    """Any model that ``AutoModelForUniversalSegmentation`` loads and that answers with queries: Mask2Former,
    MaskFormer, DETR with masks, ...

    A person's score is the probability of its class times the mean probability of the pixels of its mask.

    Raises:
        WeightsError: besides what :class:`TransformersFinder` raises: it pads images without saying where (EoMT).
    """
    auto_class = 'AutoModelForUniversalSegmentation'

    def _check(self, model):
        if 'pixel_mask' not in self.processor(np.zeros((32, 48, 3), np.uint8)):
            raise WeightsError(f'{model}: its image processor does not say where it pads (pixel_mask), so that masks '
                               'could not be brought back to the image; Mask2Former, MaskFormer and DETR say so')

    def __call__(self, samples):
        inputs = [self.processor(sample.image, return_tensors='pt') for sample in samples]
        found = [None] * len(samples)
        for indices in by_shape([one['pixel_values'] for one in inputs], self.batch_size):
            outputs = self._predict([inputs[i] for i in indices])
            for i, logits, masks in zip(indices, *outputs):
                probs, masks = query_masks(logits, masks, self.label, self.min_score, _content(inputs[i]),
                                           samples[i].ori_shape, inputs[i]['pixel_values'].shape[-2:])
                found[i] = to_people(probs, masks, self.max_iou)
        return found

    @torch.no_grad()
    def _predict(self, inputs):
        """Logits of classes (B, Q, C + 1) and of masks (B, Q, h, w)."""
        outputs = self.network(**{name: torch.cat([one[name] for one in inputs]).to(self.network.device)
                                  for name in ('pixel_values', 'pixel_mask')})
        if 'masks_queries_logits' in outputs:
            return outputs.class_queries_logits.float(), outputs.masks_queries_logits.float()
        return outputs.logits.float(), outputs.pred_masks.float()


def _content(inputs):
    """Height and width, px, of the network's input without padding."""
    mask = inputs['pixel_mask'][0] > 0
    return int(mask.any(1).sum()), int(mask.any(0).sum())


def query_masks(class_logits, mask_logits, label, min_score, content, size, padded):
    """Scores (N,) and masks (N, H, W) bool of the queries that show a class.

    Args:
        class_logits: (Q, C + 1), the last class is nothing. mask_logits: (Q, h, w) of the padded input.
        label: the class. min_score: queries below it are left out.
        content, padded: (h, w) of the network's input without and with padding at the right and bottom, px.
        size: (H, W) of the image, px.
    """
    probs = class_logits.softmax(-1)[:, label]
    queries = (probs >= min_score).nonzero()[:, 0]
    probs, logits = probs[queries], mask_logits[queries]
    if not len(queries):
        return probs, logits.new_zeros(0, *size, dtype=torch.bool)
    logits = interpolate(logits[None], tuple(padded), mode='bilinear')[0, :, :content[0], :content[1]]
    masks, sharpness = map(torch.stack, zip(*(_full_size(one, size) for one in logits)))
    scores = probs * sharpness
    kept = (scores >= min_score) & masks.any(2).any(1)
    return scores[kept], masks[kept]


def _full_size(logits, size):
    """Mask (H, W) bool of logits (h, w), and its pixels' mean probability; one at a time, for photos are large."""
    logits = interpolate(logits[None, None], tuple(size), mode='bilinear')[0, 0]
    mask = logits > 0
    return mask, (logits.sigmoid() * mask).sum() / mask.sum().clamp(min=1)


def to_people(scores, masks, max_iou):
    """:class:`People` with ``bboxes`` of the masks, ``scores`` and ``masks``, on the CPU, best first, each once."""
    boxes = mask_boxes(masks).cpu()
    scores, masks = scores.cpu(), masks.cpu()
    kept = torch.from_numpy(box_nms(boxes.numpy(), scores.numpy(), max_iou))
    return People(bboxes=boxes[kept], scores=scores[kept], masks=masks[kept])


def mask_boxes(masks):
    """Boxes (N, 4) xyxy, px, float32, around masks (N, H, W) none of which is empty."""
    edges = []
    for axis, side in ((1, masks.shape[2]), (2, masks.shape[1])):
        shown = masks.any(axis)
        position = torch.arange(side, device=masks.device)
        edges += [torch.where(shown, position, side).amin(1), torch.where(shown, position + 1, 0).amax(1)]
    return torch.stack([edges[i] for i in (0, 2, 1, 3)], 1).float()
