#!/usr/bin/env python
"""DTO-Humans' loop on real pictures, very small: labels of two cameras, a network trained on them, two other cameras.

    pip download pose2sim==0.10.49 --no-deps
    python tools/benchmark/bench_open_loop.py --clip pose2sim-0.10.49-py3-none-any.whl --docs docs

The clip (see bench_photos.py) has four cameras. All frames of the second and third, 200 pictures of the same three
people, are labelled by ``configs/dto/open_from-photos.py``, with the focal length that a calibrated camera has. A
network that knows rendered crowds goes on training, on more of them alone or on the labels too, for as many steps of as
many pictures, once for each seed, and is tested on 50 pictures of the first and fourth camera. People, room and clothes
are the same in all of them: what is shown is whether the loop works, not how good a network of it is.

About 3 minutes of one core for the labels, 2 for a training, half a one for a test; what is in ``--work-dir`` is used
again.
"""
import argparse
import json
import os
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from _common import machine, markdown, pages_in, report, write_section  # noqa: E402
from _photo_truth import CLIP_TRUTH, clip_cases, clip_frames  # noqa: E402
from bench_photos import FIGURES, infer, measure  # noqa: E402
from mmengine.config import Config  # noqa: E402

from mmhuman_dto.apis.training import build_runner  # noqa: E402
from mmhuman_dto.datasets.transforms import TrustLabels  # noqa: E402
from mmhuman_dto.engine.resume import latest_checkpoint  # noqa: E402
from mmhuman_dto.fileio import load_npz  # noqa: E402
from mmhuman_dto.fileio.bundled import find_config  # noqa: E402
from mmhuman_dto.generation import Generator  # noqa: E402
from mmhuman_dto.programs import output_file, output_folder, program  # noqa: E402
from mmhuman_dto.registry import BODY_MODELS  # noqa: E402
from mmhuman_dto.tables.people_table import PeopleTable  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
#: Cameras of the clip, counted from 0: those whose pictures are labelled, and those that are tested on.
LABELLED, TESTED = (1, 2), (0, 3)
#: Share of labelled photos among the pictures of a training.
ARMS = {'rendered crowds': 0., 'rendered crowds and labels': .5}
SHOWN = ('f1', 'f1_iou50', 'relative_depth_error', 'mpjpe', 'pa_mpjpe', 'height_error', 'pixel_error')
HEADINGS = ['', 'people', *(f'{FIGURES[name][0]}, {FIGURES[name][1]}' for name in SHOWN)]


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clip', type=Path, required=True, help="wheel or folder with the clip's videos")
    parser.add_argument('--truth', type=Path, default=CLIP_TRUTH, help="the clip's npz; default: the bundled one")
    parser.add_argument('--network', default='vit-tiny_synthetic-crowd', help='config, by file or name')
    parser.add_argument('--weights', type=Path, default=ROOT / 'demo/resources/vit-tiny_synthetic-crowd.safetensors',
                        help='that the trainings start from')
    parser.add_argument('--steps', type=int, default=250, help='of a training, 8 pictures each')
    parser.add_argument('--lr', type=float, default=4e-4)
    parser.add_argument('--seeds', type=int, default=2, help='trainings of each kind')
    parser.add_argument('--limit', type=int, help='only the first N pictures of each camera')
    parser.add_argument('--work-dir', type=output_folder, default='work_dirs/open_loop')
    parser.add_argument('--json', type=output_file, help='write the figures to this file too')
    parser.add_argument('--docs', type=pages_in('benchmarks.md'), help='rewrite the tables of this folder')
    return parser.parse_args(argv)


