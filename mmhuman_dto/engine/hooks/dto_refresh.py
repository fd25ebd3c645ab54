"""Pseudo ground truth that follows the network: DTO again every few steps, started from the network's bodies."""
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_reduce, broadcast_object_list, get_dist_info
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch.distributed.tensor import DTensor
from torch.utils.data import DataLoader, Dataset

from mmhuman_dto.datasets.human_table import HumanTable
from mmhuman_dto.datasets.transforms import LoadImage, PackHumanInputs, Pipeline
from mmhuman_dto.dto import DTOOptimizer
from mmhuman_dto.fileio.paths import path_below
from mmhuman_dto.registry import HOOKS
from mmhuman_dto.structures import HumanDataSample

from .dto_refresh_scenes import SceneRefresher, as_columns, as_rows
from .dto_refresh_versions import LabelVersions

#: Columns that a table needs for its labels to be refreshed.
_NEEDED = ('people.dto_evidence', 'people.global_orient', 'people.body_pose', 'people.betas', 'people.transl',
           'image.intrinsics', 'image.ori_shape')


@HOOKS.register_module()
class DTORefreshHook(Hook):
    """Every ``interval`` steps, place the annotated people of the training set anew (:class:`SceneRefresher`).

    All :class:`HumanTable` of the training set that keep evidence (``dto_evidence``, see docs/posterior.md) are
    refreshed, others stay as they are. The network predicts without augmentation, in evaluation mode; nothing else is
    asked, neither depth nor masks nor ages; people of pictures that cannot be read stay as they are. A round's transl,
    betas, heights and intrinsics are written to ``WORK_DIR/dto_labels/step_*`` (:class:`LabelVersions`; by the first
    process, all must see that folder) and are what training reads from the next step on. Checkpoints name the round
    they go on with, so a resumed run does what an unbroken one does. The images are shared between the processes, in
    batches that don't depend on their number.

    Args:
        interval: training steps between rounds.
        solver, prior: of :class:`mmhuman_dto.dto.DTOOptimizer`.
        begin: no round before this many steps: a network that has learnt nothing has nothing to say.
        min_iou: see :class:`SceneRefresher`.

    Raises:
        ValueError: no table with evidence, one without a column that is needed or with other bodies than the network's,
            a loop that cannot load anew, or a network that is spread over the processes.
        LabelVersionError: resumed, and the labels are not those the checkpoint was trained on.
    """

    # After what looks at a step, before its checkpoint is written, which then is one of after the round.
    priority = 'LOW'

    def __init__(self, interval, solver, prior=None, begin=0, min_iou=.3):
        prior = prior or dict(type='HeightPrior')
        self.interval, self.begin = interval, begin
        self.config = dict(interval=interval, begin=begin, solver=solver, prior=prior, min_iou=min_iou)
        self.state = self._loaded = None

    def after_load_checkpoint(self, runner, checkpoint):
        self._loaded = checkpoint.get('dto_labels')

    def before_train(self, runner):
        if not hasattr(runner.train_loop, 'restart_loading'):
            raise ValueError("DTORefreshHook needs train_cfg=dict(type='ResumableTrainLoop')")
        network = _network(runner)
        if any(isinstance(parameter, DTensor) for parameter in network.parameters()):
            raise ValueError('DTORefreshHook: each process predicts images of its own, so the network cannot be '
                             'spread over them')
        body_model = network.body_model
        self.datasets = refreshable(runner.train_dataloader.dataset, body_model)
        dto = DTOOptimizer(self.config['solver'], self.config['prior'])
        self.refresher = SceneRefresher(body_model, dto, self.config['min_iou'])
        self.versions = LabelVersions(Path(runner.work_dir) / 'dto_labels', [d.table for d in self.datasets],
                                      {**self.config, 'body_model': type(body_model).__name__})
        # Weights alone (load_from) are another run's.
        self._use(self._loaded if runner.iter > 0 else None)

    def before_save_checkpoint(self, runner, checkpoint):
        if self.state is not None:
            checkpoint['dto_labels'] = self.state

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        step = runner.iter + 1
        if step % self.interval == 0 and step >= self.begin:
            with _undisturbed(_network(runner)) as network:
                self._refresh(runner, network, step)
                runner.train_loop.restart_loading(step)

    def _refresh(self, runner, network, step):
        loader = runner.train_dataloader
        number = 1 + (self.state['round'] if self.state else 0)
        columns, counts = zip(*(self._round(network, dataset, loader) for dataset in self.datasets))
        states = [self.versions.write(step, number, columns, counts) if get_dist_info()[0] == 0 else None]
        broadcast_object_list(states)
        self._use(states[0])
        for dataset, count in zip(self.datasets, counts):
            runner.logger.info(f'DTO labels, round {number}, {dataset.name}: {count["moved"]} of {count["people"]} '
                               f'people moved')

    def _use(self, state):
        """Let training read the labels of a round; None: the annotation."""
        self.state = state
        tables = [None] * len(self.datasets) if state is None else self.versions.open(state)
        for dataset, table in zip(self.datasets, tables):
            dataset.labels = table

    def _round(self, network, dataset, loader):
        """New columns of one table, and what was done; the same on all processes."""
        table, last = dataset.table, dataset.labels or dataset.table
        device, num_betas = next(network.parameters()).device, network.body_model.num_betas
        people, cameras = torch.zeros(table.schema['num_people'], 6 + num_betas), torch.zeros(len(table), 9)
        moved = torch.zeros(1, dtype=torch.long)
        mine = annotated_batches(table, loader.batch_size)
        pictures = DataLoader(_Pictures(dataset), batch_sampler=mine, num_workers=loader.num_workers,
                              collate_fn=pseudo_collate)
        for indices, data in zip(mine, pictures):
            rows, labels = ([source[i].to(device) for i in indices] for source in (table, last))
            for index, label in zip(indices, self.refresher(rows, labels, network.test_step(data))):
                start, stop = table.people_offsets[index:index + 2]
                people[start:stop], cameras[index] = as_rows(label)
                moved += label.moved.sum().cpu()
        for values in (people, cameras, moved):
            all_reduce(values)
        nobody = torch.from_numpy(np.diff(table.people_offsets) == 0)
        cameras[nobody] = torch.from_numpy(last.columns['image.intrinsics'].reshape(-1, 9)[nobody.numpy()])
        counts = dict(name=dataset.name, people=len(people), moved=int(moved))
        return as_columns(people.numpy(), cameras.numpy(), num_betas), counts


