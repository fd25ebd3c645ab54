#!/usr/bin/env python
"""How well DTO places people: solvers against exact truth over a grid of errors, on held-out synthetic crowds.

    python tools/benchmark/bench_dto_quality.py [--quick] [--scenes N] [--json FILE] [--docs FOLDER]

At each point of the grid one error is varied, the rest stays at the package's defaults but for 6 % depth noise and a
disparity offset of 5 %. ``--docs docs`` rewrites the section "DTO quality" of benchmarks.md and its picture.
"""
import argparse
import json
import os
import time
from dataclasses import replace
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import machine, markdown, pages_in, report, write_section  # noqa: E402
from _dto_crowds import AXES, BASE, CrowdMaker, grid  # noqa: E402
from rich.console import Console  # noqa: E402

from mmhuman_dto.dto import DTOResult, HeightPrior, PaperDTO, PosteriorDTO  # noqa: E402
from mmhuman_dto.evaluation.functional.calibration import LEVELS, in_intervals  # noqa: E402
from mmhuman_dto.evaluation.functional.placement import PlacedPeople, placement_metrics  # noqa: E402
from mmhuman_dto.evaluation.functional.translation import scaled_translation_errors  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402

HELD_OUT_SEED = 900
SCENES, QUICK_SCENES = 100, 50
#: What --quick looks at.
QUICK_AXES = ('depth noise', 'disparity offset')


class InitialMeshes:
    """Nobody moves."""

    def solve(self, problem):
        return _moved(problem, torch.ones_like(problem.z))


class HeightAlone:
    """Everybody gets the height the paper's prior expects."""

    def solve(self, problem):
        return _moved(problem, problem.prior_mean / problem.heights)


class DepthAlone:
    """Everybody goes to the line of z over depth that fits the initial distances of a scene best."""

    def solve(self, problem):
        mask = problem.mask.double()
        number = mask.sum(-1, keepdim=True)
        depth, z = ((x - (x * mask).sum(-1, keepdim=True) / number) * mask for x in (problem.depth, problem.z))
        slope = (depth * z).sum(-1, keepdim=True) / depth.square().sum(-1, keepdim=True).clamp(min=1e-30)
        line = problem.z - z + slope * depth
        return _moved(problem, (line / problem.z).clamp(min=.1))


class WithPrior:
    """A solver under another height prior."""

    def __init__(self, solver, **prior):
        self.solver, self.prior = solver, HeightPrior(**prior)

    def solve(self, problem):
        targets = self.prior(problem.heights, problem.ages, problem.male_probs)
        return self.solver.solve(replace(
            problem, prior_mean=targets.mean, prior_std=targets.std, height_class=targets.height_class))


def _moved(problem, scale):
    nobody = torch.zeros_like(problem.mask)
    return DTOResult(problem, scale.where(problem.mask, 1.), nobody, ~nobody.any(-1), torch.zeros_like(scale[:, 0]))


LINEAR = dict(depth=dict(type='DepthTerm', domain='linear'), relief=dict(type='ReliefTerm', domain='linear'))
SOLVERS = {
    'initial meshes': InitialMeshes(), 'height prior alone': HeightAlone(), 'depth alone': DepthAlone(),
    'paper': PaperDTO(), 'posterior': PosteriorDTO()}
#: The posterior solver with the right prior of the focal length, where that is not the default.
TOLD = 'posterior, told the focal error'
ABLATIONS = {
    'paper, no age prior': WithPrior(PaperDTO(), use_age=False),
    'paper, no gender prior': WithPrior(PaperDTO(), use_gender=False),
    'paper, no slope bound': PaperDTO(slope_bound=False),
    'paper, no down-means': PaperDTO(down_means=False),
    'paper, no near/far split': PaperDTO(split=False),
    'posterior, no depth': PosteriorDTO(dict(depth=None, relief=None)),
    'posterior, no relief': PosteriorDTO(dict(relief=None)),
    'posterior, no ground': PosteriorDTO(dict(ground=None)),
    'posterior, no initial': PosteriorDTO(dict(initial=None)),
    'posterior, depth and height only': PosteriorDTO(dict(relief=None, ground=None, initial=None)),
    'posterior, linear in depth': PosteriorDTO(LINEAR),
    'posterior, camera as given': PosteriorDTO(focal_std=0.)}


class Placed(NamedTuple):
    """People of one scene as a solver has them, and stds of (depths, heights, depth differences) or None."""
    people: PlacedPeople
    stds: tuple | None


