#!/usr/bin/env python
"""Where the default constants of PosteriorDTO and its terms come from: moments over crowds whose truth is known.

    python tools/benchmark/fit_dto_terms.py [--scenes N]

Prints each constant as fitted on the training seed beside the default. The benchmark's seed is another one.
"""
import argparse
import os
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _dto_crowds import BASE, CrowdMaker, grid  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from scipy import stats  # noqa: E402

from mmhuman_dto.dto import PosteriorDTO  # noqa: E402
from mmhuman_dto.dto.prior import AGE_LIMITS  # noqa: E402
from mmhuman_dto.dto.terms import DepthTerm, GroundTerm, HeightTerm, InitialTerm, ReliefTerm  # noqa: E402
from mmhuman_dto.programs import program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402

TRAINING_SEED = 100


class Truth(NamedTuple):
    """A scene of n people with what the solver ought to find; ``problem`` has this scene alone, without padding."""
    problem: object
    scene: object
    log_focal: float
    log_scale: np.ndarray
    log_size: np.ndarray


@program
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--scenes', type=int, default=100, help='scenes a setting (default 100)')
    args = parser.parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode():
        make = CrowdMaker(BODY_MODELS.build(dict(type='OpenBody')), TRAINING_SEED, args.scenes)
        base = list(truths(make(BASE), make.body_model))
        noises = [t for setting in grid(['depth noise']).values() for t in truths(make(setting), make.body_model)]
    rows = [*fit_people(base), *fit_relief(base), *fit_ground(base), *fit_depth(noises)]
    table = Table('where', 'constant', 'fitted', 'default')
    for where, name, value in rows:
        cells = (np.array2string(np.asarray(v, float), precision=3) for v in (value, getattr(where, name)))
        table.add_row(type(where).__name__, name, *cells)
    Console(width=110).print(table)


def truths(crowds, body_model):
    """:class:`Truth` of each scene."""
    batches = ((problem, row, sample) for problem, samples in zip(crowds.problems, crowds.samples)
               for row, sample in enumerate(samples))
    for (problem, row, sample), scene in zip(batches, crowds.scenes):
        people, index = sample.pred_instances, problem.person_index[row][problem.mask[row]]
        roots = body_model.skeleton(people.pose, people.betas, people.transl)[index, 0, 2].numpy()
        alone = {name: value[row:row + 1, problem.mask[row]] for name, value in vars(problem).items()
                 if torch.is_tensor(value)}
        log_focal = np.log(scene.intrinsics[1, 1] / float(sample.pred_camera.intrinsics[1, 1]))
        log_scale = np.log(scene.joints[:, 0, 2] / roots) - log_focal
        log_size = np.log(scene.heights / alone['heights'][0].numpy()) - log_scale
        yield Truth(type(problem)(**alone, drop_reasons=()), scene, log_focal, log_scale, log_size)


def pooled(values):
    return np.concatenate([np.ravel(value) for value in values])


def fit_people(truth):
    """What initial meshes and ages are like."""
    solver, initial, height = PosteriorDTO(), InitialTerm(), HeightTerm()
    shown = np.log(pooled(t.problem.heights for t in truth) / initial.typical)
    true = np.log(pooled(t.scene.heights for t in truth) / initial.typical)
    share = (shown @ true) / (true @ true)
    yield solver, 'size_std', stats.median_abs_deviation(pooled(t.log_size for t in truth), scale='normal')
    yield solver, 'focal_std', np.std([t.log_focal for t in truth])
    yield initial, 'share', share
    yield initial, 'std', np.std(shown - share * true)
    told, ages = pooled(t.problem.ages for t in truth), pooled(t.scene.ages for t in truth)
    yield height, 'age_std', np.std(np.log((told + 2) / (ages + 2)))
    heights, growth, kept = pooled(t.scene.heights for t in truth), [], []
    for low, high in zip((0., *AGE_LIMITS), AGE_LIMITS):
        of_class = (ages >= low) & (ages < high)
        age = np.clip(told[of_class], low, high)
        line = stats.linregress(age, heights[of_class])
        growth.append(line.slope)
        kept.append(np.sqrt(1 - line.rvalue**2))
    yield height, 'growth', growth
    yield height, 'growth_std', np.mean(kept)


def fit_relief(truth):
    """Log of shown over true relief, each weighed by its evidence, and how much scenes differ in it."""
    term = ReliefTerm()
    scaled, by_scene = [], []
    for t in truth:
        values = dict(log_focal=torch.tensor([t.log_focal]), depth_offset=torch.zeros(1).double(),
                      relief_bias=torch.zeros(1).double())
        residuals, quality = term.residuals(t.problem, values)[0].numpy(), term.evidence(t.problem)[0].numpy()
        if (quality > 0).sum() >= 2:
            known = quality > 0
            by_scene.append((np.average(residuals[known], weights=quality[known]), 1 / quality[known].sum()))
            freed = quality[known] * known.sum() / (known.sum() - 1)
            scaled.append((residuals[known] - by_scene[-1][0]) * np.sqrt(freed))
    std = stats.median_abs_deviation(pooled(scaled), scale='normal')
    means, variances = np.array(by_scene).T
    yield term, 'bias', np.median(means)
    yield term, 'std', std
    between = stats.median_abs_deviation(means, scale='normal')**2 - np.median(variances) * std**2
    yield term, 'bias_std', np.sqrt(max(between, 0))


def fit_ground(truth):
    """How far feet are from the true plane, and how cameras are held over it."""
    term, noise = GroundTerm(), []
    for t in truth:
        x, y, z = t.problem.feet[0].numpy().T
        rays = np.stack([x / z, y / z, np.ones_like(z)], -1) / [*[np.exp(t.log_focal)] * 2, 1]
        plane = -(rays @ t.scene.ground.normal) / t.scene.ground.height
        feet = np.log(z) + t.log_scale + t.log_focal
        noise.append((feet + np.log(np.maximum(plane, 1e-3)))[plane > 1e-3])
    dof, _, std = stats.t.fit(pooled(noise), floc=0)
    yield term, 'std', std
    yield term, 'dof', dof
    log_heights = np.log([t.scene.ground.height for t in truth])
    yield term, 'height', np.exp(log_heights.mean())
    yield term, 'height_std', log_heights.std()
    yield term, 'tilt_std', np.std([t.scene.ground.normal[0] / t.scene.ground.normal[1] for t in truth])


def fit_depth(truth):
    """Noise within scenes over all noise levels of the grid: the scaled inverse chi-square of its moments."""
    term, variances, small = DepthTerm(), [], []
    for t in truth:
        if len(t.log_scale) >= 5:
            values = dict(log_focal=torch.tensor([t.log_focal]), log_scale=torch.from_numpy(t.log_scale)[None],
                          **{name: prior.mean for name, prior in term.variables(t.problem).items()})
            residuals = term.residuals(t.problem, values)[0].numpy()
            slope = term.jacobian(t.problem, values)['depth_offset'][0].numpy()
            fitted = np.stack([np.ones_like(slope), slope], -1)
            left = residuals - fitted @ np.linalg.lstsq(fitted, residuals, rcond=None)[0]
            variances.append(left @ left / (len(left) - 2))
            small.append(2 / (len(left) - 2))
    # A scaled inverse chi-square's precision has relative variance 2 / weight; log variance has about as much.
    spread = np.var(np.log(variances)) - np.mean(small)
    yield term, 'weight', 2 / max(spread, 1e-3)
    yield term, 'std', np.sqrt(np.exp(np.mean(np.log(variances))))


if __name__ == '__main__':
    main()
