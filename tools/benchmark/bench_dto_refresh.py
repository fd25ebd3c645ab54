#!/usr/bin/env python
"""Do network and labels improve each other? Trainings on corrupted labels with and without DTORefreshHook.

    python tools/benchmark/bench_dto_refresh.py [--rounds 3] [--steps 40] [--json FILE] [--docs docs]

Rendered crowds whose annotation has the errors of single-person networks (mmhuman_dto/synthetic/corruption.py), and the
evidence that an imitated depth and an age network leave behind. The network is the shipped one, trained on with the
recipe vit-tiny_dto-refresh. ``--docs docs`` rewrites the tables of dto_refresh.md and its picture. About 5 minutes of
one CPU core; what is in ``--work-dir`` is used again.
"""
import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import machine, markdown, pages_in, report, write_section  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.hooks import Hook  # noqa: E402

from mmhuman_dto.apis.training import build_runner  # noqa: E402
from mmhuman_dto.engine.checkpoint import load_weights  # noqa: E402
from mmhuman_dto.evaluation.functional.placement import PlacedPeople, placement_metrics  # noqa: E402
from mmhuman_dto.generation import Generator  # noqa: E402
from mmhuman_dto.programs import output_file, output_folder, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS, READERS  # noqa: E402
from mmhuman_dto.synthetic import CrowdConfig  # noqa: E402
from mmhuman_dto.synthetic.writers.crowd import write_crowd  # noqa: E402
from mmhuman_dto.tables.people_table import PeopleTable, PeopleTableBuilder  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / 'demo/resources/vit-tiny_synthetic-crowd.safetensors'
SEED = 300
RECIPE = ROOT / 'configs/metric_hmr/vit-tiny_dto-refresh.py'
#: What is trained on: (table, whether it is refreshed).
ARMS = {'corrupted': ('corrupted', False), 'corrupted, refreshed': ('corrupted', True), 'DTO once': ('placed', False)}
FIGURES = {
    'translation_error': ('translation error, m', '.2f'), 'pcdr': ('PCDR, %', '.1f'),
    'relative_depth_error': ('depth error, %', '.1f'),
    'relative_depth_error_scaled': ('same, best scaled, %', '.2f'), 'height_error': ('height error, m', '.3f')}
FOUND = {'f1': ('F1, %', '.1f'), **FIGURES}


def make_data(folder, number, body_model):
    """Crowds, the table of DTO's placements with evidence, and the same people as they were annotated."""
    if not (folder / 'crowd/crowd.json').exists():
        scenes = Config.fromfile(RECIPE).val_dataloader.dataset.scenes
        write_crowd(folder / 'crowd', range(number), body_model, CrowdConfig(**{**scenes, 'size': (336, 448)}), SEED)
    config = Config.fromfile(ROOT / 'configs/dto/posterior_synthetic-crowd.py').to_dict()
    config.update(data_root=str(folder / 'crowd'), contact_sheets=dict(every=0))
    config['stages']['dto'].update(keep_evidence=True)
    del config['stages']['keep']
    if not (folder / 'dto/people_table').exists():
        Generator(config, folder / 'dto', resume=(folder / 'dto').exists()).run()
    if not (folder / 'corrupted').exists():
        write_corrupted(PeopleTable(folder / 'dto/people_table'), config['source'], folder)
    return dict(placed=PeopleTable(folder / 'dto/people_table'), corrupted=PeopleTable(folder / 'corrupted'))


def write_corrupted(placed, source, folder):
    """The people of a table of DTO's as they were before, with what was kept of the maps."""
    annotated = READERS.build({**source, 'data_root': folder / 'crowd'})
    index = {name: i for i, name in enumerate(annotated.ids)}
    table = PeopleTableBuilder(placed.schema['body_model'])
    for row in (placed[i] for i in range(len(placed))):
        before, people = annotated[index[row.img_id]], row.pred_instances
        sample = row.new()
        sample.pred_camera = before.pred_camera
        sample.pred_instances = before.pred_instances[people.person_index]
        betas = sample.pred_instances.betas
        sample.pred_instances.betas = torch.nn.functional.pad(betas, (0, people.betas.shape[1] - betas.shape[1]))
        for name in ('ages', 'male_probs', 'dto_evidence', 'person_index'):
            sample.pred_instances.set_field(people[name], name)
        table.add(sample)
    table.write(folder / 'corrupted')


@torch.no_grad()
def label_figures(labels, table, truth, body_model):
    """:func:`placement_metrics` of the labels (a table like ``table``) of a table's people."""
    true_row = {truth.image_id(i): i for i in range(len(truth))}
    scenes = []
    for i in range(len(table)):
        people, label = table[i].pred_instances, labels[i].pred_instances
        true = truth[true_row[table.image_id(i)]].pred_instances[people.person_index]
        scenes.append((_placed(body_model, people.pose, label), _placed(body_model, true.pose, true)))
    return placement_metrics(scenes)


def _placed(body_model, pose, people):
    roots = body_model.skeleton(pose, people.betas, people.transl)[:, 0]
    return PlacedPeople(roots.numpy(), body_model.height(people.betas).numpy())


