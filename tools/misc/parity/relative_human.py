"""The Relative Human evaluator against figures that the public one gave.

A file holds ``annotations`` (json: {image: [person]}), ``pred/{image}/kp2d`` (P, 14, 2) and ``transl`` (P, 3), and the
records ``metrics`` (json), ``prf1`` (3), ``counts`` (predictions, missed people, unmatched predictions), ``printed``.
"""
import argparse
import json
import re
from pathlib import Path

import numpy as np

from mmhuman_dto.body_models.joint_sets import shared_joints
from mmhuman_dto.evaluation.functional.relative_human import (
    layer_accuracy,
    relative_human_metrics,
    relative_human_record,
)

from ._figures import compare_figures, load

_RENAMED = {'mPCKh_0.6': 'mpckh', 'PCRD_0.2': 'pcdr',
            **{f'PCRD_0.2_{age}': f'pcdr_{age}' for age in ('adult', 'teen', 'kid', 'baby')}}


def crowdpose_joints(keypoints, image):
    """CrowdPose's 14 joints (14, 3) x, y, visible of annotated ones: 14, one of the two orders of 19, or None."""
    joints = np.zeros((14, 3)) if keypoints is None else np.asarray(keypoints, dtype=np.float64).reshape(-1, 3)
    if len(joints) == 14:
        return joints
    source, target = shared_joints('bk19' if len(Path(image).stem) == 7 else 'ochuman19', 'crowdpose14')
    converted = np.zeros((14, 3))
    converted[target] = joints[source]
    return converted


def records(data, parity):
    """One record an image."""
    for image, people in json.loads(str(data['annotations'])).items():
        joints = np.array([crowdpose_joints(person['kp2d'], image) for person in people]).reshape(-1, 14, 3)
        layers, ages = (np.array([person[name] for person in people], dtype=int) for name in ('depth_id', 'age'))
        found = f'pred/{image}/kp2d' in data
        joints_pred = data[f'pred/{image}/kp2d'][..., :2] if found else np.zeros((0, 14, 2))
        z_pred = data[f'pred/{image}/transl'][:, 2] if found else np.zeros(0)
        yield relative_human_record(joints_pred, z_pred, joints[..., :2], joints[..., 2] > 0, layers, ages, parity)


def printed_figures(text):
    """Figures of the evaluator's report, as printed, by our names."""
    values = {name: re.search(pattern, text)[1] for name, pattern in (
        ('precision', r'Precision: *(\S+)'), ('recall', r'Recall: *(\S+)'), ('f1', r'F1 score: *(\S+)'),
        ('equal', r'Equal *(\S+)'), ('close', r'close *(\S+)'), ('far', r'far *(\S+)'))
        if re.search(pattern, text)}
    values.update({_RENAMED[name]: value
                   for name, value in re.findall(r'^([\w.]+): *(\S+)$', text, re.M) if name in _RENAMED})
    return values


def main(argv):
    parser = argparse.ArgumentParser(prog='check_parity.py relative_human', description=__doc__.splitlines()[0])
    parser.add_argument('file', help='relative_human.npz or another file of its layout')
    data = load(parser.parse_args(argv).file)
    ours, correct = list(records(data, parity=True)), relative_human_metrics(list(records(data, parity=False)))
    figures = {**relative_human_metrics(ours, parity=True), **layer_accuracy(ours)}
    num_found, num_pred = (sum(f(record) for record in ours)
                           for f in (lambda r: len(r['keypoints']), lambda r: r['num_pred']))
    counts = dict(predictions=num_pred, missed=sum(r['num_true'] for r in ours) - num_found,
                  unmatched=num_pred - num_found)
    ok = compare_figures('metrics', figures, {
        _RENAMED.get(name, name): value for name, value in json.loads(str(data['metrics'])).items()})
    ok &= compare_figures('prf1', figures, dict(zip(('precision', 'recall', 'f1'), 100 * data['prf1'])))
    ok &= compare_figures('counts', counts, dict(zip(counts, data['counts'])))
    if 'printed' in data:
        shares = {name: figures[name] / 100 for name in ('precision', 'recall', 'f1')}
        ok &= compare_figures('printed', {**figures, **shares}, printed_figures(str(data['printed'])))
    print('the correct definition: ' + ', '.join(f'{name} {value:.2f}' for name, value in correct.items()))
    print('PASS' if ok else 'FAIL')
    return 0 if ok else 1