def place(solver, crowds, body_model):
    """:class:`Placed` for each scene."""
    found = []
    for problem, samples in zip(crowds.problems, crowds.samples):
        result = solver.solve(problem)
        for row, sample in enumerate(result.apply(samples, body_model)):
            people = sample.pred_instances
            roots = body_model.skeleton(people.pose, people.betas, people.transl)[:, 0].double().numpy()
            found.append(Placed(PlacedPeople(roots, people.heights.double().numpy()), _stds(result, row)))
    return found


def _stds(result, row):
    if result.posterior is None:
        return None
    people, posterior = result.problem.mask[row], result.posterior
    return (posterior.depths_std[row][people].numpy(), posterior.heights_std[row][people].numpy(),
            posterior.differences_std[row][people][:, people].numpy())


def score(found, truth):
    """Figures of a solver at one point of the grid."""
    people = [placed.people for placed in found]
    figures = {name: float(value) for name, value in placement_metrics(zip(people, truth)).items()}
    aligned = [scaled_translation_errors(pred.roots, true.roots) for pred, true in zip(people, truth)]
    figures['translation_error_scaled'] = float(np.concatenate(aligned).mean())
    if found[0].stds:
        figures['coverage'] = coverage(found, truth)
    return figures


def coverage(found, truth):
    """Per cent of true values in the 50 and 90 % intervals: {depth, height, difference: [50, 90]}."""
    values = {'depth': [], 'height': [], 'difference': []}
    for (pred, (depth, height, difference)), true in zip(found, truth):
        first, second = np.triu_indices(len(depth), k=1)
        z, z_true = pred.roots[:, 2], true.roots[:, 2]
        values['depth'].append((z, depth, z_true))
        values['height'].append((pred.heights, height, true.heights))
        values['difference'].append((z[first] - z[second], difference[first, second], z_true[first] - z_true[second]))
    return {name: (100 * in_intervals(*map(np.concatenate, zip(*parts)), LEVELS).mean(0)).tolist()
            for name, parts in values.items()}


def run(make, axes, progress):
    """Figures of the grid: {'axis: label': {solver: figures}}; BASE, at its own point, also has the ablations."""
    table, settings = {}, {'base': BASE, **{f'{axis}: {label}': s for (axis, label), s in grid(axes).items()}}
    for name, setting in settings.items():
        twin = next((done for done in table if settings[done] == setting), None)
        if twin:
            table[name] = {solver: table[twin][solver] for solver in SOLVERS}
            continue
        crowds = make(setting)
        solvers = {**SOLVERS, **ABLATIONS} if name == 'base' else dict(SOLVERS)
        if setting.focal_error != BASE.focal_error:
            solvers[TOLD] = PosteriorDTO(focal_std=setting.focal_error)
        table[name] = {solver: score(place(chosen, crowds, make.body_model), crowds.truth)
                       for solver, chosen in solvers.items()}
        progress(name, table[name])
    return table


def summary(table):
    """The three figures that sum the benchmark up, and where the worst of each is."""
    gains = {name: row['posterior']['pcdr'] - row['paper']['pcdr'] for name, row in table.items()}
    of_points = {kind: {name: row['posterior']['coverage'][kind][1] for name, row in table.items()}
                 for kind in ('depth', 'height', 'difference')}
    worst = min(gains, key=gains.get)
    everything = [value for points in of_points.values() for value in points.values()]
    return {
        'gain_at_6pct': gains['base'], 'worst_gain': gains[worst], 'worst_gain_at': worst,
        'coverage_90': float(np.mean(everything)),
        'coverage_90_of': {kind: {'mean': float(np.mean(list(points.values()))),
                                  'lowest': min(points.items(), key=lambda item: item[1]),
                                  'highest': max(points.items(), key=lambda item: item[1])}
                           for kind, points in of_points.items()}}


COLUMNS = {
    'PCDR, %': lambda f: f'{f["pcdr"]:.1f}', 'order, %': lambda f: f'{f["depth_order"]:.1f}',
    'place, m': lambda f: f'{f["translation_error"]:.2f}',
    'aligned, m': lambda f: f'{f["translation_error_scaled"]:.3f}',
    'height, m': lambda f: f'{f["height_error"]:.3f}'}


def solver_rows(table):
    """The base point: (solver, figures) of all solvers."""
    return [(name, *(text(figures) for text in COLUMNS.values())) for name, figures in table['base'].items()]


