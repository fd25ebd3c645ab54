"""Draw what a data set or a training pipeline yields: image, boxes, joints, meshes, and people from above in metres.

    python tools/misc/browse_dataset.py configs/metric_hmr/vit-tiny_synthetic-crowd.py --num 8
    python tools/misc/browse_dataset.py configs/dto/paper_synthetic-crowd.py            # a reader of public files
    python tools/misc/browse_dataset.py demo/resources/crowd/truth --img-root demo/resources/crowd/images

One picture an item in the output folder. Left: boxes (of the valid 2D joints where the data have none), joints (left
white, right black), depth layers and years. Middle: meshes with heights and distances. Right: the view from above.
"""
import argparse
import sys
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import numpy as np
import torch
from mmengine.config import Config, DictAction

from mmhuman_dto.apis.training import check_files
from mmhuman_dto.datasets import HumanTable
from mmhuman_dto.datasets.transforms import JointsFromMeshes, LoadImage, Resize
from mmhuman_dto.fileio.config import read_config
from mmhuman_dto.fileio.names import OutputNames, printable
from mmhuman_dto.programs import output_folder, program
from mmhuman_dto.registry import BODY_MODELS, DATASETS, READERS
from mmhuman_dto.structures import People
from mmhuman_dto.tables.people_table import PeopleTable
from mmhuman_dto.visualization import draw_sample, write_image


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', type=Path, help='a config with dataloaders, or with `source` (a reader of public '
                                                'files), or the folder of a people table')
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train', help='which dataloader')
    parser.add_argument('--img-root', type=Path, help='folder of the images of a people table, if not the '
                        'one it was made with')
    parser.add_argument('--out-dir', type=output_folder, default='work_dirs/browse')
    parser.add_argument('--num', type=int, default=8, help='how many items (default %(default)s)')
    parser.add_argument('--seed', type=int, help='items at random, others for each seed; default: the first ones')
    parser.add_argument('--size', type=int, default=720, help='long side of the photo, px (default %(default)s)')
    parser.add_argument('--body-model-path', default='data/smpl',
                        help='licensed body models, where no config names them (default %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='override entries of the config')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    torch.set_num_threads(1)
    try:
        items, config = open_items(args)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f'{args.data}: {error}')
    bodies, failed = Bodies(config, args.body_model_path), 0
    for index in chosen(len(items), args.num, args.seed):
        try:
            print(printable(draw_item(items, index, bodies, args)))
        except (OSError, ValueError) as error:
            failed += 1
            print(f'{args.data}: {error}', file=sys.stderr)
    return int(failed > 0)


def draw_item(items, index, bodies, args):
    """Draw one item; returns the path of its picture."""
    sample = as_truth(items[index])
    path = args.out_dir / f'{index:06d}_{Path(OutputNames().of(sample.img_id)).name}.png'
    body_model = bodies.of(sample)
    Resize(args.size)(sample)
    write_image(path, draw_sample(sample, body_model, describe(sample)))
    return path


def open_items(args):
    """The data set or reader that the command line names, and the config where its body model stands."""
    if args.data.is_dir():
        if args.img_root is None and PeopleTable(args.data).img_root is None:
            sys.exit(f'{args.data}: --img-root is needed, the folder of the images of this table')
        return HumanTable(args.img_root, args.data), {}
    cfg = read_config(args.data, args.cfg_options)
    if 'source' in cfg:
        return READERS.build(cfg.source, default_args=dict(data_root=cfg.get('data_root', ''))), cfg.to_dict()
    key = f'{args.split}_dataloader'
    if key not in cfg:
        sys.exit(f'{args.data}: has neither {key} nor source')
    loader = Config({key: cfg[key]})
    check_files(loader)
    return DATASETS.build(cfg[key].dataset), {**loader.to_dict(), **cfg.to_dict()}


def chosen(length, number, seed):
    """Indices of the items to draw."""
    if seed is None:
        return range(min(number, length))
    # Streams without end are looked at near their beginning.
    length = min(length, 1_000_000)
    return np.random.default_rng(seed).choice(length, min(number, length), replace=False).tolist()


def as_truth(item):
    """The sample of an item, with its image and its people as ``gt_*``."""
    sample = item
    if isinstance(item, dict):
        sample = item['data_samples']
        sample.image = np.ascontiguousarray(item['inputs'].permute(1, 2, 0).numpy())
    for part in ('instances', 'camera'):
        if f'gt_{part}' not in sample and f'pred_{part}' in sample:
            setattr(sample, f'gt_{part}', sample.pop(f'pred_{part}'))
    if 'gt_instances' not in sample:  # pictures of which nothing is known
        sample.gt_instances = People(num_people=0)
    return sample if 'image' in sample else LoadImage()(sample)


class Bodies:
    """The body model of samples: the config's, else the one that a sample names.

    Args:
        config: dictionary with ``body_model`` somewhere in it, or not.
        model_path: licensed files of a model that a sample names.
    """

    def __init__(self, config, model_path):
        self.config, self.model_path = first_body_model(config), model_path
        self.built = {}

    def of(self, sample):
        """The body model of a sample's meshes, which get their joints where the data have none; None without meshes,
        or without the model's files, which is printed."""
        people = sample.gt_instances
        if 'transl' not in people or 'gt_camera' not in sample:
            return None
        config = self.config or self._named(sample.get('body_model', 'SMPL'))
        if config['type'] not in self.built:
            self.built[config['type']] = self._build(config)
        body_model, joints_from_meshes = self.built[config['type']]
        if body_model is not None:
            missing = max(body_model.num_betas - people.betas.shape[1], 0)
            people.betas = torch.nn.functional.pad(people.betas, (0, missing))
            if 'keypoints_2d' not in people:
                joints_from_meshes(sample)
        return body_model

    def _named(self, name):
        return dict(type=name) if name == 'OpenBody' else dict(type=name, model_path=self.model_path)

    @staticmethod
    def _build(config):
        try:
            return BODY_MODELS.build(config), JointsFromMeshes(config)
        except FileNotFoundError as error:
            print(f'meshes are not drawn: {error}', file=sys.stderr)
            return None, None


def first_body_model(config):
    """The first ``body_model`` in a config, however deep."""
    if isinstance(config, dict):
        if isinstance(config.get('body_model'), dict):
            return config['body_model']
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        return next((found for found in map(first_body_model, config) if found), None)
    return None


def describe(sample):
    """A line about a sample."""
    height, width = sample.ori_shape
    people = sample.gt_instances
    count = '1 person' if len(people) == 1 else f'{len(people)} people'
    parts = [sample.get('dataset', ''), sample.img_id, f'{width} x {height} px', count]
    if 'transl' in people and not sample.get('has_3d', True):
        parts.append('meshes are no targets')
    if not sample.get('fully_annotated', True):
        parts.append('not everyone is annotated')
    return '   '.join(part for part in parts if part)


if __name__ == '__main__':
    sys.exit(main())
