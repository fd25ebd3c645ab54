"""A training step against a ``gradients_*.npz`` of the public release: targets, matches, losses and gradients.

Beside FILE.npz lies FILE_state.json, as for ``model``. A file holds up to three cases: without a prefix; the box losses
alone (``boxes_only/``); with denoising queries, whose noise is recorded (``dn/``). All is computed in float64.
"""
import argparse
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mmhuman_dto.models.conversion import convert_release
from mmhuman_dto.models.losses import SetCriterion
from mmhuman_dto.models.losses.criterion import split_queries
from mmhuman_dto.models.task_modules import Denoising, TargetEncoder
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

from ._figures import load, report
from .losses import COSTS, LOSSES, read_targets, wrong_matches
from .model import build_model, compare, level_counts, read_images, read_layers, read_weights

CASES = ('', 'boxes_only/', 'dn/')
#: What a case does not share with the first one, and says itself.
_OWN = re.compile('grad|zero_gradient|no_gradient|rounding|loss/|total|match/|pred/|token_level_counts')
#: Of a gradient's own norm; where it is 0 but for rounding, of the norm of the largest gradient.
GRADIENT_LIMIT, ZERO_LIMIT = 2e-4, 1e-9
#: Relative; of targets in the units of :class:`Targets`, of which pixels need the most.
LOSS_LIMIT, TARGET_LIMIT, PIXEL_LIMIT = 1e-5, 1e-5, 1e-3


def read_case(data, prefix):
    """One case's arrays by name, what it shares with the first case among them; None: the file has no such case."""
    if f'{prefix}total' not in data:
        return None
    common = {key: value for key, value in data.items()
              if not key.startswith(CASES[1:]) and (not prefix or not _OWN.match(key))}
    own = {key[len(prefix):]: value for key, value in data.items() if prefix and key.startswith(prefix)}
    case = {**common, **own}
    for image, valid in enumerate(own.get('3d_valid', ())):
        case[f'target/{image}/3d_valid'] = valid
    case['weights'] = json.loads(str(case['weights']))
    if prefix == 'boxes_only/':
        case['weights'] = {name: value for name, value in case['weights'].items() if name.split('.')[0] in
                           ('boxes', 'giou')}
    return case


def in_double(targets):
    return replace(targets, **{name: value.double() for name, value in vars(targets).items()
                               if torch.is_tensor(value) and value.is_floating_point()})


def encoded_again(case, model):
    """:class:`Targets` that our encoder makes of the file's people, whose camera looks at the middle of the picture."""
    samples = []
    for image in range(len(read_images(case)[0])):
        people = {name: torch.from_numpy(case[f'target/{image}/{name}']) for name in ('poses', 'betas', 'j3ds')}
        pose, betas = people['poses'].unflatten(-1, (-1, 3)), people['betas']
        at_origin = model.body_model(pose, betas, torch.zeros(len(betas), 3))
        first_joint = model.body_model.select_joints(at_origin, model.joint_set)[:, 0]
        height, width = case[f'target/{image}/img_size'].tolist()
        focal = float(next(case[f'target/{image}/focals'].flat, 1.))  # nobody: any
        sample = HumanDataSample(metainfo=dict(img_shape=(height, width)))
        sample.gt_instances = People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=betas,
                                     transl=people['j3ds'][:, 0] - first_joint)
        sample.gt_camera = Camera(
            intrinsics=torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]))
        samples.append(sample)
    encoder = TargetEncoder(scale_map='target/0/scale_map' in case, joint_set=model.joint_set)
    return encoder(samples, model.body_model, model.input_size)


def target_rows(case, model):
    targets, ours = read_targets(case), encoded_again(case, model)
    for name in ('boxes', 'j3ds', 'j2ds', 'depths', 'scale_map'):
        theirs = getattr(targets, name)
        if theirs is not None:
            difference = (getattr(ours, name) - theirs).abs()
            if name == 'j2ds':
                difference = difference / (theirs.abs() / targets.input_size).clamp(min=1)  # as ``compare`` has it
            yield f'target/{name}', difference.max().item(), PIXEL_LIMIT if name == 'j2ds' else TARGET_LIMIT


def build_denoising(case, weights):
    """Denoising with the case's recorded noise; takes its weights out of ``weights``."""
    noise = {values.shape[-1]: torch.from_numpy(values).double() for values in (case['box_noise'], case['param_noise'])}
    embed = {name: weights.pop(f'dn_enc.{name}') for name in ('weight', 'bias')}
    denoising = Denoising(len(embed['bias']), embed['weight'].shape[1] - 72, num_groups=len(case['box_noise'])).double()
    denoising.embed.load_state_dict(embed)
    denoising.noise = lambda values: noise[values.shape[-1]]
    return denoising


def loss_name(name):
    """Our name of a loss: ``poses_dn.0`` is ``loss_dn_poses.0``."""
    return 'loss_' + re.sub(r'^(\w+)_dn\b', r'dn_\1', name)


