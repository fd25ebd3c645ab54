"""Metric-Aware HMR the plain way: what ``bench_model.py`` compares with. Same weights, same outputs, more work.

* Attention over the whole batch, sequences padded to the longest or masked in one long one, all layers on the padding.
* The body model is run for each decoder layer and image apart, and always makes full meshes.
* Pairs and losses are found layer by layer; each image's costs and each loss's count are fetched by themselves.

The classes take the arguments of those they replace and have parameters of the same names.
"""
import dataclasses

import torch
from mmengine.dist import all_reduce
from scipy.optimize import linear_sum_assignment
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.rnn import pad_sequence

from mmhuman_dto.models.backbones import ScaleAdaptiveViT
from mmhuman_dto.models.backbones.vit import Attention, pick
from mmhuman_dto.models.detectors import MetricHMR
from mmhuman_dto.models.layers import BoxQueryDecoder
from mmhuman_dto.models.layers.decoder_layer import MemoryCrossAttention
from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import HungarianAssigner
from mmhuman_dto.models.task_modules.matched import Matched


class Padded:
    """Sequences as a batch, each padded to the longest."""

    @staticmethod
    def join(x, lens):
        """(T, C) -> (B, longest, C)."""
        return pad_sequence(x.split(lens), batch_first=True)

    @staticmethod
    def separate(x, lens):
        """Back to (T, C)."""
        return torch.cat([row[:n] for row, n in zip(x, lens)])

    @staticmethod
    def mask(q_lens, k_lens, device):
        """(B, 1, 1, longest key), true at keys that are not padding."""
        lens = torch.tensor(k_lens, device=device)
        return (torch.arange(max(k_lens), device=device) < lens[:, None])[:, None, None]


class Masked:
    """All sequences one after the other in a single one; a mask keeps them apart."""

    @staticmethod
    def join(x, lens):
        """(T, C) -> (1, T, C)."""
        return x[None]

    @staticmethod
    def separate(x, lens):
        """Back to (T, C)."""
        return x[0]

    @staticmethod
    def mask(q_lens, k_lens, device):
        """(1, 1, Tq, Tk), true where query and key are of the same sequence."""
        q, k = (torch.repeat_interleave(torch.arange(len(n)), torch.tensor(n)).to(device) for n in (q_lens, k_lens))
        return (q[:, None] == k)[None, None]


LAYOUTS = {'padded': Padded, 'masked': Masked}