def refreshable(dataset, body_model):
    """The :class:`HumanTable`s with evidence that a training set is mixed of; raises ValueError, see the hook."""
    found = [d for d in getattr(dataset, 'datasets', [dataset])
             if isinstance(d, HumanTable) and _NEEDED[0] in d.table.columns]
    if not found:
        raise ValueError('DTORefreshHook: no HumanTable of the training set has dto_evidence; generate the table with '
                         '--cfg-options stages.dto.keep_evidence=True')
    for table in (d.table for d in found):
        lacking = [name for name in _NEEDED if name not in table.columns]
        if lacking:
            raise ValueError(f'{table.folder}: DTORefreshHook needs {", ".join(lacking)}')
        betas, body = table.columns['people.betas'].shape[1], table.schema['body_model']
        if betas != body_model.num_betas:
            raise ValueError(f'{table.folder}: {betas} shape coefficients of {body}, the network has '
                             f'{body_model.num_betas}')
    return found


def annotated_batches(table, batch_size):
    """Batches of indices of a table's images with people, in order; those that are this process's."""
    rank, world_size = get_dist_info()
    indices = [i for i in range(len(table)) if table.people_offsets[i] < table.people_offsets[i + 1]]
    return [indices[i:i + batch_size] for i in range(0, len(indices), batch_size)][rank::world_size]


class _Pictures(Dataset):
    """The images of a :class:`HumanTable` without annotations, as networks take them."""

    def __init__(self, dataset):
        self.data_root, self.table = dataset.data_root, dataset.table
        self.pipeline = Pipeline([LoadImage(blank=True), PackHumanInputs()])

    def __getitem__(self, index):
        row = self.table[index]
        sample = HumanDataSample(metainfo=dict(row.metainfo, img_path=path_below(self.data_root, row.img_id)))
        return self.pipeline(sample)


def _network(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


@contextmanager
def _undisturbed(network):
    """The network in evaluation mode, without gradients; afterwards mode and random numbers are as before."""
    training, device = network.training, next(network.parameters()).device
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng([device] if device.type == 'cuda' else []):
            yield network
    finally:
        network.train(training)