class FromShippedWeights(Hook):
    """Starts with the shipped weights and keeps the figures of every validation, the first before training."""

    def __init__(self):
        self.figures = []

    def before_train(self, runner):
        load_weights(runner.model, WEIGHTS)
        runner.val_loop.run()

    def after_val_epoch(self, runner, metrics=None):
        self.figures.append({name: metrics[f'crowd/{name}'] for name in FOUND})


def train(name, table, refreshed, args, body_model):
    """One training from the shipped weights; figures of network and labels after each round, the start first."""
    cfg = Config.fromfile(RECIPE)
    work_dir = args.work_dir / 'trainings' / name.replace(', ', '_').replace(' ', '-')
    cfg.train_dataloader.dataset.datasets[0].update(
        data_root=str(args.work_dir / 'crowd/images'), table=str(table.folder))
    cfg.val_dataloader.dataset.update(num_scenes=args.held_out, cache_dir=str(args.work_dir / 'held_out'))
    cfg.train_cfg = dict(type='ResumableTrainLoop', max_iters=args.rounds * args.steps, val_interval=args.steps)
    cfg.custom_hooks[0].update(interval=args.steps, begin=0)
    cfg.merge_from_dict(dict(
        work_dir=str(work_dir), experiment_name=work_dir.name, visualizer=None,
        param_scheduler=[dict(type='LinearLR', start_factor=.05, by_epoch=False, end=30)],
        optim_wrapper=dict(optimizer=dict(lr=args.lr))))
    del cfg.default_hooks['visualization']
    if not refreshed:
        cfg.custom_hooks = []
    recorder, runner = FromShippedWeights(), build_runner(cfg)
    runner.register_hook(recorder)
    runner.train()
    versions = [table] + [PeopleTable(work_dir / f'dto_labels/step_{step:08d}/table_0') if refreshed else table
                          for step in range(args.steps, args.rounds * args.steps + 1, args.steps)]
    truth = PeopleTable(args.work_dir / 'crowd/truth')
    return dict(network=recorder.figures,
                labels=[label_figures(version, table, truth, body_model) for version in versions])


def rows_of(results, side, figures):
    """(arm, step, figures...) of all rounds; labels that don't change take one row."""
    rows = []
    for name, arm in results.items():
        for number, values in enumerate(arm[side]):
            if not (side == 'labels' and number and values == arm[side][0]):
                rows.append((name, str(number), *(format(values[key], how) for key, (_, how) in figures.items())))
    return rows


def draw(results):
    """Labels above, network below: each figure over the rounds."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(13, 6), layout='constrained')
    names = ('translation_error', 'pcdr', 'relative_depth_error', 'height_error')
    for row, side in zip(figure.subplots(2, len(names)), ('labels', 'network')):
        for axes, key in zip(row, names):
            for (name, arm), marker in zip(results.items(), 'osx'):
                axes.plot([values[key] for values in arm[side]], marker=marker, label=name)
            axes.set(title=f'{side}: {FIGURES[key][0]}', xlabel='round')
            axes.set_xticks(range(len(arm[side])))
            axes.grid(alpha=.3)
    figure.legend(*row[0].get_legend_handles_labels(), loc='outside lower center', ncols=len(results), frameon=False)
    return figure


def write_docs(folder, results, about):
    """Rewrite the generated part of dto_refresh.md and its picture."""
    draw(results).savefig(folder / 'images/dto_refresh.png', dpi=90)
    parts = [about]
    for side, title, figures in (('labels', 'Labels of the training set', FIGURES),
                                 ('network', 'Network on held-out crowds', FOUND)):
        heading = ('trained on', 'round', *(label for label, _ in figures.values()))
        parts += [f'{title}:', markdown(heading, rows_of(results, side, figures))]
    write_section(folder / 'dto_refresh.md', 'dto refresh', parts)


@program
def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=300, help='of the training set (default %(default)s)')
    parser.add_argument('--held-out', type=int, default=64, help='crowds the network is tested on')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=40, help='training steps a round')
    parser.add_argument('--lr', type=float, default=4e-4)
    parser.add_argument('--work-dir', type=output_folder, default='work_dirs/dto_refresh')
    parser.add_argument('--json', type=output_file, help='write the figures to this file')
    parser.add_argument('--docs', type=pages_in('dto_refresh.md'),
                        help='rewrite the tables in dto_refresh.md of this folder')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start = time.process_time()
    body_model = BODY_MODELS.build(dict(type='OpenBody'))
    tables = make_data(args.work_dir, args.images, body_model)
    results = {name: train(name, tables[table], refreshed, args, body_model)
               for name, (table, refreshed) in ARMS.items()}
    batch_size = Config.fromfile(RECIPE).train_dataloader.batch_size
    about = (f'{args.images} training images (seed {SEED}), {args.rounds} rounds of {args.steps} steps of '
             f'{batch_size} pictures, learning rate {args.lr:g}; {args.held_out} held-out crowds with exact truth; one '
             'training each.')
    for side, figures in (('labels', FIGURES), ('network', FOUND)):
        report(side, ['trained on', 'round', *(label for label, _ in figures.values())],
               rows_of(results, side, figures), results)
    print(f'{time.process_time() - start:.0f} s of processor time, without the loaders\'')
    if args.json:
        Path(args.json).write_text(json.dumps({**results, 'about': about, 'machine': machine()}, indent=2,
                                              default=np.ndarray.tolist))
    if args.docs:
        write_docs(args.docs, results, about)


if __name__ == '__main__':
    main()