def attend(q, k, v, mask):
    """Multi-head attention of q (B, Q, H, D) to k, v (B, K, H, D) -> (B, Q, H * D)."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    return scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)


class PlainAttention(Attention):
    """Self attention of a batch (B, L, C) under a mask."""

    def forward(self, x, mask):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).unbind(2)
        return self.proj(attend(q, k, v, mask))


class PlainCrossAttention(MemoryCrossAttention):
    """Cross attention to a joined memory; keys and values are made of the padding too."""

    layout = Padded

    def forward(self, x, position, sine, memory, memory_position, packings):
        lens = [packing.lens for packing in packings]
        queries = (self.layout.join(part.flatten(0, 1), lens[0]) for part in (x, position, sine))
        memory, memory_position = (self.layout.join(part, lens[1]) for part in (memory, memory_position))
        content, position, sine = queries
        q, k, k_position = self.query_content(content), self.key_content(memory), self.key_position(memory_position)
        if self.query_position is not None:
            q, k = q + self.query_position(position), k + k_position
        out = attend(self._heads(q, self.query_sine(sine)), self._heads(k, k_position),
                     self._heads(self.value(memory)), self.layout.mask(*lens, x.device))
        return self.layout.separate(self.out(out), lens[0]).view_as(x)


class PlainScaleAdaptiveViT(ScaleAdaptiveViT):
    """Encoder over joined sequences.

    Args:
        layout: ``'padded'`` or ``'masked'``; the others are those of :class:`ScaleAdaptiveViT`.
    """

    def __init__(self, *args, layout='padded', **kwargs):
        super().__init__(*args, **kwargs)
        self.layout = LAYOUTS[layout]
        for block in (*self.blocks, *self.additional_blocks):
            block.attn = PlainAttention(self.embed_dims, block.attn.num_heads)

    def _run(self, blocks, camera, *parts):
        image = torch.cat([torch.arange(len(camera)), *(part[1] for part in parts)])
        order = image.argsort(stable=True)
        lens = image.bincount(minlength=len(camera)).tolist()
        x = self.layout.join(pick(torch.cat([camera, *(part[0] for part in parts)]), order), lens)
        mask = self.layout.mask(lens, lens, x.device)
        for block in blocks:
            x = block(x, mask)
        x = self.layout.separate(x, lens)
        is_camera = order < len(camera)
        at_camera, at_token = (m.nonzero()[:, 0] for m in (is_camera, ~is_camera))
        return pick(x, at_camera), pick(x, at_token), image[order][at_token], order[at_token] - len(camera)


class PlainDecoder(BoxQueryDecoder):
    """Decoder with cross attention to a joined memory; ``layout`` as of :class:`PlainScaleAdaptiveViT`."""

    def __init__(self, *args, layout='padded', **kwargs):
        super().__init__(*args, **kwargs)
        for i, layer in enumerate(self.layers):
            layer.cross_attn = PlainCrossAttention(self.dims, layer.cross_attn.num_heads, i == 0)
            layer.cross_attn.layout = LAYOUTS[layout]


class PlainMetricHMR(MetricHMR):
    """Network that runs the whole body model for each layer and image."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.joint_model = self.body_model

    def _layers(self, raw, boxes, intrinsics):
        layers = [self._layer({name: part[i, None] for name, part in raw.items()}, boxes[i, None], intrinsics)
                  for i in range(len(boxes))]
        return {name: torch.cat([layer[name] for layer in layers]) for name in layers[0]}

    def _layer(self, raw, boxes, intrinsics):
        images = [super(PlainMetricHMR, self)._layers(
            {name: part[:, i, None] for name, part in raw.items()}, boxes[:, i, None], intrinsics[i, None])
            for i in range(len(intrinsics))]
        return {name: torch.cat([image[name] for image in images], 1) for name in images[0]}


class PlainAssigner(HungarianAssigner):
    """Pairs of each layer and image apart, the costs fetched for each."""

    @torch.no_grad()
    def forward(self, pred, targets):
        queries, pairs, start = pred['pred_confs'].shape[2], [], 0
        for image, count in enumerate(targets.counts):
            people = slice(start, start + count)
            one = dataclasses.replace(
                targets, counts=[count], boxes=targets.boxes[people], j2ds=targets.j2ds[people],
                j2ds_mask=targets.j2ds_mask[people], known={name: who[people] for name, who in targets.known.items()})
            of_person = {name: pred[name][:1, image, None].float().expand(-1, count, *[-1] * (pred[name].dim() - 2))
                         for cost in self.costs.values() for name in cost.predictions}
            cost = sum(cost(of_person, one) for cost in self.costs.values())[0].cpu()
            query, person = map(torch.from_numpy, linear_sum_assignment(cost.T))
            pairs.append(torch.stack([query + image * queries, person + start]))
            start += count
        return torch.cat(pairs, 1)[:, None].unbind()


class PlainCriterion(SetCriterion):
    """Losses of one layer after the other."""

    def forward(self, outputs, targets, noisy=None):
        logged, layers = {}, len(outputs['layers']['pred_confs'])
        for i in range(layers):
            layer = dict(outputs, **{name: value[i, None] for name, value in outputs['layers'].items()})
            matched = Matched(layer, targets, *self.assigner(layer, targets), targets.fully_annotated)
            last = i == layers - 1
            for name, loss in self.losses.items():
                if last or not loss.once:
                    total, count = loss(matched)
                    count = torch.as_tensor(count, dtype=torch.float32, device=total.device).reshape(-1)
                    all_reduce(count, 'mean')
                    value = loss.weight * total.sum() / max(count.item(), 1)
                    logged[f'loss_{name}' + ('' if last else f'.{i}')] = value
        return logged
