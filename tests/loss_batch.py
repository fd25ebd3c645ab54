"""Outputs of a network and targets, made up, for tests of losses."""
import torch
from parity.losses import COSTS, LOSSES

from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import Targets

ROWS = dict(confs=(1, ), boxes=(4, ), poses=(72, ), betas=(11, ), j3ds=(45, 3), j2ds=(45, 2), depths=(2, ))


def criterion(names=tuple(LOSSES)):
    return SetCriterion(dict(type='HungarianAssigner', costs=COSTS),
                        {name: dict(type=LOSSES[name]) for name in names})


def batch(counts, queries=8, layers=3, in_3d=True, dtype=torch.float32, fill=None, **changes):
    """Random outputs, which require gradients, and targets; or ``fill`` everywhere, ``changes`` for single ones."""
    gen, images, people = torch.Generator().manual_seed(0), len(counts), sum(counts)

    def values(name, *shape):
        value = changes.get(name, fill)
        return torch.rand(*shape, generator=gen) if value is None else torch.full(shape, value)

    outputs = {f'pred_{name}': values(f'pred_{name}', layers, images, queries, *row) for name, row in ROWS.items()}
    camera = torch.tensor([[300., 0, 168], [0, 300, 168], [0, 0, 1]]) + values('camera', images, 1, 3, 3)
    leaves = dict(outputs, scale_map=values('scale_map', images * 4, 2), pred_intrinsics=camera)
    leaves = {name: value.to(dtype).requires_grad_() for name, value in leaves.items()}
    rows = {name: values(name, people, *row) for name, row in ROWS.items() if name != 'confs'}
    if fill is None:
        rows.update(j2ds=rows['j2ds'] * 300, depths=rows['depths'] + 2)
    targets = Targets(
        counts=list(counts), **rows, j3ds_mask=torch.ones(people, 45, 3, dtype=torch.bool),
        j2ds_mask=values('visible', people, 45, 2) > .3, focals=values('focal', images), input_size=336.,
        fully_annotated=[True] * images, known={
            'depth_layers': torch.full((people, ), fill is None),
            **dict.fromkeys(('poses', 'betas', 'j3ds', 'depths'), torch.full((people, ), in_3d))},
        labels=dict(depth_layers=torch.arange(people) % 3 - 1), scale_map=(values('map', images * 4, 2) > .5).float(),
        map_cells=[4] * images, map_known=[True] * images)
    return dict(leaves, layers={name: leaves[name] for name in outputs}), targets
