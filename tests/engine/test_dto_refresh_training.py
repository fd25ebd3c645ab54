"""DTORefreshHook in real trainings: what is read when, and that resuming changes nothing."""
import shutil

import pytest
import torch
from evidence_table import IMAGES, write_evidence_table
from mmengine.config import Config
from mmengine.hooks import Hook
from scripts import ROOT
from unbroken import read_bytes

from mmhuman_dto.apis.training import build_runner
from mmhuman_dto.engine.hooks.dto_refresh_versions import LabelVersionError
from mmhuman_dto.tables.people_table import PeopleTable

STEPS, INTERVAL = 5, 2


class Watch(Hook):
    """Remembers image and depths of everybody in each step's batch."""

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append([(sample.img_id, sample.gt_instances.transl[:, 2]) for sample in data_batch['data_samples']])


def train(table, work_dir, steps=STEPS, resume=None):
    """A tiny network by the recipe, one persistent worker; everybody is matched to some query."""
    config = Config.fromfile(ROOT / 'configs/metric_hmr/vit-tiny_dto-refresh.py')
    mixture = config.train_dataloader.dataset
    mixture.datasets[0].update(data_root=str(IMAGES), table=str(table))
    for entry in (config.model.data_preprocessor, config.model.backbone, mixture.pipeline[2]):
        entry.input_size = 112
    config.custom_hooks[0].update(interval=INTERVAL, begin=0, min_iou=0.)
    config.merge_from_dict(dict(
        model=dict(threshold=0., decoder=dict(num_queries=20, num_layers=2), head=dict(num_layers=2)),
        train_dataloader=dict(batch_size=2), train_cfg=dict(max_iters=steps, val_interval=1000),
        default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=-1)), param_scheduler=[], visualizer=None,
        work_dir=str(work_dir), experiment_name=work_dir.name, resume=resume is not None,
        load_from=resume and str(resume)))
    del config.default_hooks['visualization']
    config.val_dataloader = config.val_cfg = config.val_evaluator = None
    config.test_dataloader = config.test_cfg = config.test_evaluator = None
    watch, runner = Watch(), build_runner(config)
    runner.register_hook(watch)
    runner.train()
    return watch.seen


@pytest.fixture(scope='module')
def table(tmp_path_factory):
    return write_evidence_table(tmp_path_factory.mktemp('crowd'), 3)


@pytest.fixture(scope='module')
def unbroken(table, tmp_path_factory):
    """Work folder of a run that was never stopped, and what its steps saw."""
    folder = tmp_path_factory.mktemp('unbroken')
    return folder, train(table, folder)


def labels_of(table, work_dir):
    """{image: depths} of the annotation and of each round in turn."""
    rounds = [PeopleTable(table)]
    rounds += [PeopleTable(path / 'table_0') for path in sorted((work_dir / 'dto_labels').glob('step_*'))]
    return [{t.image_id(i): t[i].pred_instances.transl[:, 2] for i in range(len(t))} for t in rounds]


def test_every_step_reads_the_newest_labels_though_its_loader_reads_ahead(table, unbroken):
    folder, seen = unbroken
    rounds = labels_of(table, folder)
    assert len(rounds) == 1 + STEPS // INTERVAL and len(seen) == STEPS
    assert not any(rounds[0][name].eq(rounds[1][name]).any() for name in rounds[0])
    for step, batch in enumerate(seen):
        for name, depths in batch:
            newest = rounds[step // INTERVAL][name]
            assert torch.isin(depths, newest).all()
            assert not any(torch.isin(depths, old[name]).all() for old in rounds if not old[name].equal(newest))


@pytest.mark.parametrize('step', [2, 3])
def test_resumed_in_the_middle_of_a_round_or_just_after_one_nothing_changes(step, table, unbroken, tmp_path):
    """The killed run had gone further: it leaves a later round, another's remains, and newer checkpoints."""
    whole, seen = unbroken
    shutil.copytree(whole / 'dto_labels', tmp_path / 'dto_labels')
    later = tmp_path / 'dto_labels/step_00000004'
    (later / 'table_0/people.heights.npy').write_bytes(b'cut')
    shutil.copytree(later, tmp_path / 'dto_labels/.step_00000004.tmp')
    again = train(table, tmp_path, resume=whole / f'iter_{step}.pth')
    for before, after in zip(seen[step:], again, strict=True):
        assert all(a == b and x.equal(y) for (a, x), (b, y) in zip(before, after, strict=True))
    assert read_bytes(tmp_path / 'dto_labels') == read_bytes(whole / 'dto_labels')
    one, other = (torch.load(folder / f'iter_{STEPS}.pth', weights_only=True) for folder in (whole, tmp_path))
    assert one['dto_labels'] == other['dto_labels']
    assert all(torch.equal(one['state_dict'][name], value) for name, value in other['state_dict'].items())


def test_resuming_without_the_labels_it_was_trained_on_is_refused(table, unbroken, tmp_path):
    with pytest.raises(LabelVersionError, match='step_00000002: not there'):
        train(table, tmp_path, resume=unbroken[0] / 'iter_3.pth')
