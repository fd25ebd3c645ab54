"""The network against a ``model_*.npz`` of the public release, its weights taken through the converter's names.

Beside FILE.npz lies FILE_state.json: names and shapes of the release's parameters. The weights are seeded by name, then
the file's ``override/*`` take effect. What the network looks like is read from the shapes.
"""
import argparse
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.geometry import axis_angle_to_matrix, geodesic_distance
from mmhuman_dto.models.conversion import convert_release, model_config
from mmhuman_dto.registry import MODELS
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

from ._figures import load, report
from ._seeded import weight

NUM_HEADS = 4
VERTEX_STEP = 50
#: Largest difference relative to the spread (standard deviation; of rotations the largest angle), of projections in px.
RELATIVE_LIMIT, PIXEL_LIMIT = 1e-4, 1e-2


def read_weights(path, data):
    """The release's state dict: seeded by name, with the file's overrides."""
    shapes = json.loads(path.with_name(f'{path.stem}_state.json').read_text())
    state = {name: weight(name, tuple(shape)) for name, shape in shapes.items()}
    state.update({key[len('override/'):]: value for key, value in data.items() if key.startswith('override/')})
    return {name: torch.from_numpy(value) for name, value in state.items()}


def build_model(state, num_joints, body_dir):
    """Network of the shapes in ``state`` (release names), with the synthetic body below ``body_dir``."""
    weights = convert_release(state).state
    config = model_config(weights, num_heads=NUM_HEADS)
    if config['backbone'].get('num_levels') == 3:
        config['backbone']['batch_dependent'] = True
    config['head']['mean_params'] = str(body_dir / 'smpl/smpl_mean_params.npz')
    body_type = 'SMPL+A' if config['head']['num_betas'] == 11 else 'SMPL'
    model = MODELS.build(dict(
        config, type='MetricHMR', body_model=dict(type=body_type, model_path=str(body_dir), gender='neutral'),
        joint_set={45: 'smpl45', 14: 'crowdpose14'}[num_joints]))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    wrong = [*unexpected, *(name for name in missing if name not in ('head.mean_pose', 'head.mean_shape'))]
    if wrong:
        raise ValueError(f'names of the converter and of the network differ: {wrong}')
    return model.eval()


def read_images(data):
    """List of images (3, H, W) and of their sizes (h, w) without padding."""
    indices = range(sum(bool(re.fullmatch(r'image_\d+', key)) for key in data))
    return [torch.from_numpy(data[f'image_{i}']) for i in indices], [data[f'img_size_{i}'].tolist() for i in indices]


def level_counts(tokens):
    """Tokens (B, 3) of each image and level."""
    return np.stack([level.bincount(minlength=3).numpy() for level in tokens.level.split(tokens.packing.lens)])


def read_layers(outputs):
    """Name -> array as the file names them; earlier layers below ``aux{i}/``."""
    named = {name: value for name, value in outputs.items() if torch.is_tensor(value)}
    named.update({f'aux{i}/{name}': value for name, layers in outputs['layers'].items()
                  for i, value in enumerate(layers[:-1])})
    return {name: value.detach().numpy() for name, value in named.items()}


def run_model(path, data):
    """All outputs that a file may hold, by name."""
    images, sizes = read_images(data)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        body_dir = write_synthetic_smpl(folder)
        model = build_model(read_weights(path, data), data['out/pred_j3ds'].shape[2], body_dir)
        outputs = model.outputs(images, sizes)
        named = read_layers(outputs)
        named['pred_verts'] = model.vertices(outputs)[:, :, ::VERTEX_STEP].numpy()
        named['token_level_counts'] = level_counts(model.backbone(images))
    if 'scale_map' in named:
        named['scale_map_lens'] = np.array(outputs['scale_map_lens'])
        named['scale_map_y'], named['scale_map_x'] = named['scale_map_cells'].T
    return named


def compare(name, ours, theirs, long_side):
    """Largest difference and what it may be; ``long_side`` of the images, px."""
    if ours is None or ours.shape != theirs.shape:
        return float('inf'), 0.
    if np.issubdtype(theirs.dtype, np.integer):
        return float(np.abs(ours - theirs).max()), 0.
    if name.endswith('pred_poses'):
        first, second = (axis_angle_to_matrix(torch.from_numpy(x).double().unflatten(-1, (-1, 3)))
                         for x in (ours, theirs))
        spread = geodesic_distance(second, torch.eye(3, dtype=second.dtype)).max()
        return (geodesic_distance(first, second).max() / spread).item(), RELATIVE_LIMIT
    difference = np.abs(ours - theirs)
    if name.endswith('pred_j2ds'):
        # A joint near the camera's plane is thousands of pixels away: rounding moves it by its share of them.
        return float((difference / np.maximum(np.abs(theirs) / long_side, 1)).max()), PIXEL_LIMIT
    return float(difference.max()) / max(float(theirs.std()), 1e-12), RELATIVE_LIMIT


def outputs_beside(data, ours, prefix):
    """Yield (output, largest difference, limit) for what the file has below ``prefix``."""
    long_side = max(max(image.shape) for image in read_images(data)[0])
    for key, theirs in data.items():
        if key.startswith(prefix):
            yield (key, *compare(key, ours.get(key[len(prefix):]), theirs, long_side))


def differences(path):
    """Yield (output, largest difference, limit) for every output of the file."""
    data = load(path)
    yield from outputs_beside(data, run_model(path, data), 'out/')
    if 'other/image' in data:  # the same images with one more
        count = len(read_images(data)[0])
        data.update({f'image_{count}': data['other/image'], f'img_size_{count}': data['other/img_size']})
        yield from outputs_beside(data, run_model(path, data), 'other/out/')


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py model', description=__doc__.splitlines()[0])
    parser.add_argument('file', type=Path, help='model_*.npz, with its _state.json beside it')
    return report(differences(parser.parse_args(argv).file))
