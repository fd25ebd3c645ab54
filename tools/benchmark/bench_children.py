#!/usr/bin/env python
"""Children who come as far adults: what placing other programs' people makes of them, against exact truth.

    python tools/benchmark/bench_children.py [--scenes N] [--json FILE] [--docs FOLDER]

Held-out synthetic crowds (version 2: rooms, streets, seats, cut people), half of the people children, with the errors
of three kinds of programs (``KINDS``), are placed as meshes by the recipe of ``mmhuman-dto place``: with ages told (as
an age network tells them) and unknown, with a depth map (of the default errors of a relative network, 6 % a person) and
without. A pair of a grown-up and a child at least .2 m apart in depth is wrong where the program has the wrong one in
front. ``--docs docs`` rewrites the section "Children" of benchmarks.md.
"""
import argparse
import os
from typing import NamedTuple

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import markdown, pages_in, report, write_section  # noqa: E402
from _dto_crowds import SIZE  # noqa: E402
from rich.console import Console  # noqa: E402

from mmhuman_dto.apis.placing.people import completed  # noqa: E402
from mmhuman_dto.dto import DTOOptimizer  # noqa: E402
from mmhuman_dto.dto.bodies import MeshBodies  # noqa: E402
from mmhuman_dto.dto.drawing import draw_meshes  # noqa: E402
from mmhuman_dto.dto.prior import AGE_LIMITS  # noqa: E402
from mmhuman_dto.evaluation.functional.depth_order import PCDR_MARGIN, pcdr, percent_right  # noqa: E402
from mmhuman_dto.fileio.config import read_config  # noqa: E402
from mmhuman_dto.programs import output_file, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402
from mmhuman_dto.results.base import ADULT_BODIES, AGED_BODIES, SHRINKING_BODIES  # noqa: E402
from mmhuman_dto.structures import People  # noqa: E402
from mmhuman_dto.synthetic import CrowdConfig, Renderer, dto_sample, sample_scene  # noqa: E402
from mmhuman_dto.synthetic.corruption import DisparityErrors, InitialErrors, NetworkErrors  # noqa: E402

HELD_OUT_SEED = 930
SCENES, BATCH = 100, 20
CROWD = CrowdConfig(SIZE, people=(2, 8), child_share=.5, version=2)
DEPTH = DisparityErrors(person_noise=.06)


class Kind(NamedTuple):
    """Errors of a kind of programs, and what their readers say of the heights of their meshes."""
    errors: InitialErrors
    initial_heights: tuple


KINDS = {
    'bodies of grown-ups': Kind(InitialErrors(.8, 1., height_noise=.05), ADULT_BODIES),
    'bodies that shrink': Kind(InitialErrors(.5, 1., height_noise=.05), SHRINKING_BODIES),
    'bodies with ages': Kind(InitialErrors(.3, .3, height_noise=.05), AGED_BODIES),
}
#: Ages told by an age network, or not; a depth map, or not; heights of parameters, or measured of bones and surface.
CONDITIONS = {
    'depth, ages': dict(depth=True, ages=True), 'depth': dict(depth=True, ages=False),
    'ages': dict(depth=False, ages=True), 'neither': dict(depth=False, ages=False),
    'depth, heights measured': dict(depth=True, ages=False, measured=True),
    'depth, no ground': dict(depth=True, ages=False, ground=False)}
GROUPS = ('baby', 'kid', 'teen', 'adult')


class Crowd(NamedTuple):
    """A scene, what a program says of it with the maps of networks, and the triangles (F, 3) of the meshes."""
    scene: object
    sample: object
    faces: torch.Tensor


def crowds(kind, number, body_model):
    """Scenes as a kind of programs shows them, as meshes with maps: list of :class:`Crowd`."""
    renderer, found = Renderer(body_model), []
    for index in range(number):
        scene = sample_scene(index, body_model, CROWD, HELD_OUT_SEED)
        picture = renderer.maps(scene)
        sample = dto_sample(scene, picture, str(index), body_model, NetworkErrors(KINDS[kind].errors, DEPTH))
        sample.pred_maps.segmentation = sample.pred_maps.id_map
        sample.pred_instances = meshes_of(sample.pred_instances, body_model)
        draw_meshes([sample], [sample.ori_shape], MeshBodies(body_model.faces))
        found.append(Crowd(scene, sample, body_model.faces))
    return found


def meshes_of(people, body_model):
    """People by parameters as people who are only meshes."""
    vertices = body_model(people.pose, people.betas, people.transl).vertices
    joints = body_model.skeleton(people.pose, people.betas, people.transl)
    heights = body_model.height(people.betas)
    return People(vertices=vertices, pelvis=joints[:, 0], smpl_joints=joints, heights=heights,
                  heights_std=torch.zeros_like(heights), ages=people.ages, male_probs=people.male_probs)


def optimizer_of(kind, depth, ground=True):
    """The recipe's optimizer for a kind of programs, without what a condition leaves out."""
    share, std = KINDS[kind].initial_heights
    stage = read_config('place').stages.dto.to_dict()
    terms = dict(stage['solver']['terms'], initial=dict(type='InitialTerm', share=share, std=std))
    if not depth:
        terms.update(depth=None, relief=None)
    if not ground:
        terms.update(ground=None)
    return DTOOptimizer(dict(stage['solver'], terms=terms), evidence=stage['evidence'])


class Placed(NamedTuple):
    """People of a scene: z of the pelvis and height, m, and pairs of rows whose order is said not to be known."""
    z: np.ndarray
    heights: np.ndarray
    unsure: set


