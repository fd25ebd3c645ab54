"""Matching and losses against a ``losses_*.npz`` of the public release."""
import argparse
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.task_modules import Targets

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
        return {key[len(prefix):]: torch.from_numpy(data[key]) for key in data.files
                if key.startswith(prefix) and '/' not in key[len(prefix):]}

    outputs = tensors('pred/')
    layers = {key.split('/')[1] for key in data.files if key.startswith('pred/aux')}
    earlier = [tensors(f'pred/{layer}/') for layer in sorted(layers, key=lambda name: int(name[3:]))]
    names = earlier[0] if earlier else [name for name in outputs if outputs[name].dim() > 2]
    return dict(outputs, layers={name: torch.stack([layer[name] for layer in (*earlier, outputs)]) for name in names})


def read_targets(data, input_size):
    """``target/*`` of the file as :class:`Targets`."""
    images = range(len({key.split('/')[1] for key in data.files if key.startswith('target/')}))

    def people(name):
        rows = [torch.from_numpy(data[f'target/{i}/{name}']) for i in images if f'target/{i}/{name}' in data.files]
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
        counts=counts, input_size=input_size, j3ds=j3ds, j3ds_mask=torch.ones_like(j3ds, dtype=torch.bool),
        **{name: people(name) for name in ('boxes', 'poses', 'betas', 'j2ds', 'j2ds_mask', 'depths')},
        focals=torch.tensor([focal(i) for i in images]), detect_all=flags('detect_all_people'),
        known=dict.fromkeys(('poses', 'betas', 'j3ds', 'depths'), in_3d),
        labels={} if depth_ids is None else dict(depth_layers=depth_ids[:, 0]), scale_map=people('scale_map'),
        map_cells=[len(data.get(f'target/{i}/scale_map', ())) for i in images], map_known=flags('detect_all_people'))


def same_matches(data, criterion, outputs, targets):
    """Whether the last layer pairs as the file's ``match/{image}`` do."""
    query, person = criterion.assigner(outputs['layers'], targets)
    queries, start = outputs['pred_confs'].shape[1], 0
    ours, theirs = set(zip(query[-1].tolist(), person[-1].tolist())), set()
    for image, count in enumerate(targets.counts):
        pairs = data[f'match/{image}']
        theirs |= {(int(q) + image * queries, int(p) + start) for q, p in pairs.T}
        start += count
    return ours == theirs


def differences(path):
    """Yield (what, relative difference, limit) for the matches and every loss of the file."""
    with np.load(path, allow_pickle=False) as data:
        outputs = read_outputs(data)
        input_size = float(data['input_size']) if 'input_size' in data.files else 336.
        targets = read_targets(data, input_size)
        names = [key[5:] for key in data.files if key.startswith('loss/')]
        concepts = dict.fromkeys(name.split('.')[0] for name in names)
        criterion = SetCriterion(dict(type='HungarianAssigner', costs=COSTS),
                                 {concept: dict(type=LOSSES[concept]) for concept in concepts})
        yield 'matches', float(not same_matches(data, criterion, outputs, targets)), 0.
        ours = criterion(outputs, targets)
        for name in names:
            expected = float(data[f'loss/{name}'])
            value = float(ours.get(f'loss_{name}', 0.))
            yield f'loss {name}', abs(value - expected) / max(abs(expected), 1e-3), LIMIT


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py losses', description=__doc__)
    parser.add_argument('file', type=Path, help='losses_*.npz')
    ok = True
    for name, difference, limit in differences(parser.parse_args(argv).file):
        right = difference <= limit
        ok &= right
        print(f'{name:24} {difference:9.1e}  limit {limit:.0e}{"" if right else "  OFF"}')
    print('PASS' if ok else 'FAIL')
    return 0 if ok else 1
