"""The AGORA, 3DPW, CMU Panoptic and MuPoTS-3D evaluators against figures that the public ones gave.

A file holds images ``{i}/gt/*`` and ``{i}/pred/*`` (pose (N, 72), betas (N, 11), transl, K; pred also conf),
``{i}/panoptic/kpts3d`` (T, 24, 4), ``{i}/mupots/`` annot_3d (T, 17, 3) mm, annot_2d_norm (T, 17, 2) of the image's
size, vis (T, 17), and the record ``results`` (json). All bodies are those of ``mmhuman_dto.synthetic.writers.smpl``;
image i is of the Panoptic sequence i modulo 4.
"""
import argparse
import json
import tempfile

import torch

from mmhuman_dto.datasets.public.panoptic import panoptic_to_h36m
from mmhuman_dto.evaluation.functional.panoptic import SEQUENCES
from mmhuman_dto.evaluation.metrics import AGORAMetric, DPWMetric, MuPoTSMetric, PanopticMetric
from mmhuman_dto.structures import Camera, HumanDataSample, People
from mmhuman_dto.synthetic.writers.smpl import write_synthetic_smpl

from ._figures import compare_figures, load

#: Width and height (px) that the file's 2D annotations are divided by.
_IMAGE_SIZE = (1288, 800)


def read_image(data, index):
    """Arrays of one image below their names."""
    prefix = f'{index}/'
    return {key[len(prefix):]: data[key] for key in data if key.startswith(prefix)}


def to_sample(arrays, index, kind, **annotated):
    """One image as a dict like those that an evaluator hands to metrics; ``annotated`` replaces the true bodies."""
    def people(side):
        pose = torch.from_numpy(arrays[f'{side}/pose']).unflatten(-1, (24, 3))
        return People(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=torch.from_numpy(arrays[f'{side}/betas']),
                      transl=torch.from_numpy(arrays[f'{side}/transl']))

    sample = HumanDataSample(metainfo=dict(img_id=f'{kind}/{SEQUENCES[index % len(SEQUENCES)]}/{index:06}.jpg'))
    sample.pred_instances = people('pred')
    sample.pred_instances.scores = torch.from_numpy(arrays['pred/conf'])
    sample.gt_instances = People(**annotated) if annotated else people('gt')
    sample.pred_camera, sample.gt_camera = (Camera(intrinsics=torch.from_numpy(arrays[f'{side}/K']))
                                            for side in ('pred', 'gt'))
    return sample.to_dict()


def panoptic_sample(arrays, index):
    joints, confidence = panoptic_to_h36m(arrays['panoptic/kpts3d'])
    return to_sample(arrays, index, 'panoptic', keypoints_3d=joints, keypoints_3d_valid=confidence)


def mupots_sample(arrays, index):
    return to_sample(arrays, index, 'mupots', keypoints_3d=arrays['mupots/annot_3d'] / 1000,
                     keypoints_2d=arrays['mupots/annot_2d_norm'] * _IMAGE_SIZE,
                     keypoints_2d_valid=arrays['mupots/vis'])


def build_metrics(body_dir, parity):
    """Name in the file -> metric and the samples it takes."""
    common = dict(body_model=dict(type='SMPL+A', model_path=str(body_dir), gender='neutral'), parity=parity)

    def bodies(arrays, index):
        return to_sample(arrays, index, 'bodies')

    return {'agora': (AGORAMetric(body_vertices=body_dir / 'smpl/body_verts_smpl.npy', **common), bodies),
            '3dpw': (DPWMetric(**common), bodies), 'panoptic': (PanopticMetric(**common), panoptic_sample),
            'mupots': (MuPoTSMetric(**common), mupots_sample)}


def evaluate(data, parity):
    """Figures of every evaluator, by their name in the file."""
    size = 1 + max(int(key.split('/')[0]) for key in data if key.split('/')[0].isdigit())
    images = [read_image(data, index) for index in range(size)]
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        metrics = build_metrics(write_synthetic_smpl(folder), parity)
    for name, (metric, sample) in metrics.items():
        if name in ('panoptic', 'mupots') and not any(key.startswith(name) for key in images[0]):
            continue
        for index, arrays in enumerate(images):
            metric.process(None, [sample(arrays, index)])
        figures[name] = metric.evaluate(size)
    return figures


def our_names(results):
    """The file's figures of one evaluator by our names, detection in per cent."""
    named = {}
    for name, value in results.items():
        name = {'focal': 'focal_error', 'PCK (All)': 'pck_all', 'PCK (Match)': 'pck_matched'}.get(
            name, name.lower().replace('-', '_'))
        if isinstance(value, dict):
            named.update({f'{name}_{part}': number for part, number in value.items()})
        else:
            percent = name.removeprefix('kid_') in ('precision', 'recall', 'f1')
            named[name] = 100 * value if percent else value
    return named


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py evaluation', description=__doc__.splitlines()[0])
    parser.add_argument('file', help='evaluation.npz or another file of its layout')
    ok = True
    data = load(parser.parse_args(argv).file)
    results = json.loads(str(data['results']))
    figures = {name: {key.split('/')[1]: value for key, value in part.items()}
               for name, part in evaluate(data, parity=True).items()}
    for name, part in results.items():
        ok &= compare_figures(name, figures.get(name, {}), our_names(part))
    print('PASS' if ok else 'FAIL')
    return 0 if ok else 1
