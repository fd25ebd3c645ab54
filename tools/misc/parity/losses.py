"""Matching and losses against a ``losses_*.npz`` of the public release."""
import argparse
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import Targets

from ._figures import load, report

COSTS = dict(confs=dict(type='ConfidenceCost'), boxes=dict(type='BoxL1Cost'), giou=dict(type='GIoUCost'),
             j2ds=dict(type='KeypointCost'))
LOSSES = {
    'confs': 'ConfidenceLoss', 'poses': 'PoseLoss', 'betas': 'ShapeLoss', 'boxes': 'BoxLoss', 'giou': 'GIoULoss',
    'j3ds': 'Joints3DLoss', 'j2ds': 'Joints2DLoss', 'depths': 'InverseDepthLoss', 'depths_mt': 'RelativeMetricLoss',
    'depths_re': 'DepthOrderLoss', 'map_confs': 'ScaleMapConfidenceLoss', 'map_scales': 'ScaleMapLoss',
    'fov': 'FoVLoss',
}
LIMIT = 1e-4


def read_outputs(data):
    """``pred/*`` of the file as the network's outputs."""
    def tensors(prefix):
        return {key[len(prefix):]: torch.from_numpy(data[key]) for key in data
                if key.startswith(prefix) and '/' not in key[len(prefix):]}

    outputs = tensors('pred/')
    layers = {key.split('/')[1] for key in data if key.startswith('pred/aux')}
    earlier = [tensors(f'pred/{layer}/') for layer in sorted(layers, key=lambda name: int(name[3:]))]
    names = earlier[0] if earlier else [name for name in outputs if outputs[name].dim() > 2]
    return dict(outputs, layers={name: torch.stack([layer[name] for layer in (*earlier, outputs)]) for name in names})


def read_targets(data):
    """``target/*`` of the file as :class:`Targets`."""
    images = range(len({key.split('/')[1] for key in data if key.startswith('target/')}))

    def people(name):
        rows = [torch.from_numpy(data[f'target/{i}/{name}']) for i in images if f'target/{i}/{name}' in data]
        return torch.cat(rows) if rows else None

    def flags(name):
        return [bool(data[f'target/{i}/{name}']) for i in images]

    def focal(image):
        values = data.get(f'target/{image}/focals', np.zeros(0)).reshape(-1)
        return float(values[0]) if len(values) else float('nan')

    counts = [int(data[f'target/{i}/pnum']) for i in images]
    in_3d = torch.tensor(flags('3d_valid')).repeat_interleave(torch.tensor(counts))
    depth_ids, j3ds = people('depth_ids'), people('j3ds')
    return Targets(
        counts=counts, input_size=float(data['input_size']) if 'input_size' in data else 336.,
        j3ds=j3ds, j3ds_mask=torch.ones_like(j3ds, dtype=torch.bool),
        **{name: people(name) for name in ('boxes', 'poses', 'betas', 'j2ds', 'j2ds_mask', 'depths')},
        focals=torch.tensor([focal(i) for i in images]), fully_annotated=flags('detect_all_people'),
        known=dict.fromkeys(('poses', 'betas', 'j3ds', 'depths'), in_3d),
        labels={} if depth_ids is None else dict(depth_layers=depth_ids[:, 0]), scale_map=people('scale_map'),
        map_cells=[len(data.get(f'target/{i}/scale_map', ())) for i in images], map_known=flags('detect_all_people'))


def wrong_matches(data, criterion, predictions, targets):
    """Yield (which, pairs that differ, 0) for each layer whose pairs are in the file."""
    layers, _, queries = predictions['pred_confs'].shape[:3]
    first_person = np.cumsum([0, *targets.counts])
    names = [*(f'match/aux{i}/' for i in range(layers - 1)), 'match/']
    for name, query, person in zip(names, *criterion.assigner(predictions, targets)):
        if f'{name}0' in data:
            theirs = np.concatenate([data[f'{name}{image}'].T + (image * queries, first_person[image])
                                     for image in range(len(targets.counts))])
            pairs = set(zip(query.tolist(), person.tolist())) ^ set(map(tuple, theirs.tolist()))
            yield name, len(pairs), 0.


def differences(path):
    """Yield (what, relative difference, limit) for the matches and every loss of the file."""
    data = load(path)
    outputs = read_outputs(data)
    targets = read_targets(data)
    names = [key[5:] for key in data if key.startswith('loss/')]
    concepts = dict.fromkeys(name.split('.')[0] for name in names)
    criterion = SetCriterion(dict(type='HungarianAssigner', costs=COSTS),
                             {concept: dict(type=LOSSES[concept]) for concept in concepts})
    yield from wrong_matches(data, criterion, outputs['layers'], targets)
    ours = criterion(outputs, targets)
    for name in names:
        expected = float(data[f'loss/{name}'])
        value = float(ours.get(f'loss_{name}', 0.))
        yield f'loss/{name}', abs(value - expected) / max(abs(expected), 1e-3), LIMIT


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py losses', description=__doc__)
    parser.add_argument('file', type=Path, help='losses_*.npz')
    return report(differences(parser.parse_args(argv).file))