def place(kind, condition, found):
    """:class:`Placed` of each of the ``found`` crowds of a kind, under one of ``CONDITIONS``."""
    bodies, placed = MeshBodies(found[0].faces), []
    optimizer = optimizer_of(kind, condition['depth'], condition.get('ground', True))
    for first in range(0, len(found), BATCH):
        samples = [told(crowd, condition['ages'], condition.get('measured', False))
                   for crowd in found[first:first + BATCH]]
        placed += [Placed(*_numbers(sample.pred_instances), set(sample.unsure_order))
                   for sample in optimizer(samples, bodies, keep_dropped=True)]
    return placed


def told(crowd, ages, measured):
    """A crowd's sample with what a condition tells."""
    sample, people = crowd.sample.new(), crowd.sample.pred_instances[:]
    if not ages:
        people.ages, people.male_probs = (torch.full_like(people.ages, torch.nan) for _ in range(2))
    if measured:
        people.heights, people.heights_std = (torch.full_like(people.heights, torch.nan) for _ in range(2))
    sample.pred_instances = completed(people, crowd.faces)
    return sample


def _numbers(people):
    return people.pelvis[:, 2].double().numpy(), people.heights.double().numpy()


def score(before, after, found):
    """Figures of placed crowds: {name: number}, per cent and m."""
    figures, truth = {}, [(crowd.scene.joints[:, 0, 2], crowd.scene.heights, crowd.scene.ages) for crowd in found]
    for name, people in (('before', before), ('after', after)):
        figures[f'pcdr {name}'] = percent_right(pcdr(one.z, z) for one, (z, _, _) in zip(people, truth))
        errors = np.concatenate([np.abs(one.heights - heights) for one, (_, heights, _) in zip(people, truth)])
        groups = np.digitize(np.concatenate([ages for _, _, ages in truth]), AGE_LIMITS)
        for group, label in enumerate(GROUPS):
            of_group = errors[groups == group]
            figures[f'{label} {name}'] = float(of_group.mean()) if len(of_group) else np.nan
    pairs = np.array([row for one, other, (z, _, ages) in zip(before, after, truth)
                      for row in _adult_child_pairs(one, other, z, ages)], bool).reshape(-1, 3)
    wrong, still, unsure = pairs.T
    broken = ~wrong & still
    figures.update({
        'pairs': len(pairs), 'wrong': 100 * wrong.mean(), 'mended': 100 * (~still)[wrong].mean(),
        'broken': 100 * broken.sum() / max((~wrong).sum(), 1), 'unsure': 100 * unsure.mean(), 'still': int(still.sum()),
        'said': int((unsure & still).sum())})
    return {name: float(value) for name, value in figures.items()}


def _adult_child_pairs(before, after, z, ages):
    """(wrong before, wrong after, said not to be known) of pairs of a grown-up and a child on other depth layers."""
    for i in range(len(z)):
        for j in range(i):
            if (ages[i] < AGE_LIMITS[-1]) != (ages[j] < AGE_LIMITS[-1]) and abs(z[i] - z[j]) >= PCDR_MARGIN:
                right = np.sign(z[i] - z[j])
                yield (*(np.sign(one.z[i] - one.z[j]) != right for one in (before, after)), (j, i) in after.unsure)


def run(number, body_model, progress=lambda kind, condition, figures: None):
    """{kind: {condition: figures}}."""
    table = {}
    for kind in KINDS:
        found = crowds(kind, number, body_model)
        before = [Placed(*_numbers(crowd.sample.pred_instances), set()) for crowd in found]
        table[kind] = {}
        for name, condition in CONDITIONS.items():
            table[kind][name] = score(before, place(kind, condition, found), found)
            progress(kind, name, table[kind][name])
    return table


COLUMNS = ('program', 'told', 'PCDR, %', 'pairs wrong, %', 'mended, %', 'broken, %', 'wrong after: said unsure',
           'unsure of all, %', *(f'{group}, cm' for group in GROUPS))


def rows_of(table):
    """A row a kind and condition; heights are mean errors before -> after."""
    return [(kind, name, f'{f["pcdr before"]:.0f} -> {f["pcdr after"]:.0f}', f'{f["wrong"]:.0f}', f'{f["mended"]:.0f}',
             f'{f["broken"]:.0f}', f'{f["said"]:.0f} of {f["still"]:.0f}', f'{f["unsure"]:.0f}',
             *(f'{100 * f[f"{group} before"]:.0f} -> {100 * f[f"{group} after"]:.0f}' for group in GROUPS))
            for kind, conditions in table.items() for name, f in conditions.items()]


@program
def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=SCENES, help='crowds a kind; default: %(default)s')
    parser.add_argument('--json', type=output_file)
    parser.add_argument('--docs', type=pages_in('benchmarks.md'), help='folder of the page to rewrite')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    body_model, console = BODY_MODELS.build(dict(type='OpenBody')), Console(stderr=True)
    table = run(args.scenes, body_model, lambda *done: console.print(*done[:2], {
        name: round(value, 1) for name, value in done[2].items()}))
    report('Children', COLUMNS, rows_of(table), dict(scenes=args.scenes, seed=HELD_OUT_SEED, kinds=table), args.json)
    if args.docs:
        write_section(args.docs / 'benchmarks.md', 'children', [markdown(COLUMNS, rows_of(table)),
                                          f'{args.scenes} crowds a kind, seed {HELD_OUT_SEED}.'])


if __name__ == '__main__':
    main()
