#!/usr/bin/env python
"""DTO on the bundled crowd: from initial meshes and relative depth to people placed together, checked by exact truth.

Writes to the output folder:
    annotations/        what tools/generate_dto.py writes: people_table, failures, contact sheets
    overlays/           each photo with its people before | after
    birdseye/           the people DTO kept from above on a metre grid, before | after, the truth as outlines
    metrics.json        {before: {...}, after: {...}, units, people_per_second, people, images}
"""
import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mmhuman_dto.evaluation.functional.placement import PLACEMENT_METRICS, PlacedPeople, placement_metrics
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.generation import Generator
from mmhuman_dto.generation.shards import TABLE
from mmhuman_dto.geometry import rasterize
from mmhuman_dto.programs import output_folder, program
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.tables.people_table import PeopleTable
from mmhuman_dto.visualization import Placement, draw_birdseye, draw_overlay, read_image, write_image

ROOT = Path(__file__).resolve().parents[1]


class Result(NamedTuple):
    """One kept image: everybody as the network had them, the people DTO kept, and everybody's truth."""
    before: HumanDataSample
    after: HumanDataSample
    truth: HumanDataSample


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=ROOT / 'demo/resources/crowd',
                        help='a folder written by tools/misc/make_synthetic_crowd.py')
    parser.add_argument('--config', type=Path, default=ROOT / 'configs/dto/paper_synthetic-crowd.py')
    parser.add_argument('--out-dir', type=output_folder, default='work_dirs/demo')
    parser.add_argument('--limit', type=int, help='only the first N images')
    return parser.parse_args(arguments)


@program
def main(arguments=None):
    args, start = parse_args(arguments), time.perf_counter()
    if not (args.data / 'initial_meshes.npz').is_file():
        sys.exit(f'{args.data}: holds no initial_meshes.npz; make one with tools/misc/make_synthetic_crowd.py')
    remove_earlier_run(args.out_dir)
    generator = run_dto(args.data, args.config, args.out_dir / 'annotations', args.limit)
    body_model = generator.pipeline.body_model.cpu()
    results = read_results(args.data, args.out_dir / 'annotations', generator.pipeline.source, body_model)
    metrics = measure(results, body_model)
    metrics['people_per_second'] = people_per_second(generator)
    metrics['images'] = dict(given=len(generator.ids), kept=len(results))
    names = OutputNames()
    for result in results:
        draw(result, body_model, args.out_dir, names.of(result.after.img_id))
    (args.out_dir / 'metrics.json').write_text(json.dumps(metrics, indent=2) + '\n', encoding='utf-8')
    report(metrics, args.out_dir, time.perf_counter() - start)


def remove_earlier_run(out_dir):
    """Removes what an earlier demo wrote, so that no picture of another crowd stays behind."""
    if (out_dir / 'annotations' / 'manifest.json').is_file():
        for name in ('annotations', 'overlays', 'birdseye'):
            shutil.rmtree(out_dir / name, ignore_errors=True)


def run_dto(data, config_file, out_dir, limit=None):
    """Runs the generator; returns it."""
    config = read_config(config_file)
    config.data_root = str(data)
    generator = Generator(config.to_dict(), out_dir, limit)
    warm_up(generator.pipeline.body_model)
    generator.run()
    return generator


def warm_up(body_model):
    """Draws one body: the rasteriser is compiled on its first use, which is no part of the people a second."""
    device = body_model.faces.device
    pose, betas = torch.zeros(1, 24, 3, device=device), torch.zeros(1, body_model.num_betas, device=device)
    with torch.no_grad():
        vertices = body_model(pose, betas, torch.tensor([[0., 0., 3.]], device=device)).vertices
    rasterize(vertices, body_model.faces, torch.eye(3, device=device), (8, 8))