def gradient_rows(case, parameters):
    """Rows of all ``parameters``, by the release's names."""
    nothing, zero, rounding = (json.loads(str(case[name])) for name in ('no_gradient', 'zero_gradient', 'rounding'))
    gradients = {name: np.zeros(value.shape) if value.grad is None else value.grad.numpy()
                 for name, value in parameters.items()}
    norms = [np.linalg.norm(gradient) for gradient in gradients.values()]
    if 'grad_norm_all' in case:
        yield 'grad_norm_all', abs(np.linalg.norm(norms) / case['grad_norm_all'] - 1), GRADIENT_LIMIT
    for name, ours in gradients.items():
        limit = max(GRADIENT_LIMIT, rounding.get(name, 0.))
        if name in nothing:
            yield f'no grad/{name}', np.abs(ours).max(), 0.
        elif name in zero:
            yield f'zero grad/{name}', np.linalg.norm(ours) / max(norms), ZERO_LIMIT
        elif f'grad/{name}' in case:
            theirs = case[f'grad/{name}']
            yield f'grad/{name}', np.linalg.norm(ours - theirs) / np.linalg.norm(theirs), limit
        else:  # of a large one its norm, its product with the weights, and some of its entries
            norm, dot, at, values = (case[f'grad_{part}/{name}'] for part in ('norm', 'dot', 'at', 'values'))
            weights = parameters[name].detach().numpy()
            yield f'grad_norm/{name}', abs(np.linalg.norm(ours) / norm - 1), limit
            yield f'grad_dot/{name}', abs(np.vdot(ours, weights) - dot) / norm / weights.std(), limit
            yield f'grad_values/{name}', np.linalg.norm(ours.flat[at] - values) / np.linalg.norm(values), limit


def worst(rows):
    """The rows beyond their limits, and the one that comes nearest to its own or is farthest beyond."""
    rows = list(rows)
    yield from (row for row in rows if not row[1] <= row[2])
    name, *largest = max(rows, key=lambda row: row[1] / max(row[2], 1e-30))
    yield f'worst of {len(rows)}: {name}', *largest


def output_rows(case, model, images, outputs):
    """Rows of what the network answers, for the case that has it."""
    ours = read_layers(outputs)
    if 'token_level_counts' in case:
        with torch.no_grad():
            ours['token_level_counts'] = level_counts(model.backbone(images))
    for key, theirs in case.items():
        if key.startswith('pred/') or key == 'token_level_counts':
            yield key, *compare(key, ours.get(key.removeprefix('pred/')), theirs, max(images[0].shape))


def step_rows(case, names, model, denoising):
    """Rows (what, difference, limit) of one training step; ``names``: ours -> the release's."""
    images, sizes = read_images(case)
    images, targets = [image.double() for image in images], in_double(read_targets(case))
    noisy = denoising and denoising(targets, model.decoder.num_queries)
    outputs = model.outputs(images, sizes, noisy)
    yield from output_rows(case, model, images, outputs)
    if noisy:
        for name in ('boxes', 'content'):
            difference = getattr(noisy, name).detach() - torch.from_numpy(case[f'query_{name}'])
            yield f'query_{name}', difference.abs().max().item(), TARGET_LIMIT

    concepts = dict.fromkeys(re.sub(r'(_dn)?(\.\d+)?$', '', name) for name in case['weights'])
    criterion = SetCriterion(dict(type='HungarianAssigner', costs=COSTS),
                             {name: dict(type=LOSSES[name]) for name in concepts}).double()
    _, learned = split_queries(outputs['layers'], noisy.boxes.shape[1] if noisy else 0)
    yield from wrong_matches(case, criterion, learned, targets)
    losses = criterion(outputs, targets, noisy)
    for key, theirs in case.items():
        if key.startswith('loss/'):
            ours = losses.get(loss_name(key[len('loss/'):]), torch.tensor(0.)).item()
            yield key, abs(ours - theirs) / max(abs(theirs), 1e-3), LOSS_LIMIT
    total = sum(weight * losses.get(loss_name(name), 0.) for name, weight in case['weights'].items())
    yield 'total', abs(total.item() / case['total'] - 1), LOSS_LIMIT

    total.backward()
    parameters = {names[name]: value for name, value in model.named_parameters()}
    if denoising:
        parameters.update({f'dn_enc.{name}': value for name, value in denoising.embed.named_parameters()})
    yield from worst(gradient_rows(case, parameters))


def differences(path):
    """Yield (what, difference, limit) for everything the file holds."""
    data = load(path)
    with tempfile.TemporaryDirectory() as folder:
        body_dir = write_synthetic_smpl(folder)
        for prefix in CASES:
            if (case := read_case(data, prefix)) is None:
                continue
            weights = read_weights(path, case)
            denoising = build_denoising(case, weights) if 'box_noise' in case else None
            model = build_model(weights, case['target/0/j3ds'].shape[1], body_dir)
            if not prefix:
                yield from target_rows(case, model)
            names = convert_release({name: name for name in weights}).state
            for what, *row in step_rows(case, names, model.double(), denoising):
                yield f'{prefix}{what}', *row


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py gradients', description=__doc__.splitlines()[0])
    parser.add_argument('file', type=Path, help='gradients_*.npz, with its _state.json beside it')
    return report(differences(parser.parse_args(argv).file))
