"""MoveNet as a frozen encoder: tokens of its features, and the people it finds."""
import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.movenet import MULTIPLE, MoveNetMaps, published_movenet
from mmhuman_dto.movenet.features import CHANNELS, MoveNetFeatures
from mmhuman_dto.movenet.people import Look, choose, decode
from mmhuman_dto.registry import MODELS
from mmhuman_dto.structures.fields import SEEN_SCORE

from ..layers.found_people import FoundPeople, joint_box
from ..layers.packed_attention import Packing
from ..layers.person_encoder import LARGEST, PersonEncoder
from ..layers.position import point_encoding
from .vit import Block, PackedTokens


@MODELS.register_module()
class MoveNetBackbone(BaseModule):
    """Encoder whose eyes are MoveNet's (:mod:`mmhuman_dto.movenet`), published weights that stay as they are.

    Its features become tokens, by layers that are trained; who it finds becomes ``tokens.people``, which the decoder's
    queries start from. It knows photographs, so people are found in them also where the rest has seen rendered ones
    only. It takes pixels as they are, RGB 0..255: ``data_preprocessor=dict(mean=(0, 0, 0), std=(1, 1, 1),
    pad_multiple=32)``. The host waits for the device once, to learn who is there.

    Args:
        input_size: long side of the images, px.
        dims, depth, num_heads: of the layers that are trained, after MoveNet.
        stride: px that a token covers, in x and in y.
        num_people: people found in an image, the surest ones.
        min_mean: least mean score of a person's joints.
        person: arguments of :class:`PersonEncoder` that differ from its defaults.
        keep: pictures of a training whose features stay in memory, some 250 kB each: of those that come again MoveNet
            is not asked again. 0: none, as where no picture comes again, being turned or scaled anew each time.
        init_cfg: MMEngine's.
    """

    def __init__(self, input_size=512, dims=192, depth=2, num_heads=6, stride=32, num_people=24, min_mean=.2,
                 person=None, keep=0, init_cfg=None):
        super().__init__(init_cfg)
        self.input_size, self.embed_dims, self.stride = input_size, dims, stride
        self.num_people, self.min_mean = num_people, min_mean
        self.keep, self._kept = keep, {}
        self.movenet, self.features = published_movenet(), MoveNetFeatures()
        self.token_embed = nn.Linear(CHANNELS, dims)
        self.camera_token = nn.Parameter(torch.randn(1, dims) * .02)
        self.blocks = nn.ModuleList(Block(dims, num_heads, layer_scale=1.) for _ in range(depth))
        self.norm = nn.LayerNorm(dims, eps=1e-6)
        self.person = PersonEncoder(CHANNELS, dims, **(person or {}))

    def forward(self, images):
        """:class:`PackedTokens` with ``people`` of B images (3, H, W) RGB 0..255, sides multiples of 32 px."""
        looks = self._look(images)
        tokens = self._tokens([grid for _, grid, _ in looks])
        tokens.people = self._people([found for found, _, _ in looks], [at for _, _, at in looks],
                                     [image.shape[1:] for image in images], images[0].device)
        return tokens

    @torch.no_grad()
    def _look(self, images):
        """People (joints, scores), grid (h, w, C) and features at the joints of each image; those of one size go
        together."""
        kept = self.training and self.keep > 0
        keys = [hash(image.cpu().numpy().tobytes()) if kept else None for image in images]
        looks = [self._kept.get(key) for key in keys]
        for shape in {image.shape for image, look in zip(images, looks) if look is None}:
            if shape[1] % MULTIPLE or shape[2] % MULTIPLE:
                raise ValueError(f'an image is {shape[1]} x {shape[2]} px, MoveNetBackbone takes sides that are '
                                 f'multiples of {MULTIPLE}: data_preprocessor=dict(pad_multiple={MULTIPLE})')
            index = [i for i, image in enumerate(images) if image.shape == shape and looks[i] is None]
            maps, features = self.movenet.look(torch.stack([images[i] for i in index]))
            maps, grid = MoveNetMaps(*map(at_least_single, maps)), self.features.grid(features, self.stride)
            for row, i in enumerate(index):
                joints, scores = self._find(maps, row)
                points = joints.flatten(0, 1)
                at = self.features.at(features, torch.full((len(points), ), row, device=points.device), points)
                looks[i] = (joints, scores), grid[row].half(), at.unflatten(0, joints.shape[:2]).half()
                if kept and len(self._kept) < self.keep:
                    self._kept[keys[i]] = looks[i]
        return looks

    def _find(self, maps, row):
        """Joints (N, 17, 2), px, and scores (N, 17) of who is in an image, surest first."""
        joints, scores = (value.cpu().numpy() for value in decode(maps, row))
        found = choose([Look(joints, scores, 1.)], self.min_mean)
        return [torch.from_numpy(value[:self.num_people]).to(maps.heat) for value in found]

    def _tokens(self, grids):
        """Grids (h, w, C) of features -> :class:`PackedTokens`."""
        device, lens = grids[0].device, [grid[..., 0].numel() for grid in grids]
        cells = torch.cat([torch.cartesian_prod(*map(torch.arange, grid.shape[:2])) for grid in grids]).to(device)
        centers = (cells.flip(-1) + .5) * self.stride / self.input_size
        x = self.token_embed(torch.cat([grid.flatten(0, 1).float() for grid in grids]).clamp(-LARGEST, LARGEST))
        x = x + point_encoding(centers, self.embed_dims)
        x = torch.cat([part for own in x.split(lens) for part in (self.camera_token, own)])
        packing = Packing([length + 1 for length in lens])
        for block in self.blocks:
            x = block(x, packing)
        parts = self.norm(x).split(packing.lens)
        return PackedTokens(torch.cat([part[1:] for part in parts]), Packing(lens), torch.zeros_like(cells[:, 0]),
                            cells, centers, torch.stack([part[0] for part in parts]))

    def _people(self, found, features, sizes, device):
        """:class:`FoundPeople` of all images."""
        counts = [len(joints) for joints, _ in found]
        joints, scores = (torch.cat(values) for values in zip(*found))
        limits = torch.tensor([tuple(size) for size in sizes], dtype=joints.dtype).flip(-1)
        limits = limits.repeat_interleave(torch.tensor(counts), 0).to(device, non_blocking=True)
        seen = scores >= SEEN_SCORE
        boxes = joint_box(joints, seen, limits) / self.input_size
        features = torch.cat([at.float() for at in features])
        contents = self.person(joints / self.input_size, scores, seen, features, boxes, limits / 2 / self.input_size)
        mean = (scores * seen).sum(1) / seen.sum(1).clamp(min=1)
        values = contents, boxes, joints / self.input_size, scores, mean
        contents, boxes, joints, scores, mean = (self._slots(value, counts) for value in values)
        known = self._slots(torch.ones_like(values[-1]), counts) > 0
        return FoundPeople(contents, torch.where(known[..., None], boxes, .5), joints, scores, mean, known)

    def _slots(self, values, counts):
        """Values (T, ...) of all images' people -> (B, ``num_people``, ...), 0 where nobody is."""
        filler = values.new_zeros(self.num_people, *values.shape[1:])
        return pad_sequence([filler, *values.split(counts)], batch_first=True)[1:]