def read_results(data, out_dir, source, body_model):
    """The kept images, each with its people before, after and in truth."""
    kept, truth = PeopleTable(out_dir / TABLE), PeopleTable(data / 'truth')
    rows = {truth.image_id(i): i for i in range(len(truth))}
    initial = {name: i for i, name in enumerate(source.ids)}
    results = []
    for i in range(len(kept)):
        after, name = kept[i], kept.image_id(i)
        before = source[initial[name]]
        missing = body_model.num_betas - before.pred_instances.betas.shape[1]
        before.pred_instances.betas = torch.nn.functional.pad(before.pred_instances.betas, (0, missing))
        results.append(Result(before, after, truth[rows[name]]))
    return results


def measure(results, body_model):
    """Metrics of the people DTO kept, before and after, and how many there were."""
    initial, final, true = [], [], []
    for before, after, truth in results:
        rows = after.pred_instances.person_index.long()
        initial.append(placed(before.pred_instances[rows], body_model))
        final.append(placed(after.pred_instances, body_model))
        true.append(placed(truth.pred_instances[rows], body_model))
    total, kept = sum(len(before.pred_instances) for before, _, _ in results), sum(len(p.heights) for p in final)
    left = sum(int((a.roots == b.roots).all(1).sum()) for a, b in zip(initial, final))
    return dict(
        before=placement_metrics(zip(initial, true)), after=placement_metrics(zip(final, true)),
        units={name: unit for name, (_, unit, _) in PLACEMENT_METRICS.items()},
        people=dict(initial=total, kept=kept, dropped=total - kept, left_unchanged=left))


def placed(people, body_model):
    """Pelvis and height of people as plain arrays."""
    pose, betas, transl = people.pose.float(), people.betas.float(), people.transl.float()
    return PlacedPeople(body_model.skeleton(pose, betas, transl)[:, 0].numpy(), body_model.height(betas).numpy())


def people_per_second(generator):
    """From photos and maps on disk to annotations on disk; the contact sheets are not counted."""
    people = sum(len(generator.pipeline.source[i].pred_instances) for i in range(len(generator.ids)))
    return people / sum(spent for stage, spent in generator.pipeline.seconds.items() if stage != 'sheets')


def draw(result, body_model, out_dir, name):
    """Writes the photo with its people and, for those DTO kept, the view from above, before | after."""
    faces = body_model.faces.numpy()
    image = read_image(result.before.img_path)
    before, after, truth = (Placement.from_sample(sample, body_model) for sample in result)
    overlays = [draw_overlay(image, placement, faces, title=title)
                for title, placement in (('before', before), ('after DTO', after))]
    write_image(out_dir / 'overlays' / f'{name}.jpg', np.concatenate(overlays, 1))
    panels = [('before', before.only(after.ids)), ('after DTO', after)]
    from_above = draw_birdseye(panels, faces, image.shape[:2], truth.only(after.ids))
    write_image(out_dir / 'birdseye' / f'{name}.png', from_above)


def report(metrics, out_dir, seconds):
    """Prints the table."""
    table = Table(title='DTO against exact truth (↑ more is better, ↓ less)', title_justify='left')
    table.add_column()
    for heading in ('before', 'after'):
        table.add_column(heading, justify='right')
    for name, (text, unit, more) in PLACEMENT_METRICS.items():
        digits = 1 if unit == '%' else 3
        values = [f'{metrics[side][name]:.{digits}f} {unit}' for side in ('before', 'after')]
        table.add_row(f'{text} {"↑" if more else "↓"}', *values)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    people, images = metrics['people'], metrics['images']
    console.print(f'{images["kept"]} of {images["given"]} images kept. Of their {people["initial"]} people '
                  f'{people["dropped"]} were dropped (hidden or too small) and {people["kept"]} measured before and '
                  f'after, {people["left_unchanged"]} of them left as they were.')
    console.print(f'{metrics["people_per_second"]:.0f} people a second from files to files, '
                  f'{seconds:.1f} s with all pictures.')
    console.print(f'In {out_dir}/: overlays, birdseye, annotations, metrics.json')


if __name__ == '__main__':
    main()