def make_labels(args):
    """Folder of the table of labels, made of all frames of the cameras that are labelled."""
    photos, out = args.work_dir / 'photos', args.work_dir / 'labels'
    with load_npz(args.truth) as arrays:
        focals = {camera: float(arrays['K'][camera][1, 1]) for camera in LABELLED}
    known = {}
    for camera, focal in focals.items():
        (photos / f'cam{camera + 1:02d}').mkdir(parents=True, exist_ok=True)
        for number, image in clip_frames(args.clip, camera):
            name = f'cam{camera + 1:02d}/{number:06d}.jpg'
            if args.limit and number >= args.limit:
                break
            if not (photos / name).exists():
                cv2.imwrite(str(photos / name), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
            known[name] = focal
    (args.work_dir / 'focal.json').write_text(json.dumps(known))
    config = Config.fromfile(ROOT / 'configs/dto/open_from-photos.py')
    config.merge_from_dict(dict(data_root=str(args.work_dir), source=dict(folder='photos'), device='cpu'))
    config.stages.focal.source = dict(type='GivenFocal', focal='focal.json')
    Generator(config.to_dict(), out, resume=out.exists()).run()
    return out / 'people_table'


def label_rows(table, args, body_model):
    """Rows of figures of the labels, by what is kept of them."""
    table = PeopleTable(table)
    samples = {table.image_id(i): table[i] for i in range(len(table))}
    cases = [case for case in clip_cases(args.clip, args.truth, LABELLED) if f'{case.img_id}.jpg' in samples]
    kinds = {'all': lambda people: torch.ones(len(people), dtype=torch.bool),
             'has_mesh': lambda people: people.has_mesh,
             'and has_shape': lambda people: people.has_mesh & people.has_shape,
             'and has_depth': lambda people: people.has_mesh & people.has_depth}
    return [dict(measure(cases, [_scene(samples[f'{case.img_id}.jpg'], which, body_model) for case in cases], 'after'
                         )['all'], who=name) for name, which in kinds.items()]


def _scene(sample, which, body_model):
    """Those of an image's labels of whom ``which`` is true, as what :func:`measure` takes."""
    sample = sample.clone()
    sample.gt_instances = sample.pred_instances
    sample.pred_instances = sample.pred_instances[which(TrustLabels()(sample).gt_instances)]
    return SimpleNamespace(sample=sample, before=None, body_model=body_model)


def train(share, seed, table, args):
    """Config and weights of a training that goes on from ``--weights``."""
    name = f'{Path(args.network).stem}_{"labels" if share else "crowds"}_{args.steps}_{seed}'
    work_dir = args.work_dir / 'trainings' / name
    config = work_dir / 'network.py'
    if not config.exists():
        cfg = Config.fromfile(find_config(args.network))
        set_data(cfg.train_dataloader, share, table, args.work_dir)
        cfg.merge_from_dict(dict(
            work_dir=str(work_dir), experiment_name=name, visualizer=None, load_from=str(args.weights),
            train_cfg=dict(max_iters=args.steps, val_interval=args.steps + 1), randomness=dict(seed=seed),
            param_scheduler=[
                dict(type='LinearLR', start_factor=.05, by_epoch=False, end=max(args.steps // 10, 1)),
                dict(type='CosineAnnealingLR', by_epoch=False, begin=args.steps // 10, end=args.steps, eta_min=1e-6)],
            optim_wrapper=dict(optimizer=dict(lr=args.lr)), val_cfg=None, val_dataloader=None, val_evaluator=None))
        cfg.train_dataloader.dataset.seed = seed
        cfg.default_hooks.pop('visualization', None)
        build_runner(cfg).train()
        cfg.dump(config)
    return config, latest_checkpoint(work_dir)[0]


def set_data(loader, share, table, work_dir):
    """Rendered crowds of the second version in all formats, and a share of the labelled photos."""
    size = next(step.input_size for step in loader.dataset.pipeline if step.type == 'RandomView')
    crowd = dict(
        type='SyntheticCrowd', seed=77, num_scenes=3000, cache_dir=str(work_dir / 'crowds'), scenes=dict(
            version=2, size=(size * 3 // 4, size), people=(1, 6), fov=(25., 90.), first_row=(.6, 1.1)))
    photos = dict(
        type='HumanTable', table=str(table), num_betas=11, fully_annotated=True, pipeline=[
            dict(type='LoadImage'), dict(type='TrustLabels'),
            dict(type='JointsFromMeshes', body_model=dict(type='OpenBody'))])
    loader.update(batch_size=8, num_workers=0, persistent_workers=False)
    loader.dataset.update(
        datasets=[crowd, photos] if share else [crowd], weights=[1 - share, share] if share else [1.], pipeline=[
            dict(type='RandomView', input_size=size, rotation=10., scale=(.8, 1.5), below_spine=.2),
            dict(type='KeepVisiblePeople', min_joints=4),
            dict(type='ColorJitter', strength=.3),
            dict(type='PackHumanInputs')])


def tested_rows(networks, args):
    """Rows of figures of networks {name: (config, weights)}, and of the recipe that made the labels."""
    cases = list(clip_cases(args.clip, args.truth, TESTED))
    cases = [case for case in cases if not args.limit or int(case.img_id.split('/')[1]) < args.limit]
    rows = []
    for name, (config, weights) in networks.items():
        scenes, _ = infer(dict(recipe='network', model=str(config), checkpoint=str(weights)), cases, True)
        rows.append(dict(measure(cases, scenes, 'before')['all'], who=name))
    scenes, _ = infer(dict(recipe='photo'), cases, True)
    return [*rows, dict(measure(cases, scenes, 'after')['all'], who='the recipe of the labels')]


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    table = make_labels(args)
    labels = label_rows(table, args, BODY_MODELS.build(dict(type='OpenBody')))
    networks = {'at the start': (find_config(args.network), args.weights)}
    for seed in range(args.seeds):
        for name, share in ARMS.items():
            networks[f'{name}, seed {seed}'] = train(share, seed, table, args)
    tested = tested_rows(networks, args)
    report('Labels of the cameras that are learnt from', HEADINGS, map(cells, labels), {})
    report('Networks on other cameras', HEADINGS, map(cells, tested), dict(labels=labels, tested=tested), args.json)
    if args.docs:
        write_page(args, labels, tested)


def write_page(args, labels, tested):
    """Rewrite the generated tables of benchmarks.md."""
    about = ', '.join(f'{name} {value}' for name, value in machine().items())
    write_section(args.docs / 'benchmarks.md', 'open loop', [
        markdown(['labels', *HEADINGS[1:]], map(cells, labels)),
        markdown(['trained on', *HEADINGS[1:]], map(cells, tested)),
        f'`{args.network}`, {args.steps} steps of 8 pictures, learning rate {args.lr}; {about}.'])


def cells(row):
    return [row['who'], str(row['people']), *(
        '-' if np.isnan(row[name]) else f'{row[name]:.{FIGURES[name][2]}f}' for name in SHOWN)]


if __name__ == '__main__':
    main()