def grid_rows(table):
    """The grid: PCDR of each solver, gain, aligned error and coverage, a row a point."""
    rows = []
    points = [(name, row, solver) for name, row in table.items() for solver in ('posterior', TOLD) if solver in row]
    for name, row, solver in points:
        paper, ours = row['paper'], row[solver]
        name = f'{name}, told so' if solver == TOLD else name
        covered = (f'{low:.0f} / {high:.0f}' for low, high in ours['coverage'].values())
        compared = [row[other] for other in SOLVERS if other != 'posterior'] + [ours]
        rows.append((name, *(f'{figures["pcdr"]:.1f}' for figures in compared),
                     f'{ours["pcdr"] - paper["pcdr"]:+.1f}',
                     f'{paper["translation_error_scaled"]:.3f} / {ours["translation_error_scaled"]:.3f}',
                     f'{paper["height_error"]:.3f} / {ours["height_error"]:.3f}', *covered))
    return rows


SOLVER_HEADINGS = ('solver', *COLUMNS)
GRID_HEADINGS = ('setting', *SOLVERS, 'gain', 'aligned, m', 'height, m', 'in 50 / 90 %: depth', 'height', 'difference')


def write_docs(folder, table, results, scenes):
    """Rewrites the generated part of benchmarks.md and its picture."""
    import matplotlib
    matplotlib.use('agg')
    draw(table).savefig(folder / 'images' / 'dto_quality.png', dpi=100, bbox_inches='tight')
    write_section(folder / 'benchmarks.md', 'dto quality', [
        f'{scenes} held-out crowds a setting (seed {HELD_OUT_SEED}).',
        f'At 6 % depth noise the posterior solver has **{results["gain_at_6pct"]:+.1f}** PCDR points over the '
        f'paper\'s; the smallest gain on the grid is **{results["worst_gain"]:+.1f}** ({results["worst_gain_at"]}).',
        markdown(SOLVER_HEADINGS, solver_rows(table)),
        'The grid (PCDR in per cent; paper / posterior):', markdown(GRID_HEADINGS, grid_rows(table))])


def draw(table):
    """PCDR over depth noise, and from the paper's solver to the posterior one at every point of the grid."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 5), layout='constrained')
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    noises = {float(label.rstrip('%')): table[f'depth noise: {label}'] for label in AXES['depth noise']}
    for name in SOLVERS:
        left.plot(list(noises), [row[name]['pcdr'] for row in noises.values()], marker='o', label=name)
    left.set(xlabel='depth noise, %', ylabel='PCDR, %', title='depth relations right')
    left.legend(frameon=False, loc='upper center', bbox_to_anchor=(.5, -.12), ncols=3)
    left.grid(alpha=.3)
    names = list(table)[::-1]
    paper, ours = ([table[name][solver]['pcdr'] for name in names] for solver in ('paper', 'posterior'))
    right.hlines(range(len(names)), paper, ours, color='lightgrey', zorder=0)
    right.scatter(paper, range(len(names)), label='paper', color='C3')
    right.scatter(ours, range(len(names)), label='posterior', color='C4')
    right.set_yticks(range(len(names)), names, fontsize=7)
    right.set(xlabel='PCDR, %', title="paper's solver and posterior, all settings")
    right.legend(frameon=False)
    right.grid(alpha=.3, axis='x')
    return figure


@program
def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help=f'{QUICK_SCENES} scenes a setting, part of the grid')
    parser.add_argument('--scenes', type=int, help=f'scenes a setting (default {SCENES})')
    parser.add_argument('--json', type=output_file, help='write the figures to this file')
    parser.add_argument('--docs', type=pages_in('benchmarks.md'),
                        help='rewrite the tables in benchmarks.md of this folder')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    console, start = Console(highlight=False), time.perf_counter()
    scenes = args.scenes or (QUICK_SCENES if args.quick else SCENES)

    def progress(name, row):
        console.print(f'{time.perf_counter() - start:5.0f} s  {name:24} PCDR '
                      + ', '.join(f'{solver} {row[solver]["pcdr"]:.1f}' for solver in SOLVERS))

    with torch.inference_mode():
        make = CrowdMaker(BODY_MODELS.build(dict(type='OpenBody')), HELD_OUT_SEED, scenes)
        table = run(make, QUICK_AXES if args.quick else tuple(AXES), progress)
    results = summary(table)
    report('Solvers', SOLVER_HEADINGS, solver_rows(table), {})
    report('Grid', GRID_HEADINGS, grid_rows(table), {})
    console.print(results)
    if args.json:
        args.json.write_text(json.dumps({**results, 'scenes': scenes, 'grid': table, 'machine': machine()}, indent=2))
    if args.docs:
        write_docs(args.docs, table, results, scenes)


if __name__ == '__main__':
    main()
