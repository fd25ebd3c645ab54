"""Which checkpoint a run goes on from, and that there is always one."""
import errno
import logging
import os
import re
import shutil
import time
from collections import deque
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from unbroken import cut, flip

from mmhuman_dto.apis import training
from mmhuman_dto.apis.training import WorkDirError, train
from mmhuman_dto.engine.checkpoint import CheckpointError, read_state
from mmhuman_dto.engine.divergence import DivergedError
from mmhuman_dto.engine.hooks import AtomicCheckpointHook, SteadyTimerHook
from mmhuman_dto.engine.hooks.plain_checkpoint import load_local
from mmhuman_dto.engine.loops import ResumableTrainLoop
from mmhuman_dto.engine.resume import find_damage, latest_checkpoint


@pytest.fixture
def work_dir(tmp_path):
    """Checkpoints of steps 2, 4, 6, the last of which is 6."""
    for step in (2, 4, 6):
        torch.save(dict(state_dict=dict(a=torch.full((1000, ), float(step)))), tmp_path / f'iter_{step}.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_6.pth'))
    return tmp_path


def spoil(path, *keys, value=torch.nan):
    """A value that is not finite in one place of a checkpoint."""
    content = torch.load(path, weights_only=True)
    place = content
    for key in keys or ('state_dict', ):
        place = place.setdefault(key, {})
    place['a'] = torch.tensor([1., value])
    torch.save(content, path)


def empty(path):
    os.truncate(path, 0)


def test_a_moved_folder_is_found(work_dir, tmp_path_factory):
    moved = tmp_path_factory.mktemp('moved') / 'here'
    work_dir.rename(moved)
    assert latest_checkpoint(moved)[0] == moved / 'iter_6.pth'


def run_further(original):
    (original / 'iter_8.pth').write_bytes((original / 'iter_6.pth').read_bytes())
    (original / 'last_checkpoint').write_text(str(original / 'iter_8.pth'))


def clear(original):
    for path in original.glob('iter_*.pth'):
        path.unlink()


@pytest.mark.parametrize('fate', [lambda original: None, run_further, clear, shutil.rmtree])
def test_a_copied_folder_goes_on_from_its_own(work_dir, tmp_path_factory, fate):
    copy = tmp_path_factory.mktemp('copied') / 'here'
    shutil.copytree(work_dir, copy)
    fate(work_dir)
    assert latest_checkpoint(copy)[0] == copy / 'iter_6.pth'
    clear(copy)
    assert latest_checkpoint(copy) == (None, {})  # not the original's


def test_checkpoints_in_the_out_dir_of_the_hook_are_found(work_dir, tmp_path_factory):
    run = tmp_path_factory.mktemp('run')
    (work_dir / 'last_checkpoint').rename(run / 'last_checkpoint')
    assert latest_checkpoint(run)[0] == work_dir / 'iter_6.pth'


def test_in_a_copied_folder_the_best_so_far_is_the_copys(tmp_path):
    for keys, before in (('a', dict(best_ckpt='/gone/best_a.pth')), (['a', 'b'], dict(best_ckpt_a='/gone/best_a.pth'))):
        hook = AtomicCheckpointHook(save_best=keys, rule='greater')
        hub = SimpleNamespace(runtime_info=before, get_info=before.get)
        hook.before_train(SimpleNamespace(work_dir=str(tmp_path), message_hub=hub, logger=logging.getLogger('test')))
        path = hook.best_ckpt_path or hook.best_ckpt_path_dict['a']
        assert path == str(tmp_path / 'best_a.pth')


@pytest.mark.parametrize('name, change, taken, damaged', [
    ('iter_2.pth', os.remove, 6, []),
    ('iter_6.pth', os.remove, 4, []),
    *[('iter_6.pth', damage, 4, ['iter_6.pth']) for damage in (cut, flip, empty, spoil)],
    ('iter_6.pth', partial(spoil, value=-torch.inf), 4, ['iter_6.pth']),
    ('iter_6.pth', lambda path: spoil(path, 'optimizer', 'state', 0), 4, ['iter_6.pth']),
    ('iter_6.pth', lambda path: spoil(path, 'message_hub'), 6, []),  # the log may have such figures
    *[('last_checkpoint', change, 6, []) for change in (empty, os.remove)],
    # Newer ones are of an earlier run.
    ('last_checkpoint', lambda path: path.write_text(str(path.with_name('iter_4.pth'))), 4, [])])
def test_the_last_whole_one_is_taken(work_dir, name, change, taken, damaged):
    change(work_dir / name)
    path, found = latest_checkpoint(work_dir)
    assert path == work_dir / f'iter_{taken}.pth' and [path.name for path in found] == damaged


def test_a_changed_bit_is_found_that_torch_reads_over(work_dir):
    path = work_dir / 'iter_4.pth'
    flip(path)
    assert not torch.load(path, weights_only=True)['state_dict']['a'].eq(4).all()
    assert 'not as it was written' in find_damage(path)


def test_folders_of_sharded_checkpoints_are_looked_into(work_dir):
    folder = work_dir / 'iter_8.pth'
    folder.mkdir()
    for rank in range(2):
        (work_dir / f'iter_{2 + 2 * rank}.pth').rename(folder / f'rank{rank}.pth')
    assert find_damage(folder) is None
    cut(folder / 'rank1.pth')
    assert find_damage(folder)


def test_all_damaged_is_an_error_that_names_them(work_dir):
    for step in (2, 4, 6):
        empty(work_dir / f'iter_{step}.pth')
    with pytest.raises(CheckpointError, match='remove them to train from the start') as error:
        latest_checkpoint(work_dir)
    assert all(f'iter_{step}.pth' in str(error.value) for step in (2, 4, 6))


def test_the_latest_or_the_named_one_is_resumed_and_a_new_run_starts_with_its_weights(work_dir, monkeypatch):
    built = []
    monkeypatch.setattr(training, 'build_runner', lambda cfg: built.append(cfg) or SimpleNamespace(train=lambda: None))
    second, last = (str(work_dir / f'iter_{step}.pth') for step in (2, 6))
    for folder, resume in ((work_dir, 'auto'), (work_dir, second), (work_dir / 'new', 'auto')):
        train(Config(dict(work_dir=str(folder), load_from='start.pth', resume=False)), resume)
    assert [(cfg.resume, cfg.load_from) for cfg in built] == [(True, last), (True, second), (False, 'start.pth')]


@pytest.mark.parametrize('number, path, kind, message', [
    *[(number, '.iter_8.pth.tmp', WorkDirError, '.* cannot be written .* MB are free .* go on with --resume')
      for number in (errno.ENOSPC, errno.EROFS, errno.EACCES)],
    (errno.EACCES, '/data/a.jpg', PermissionError, '')])
def test_a_disk_that_cannot_be_written_is_one_clear_error_and_not_taken_for_that_of_data(
        work_dir, number, path, kind, message, monkeypatch):
    def fails():
        raise OSError(number, os.strerror(number), str(work_dir / path))

    monkeypatch.setattr(training, 'build_runner', lambda cfg: SimpleNamespace(train=fails))
    with pytest.raises(kind) as error:
        train(Config(dict(work_dir=str(work_dir))))
    assert type(error.value) is kind and re.match(message and f'{work_dir}{message}', str(error.value))


class Runner:
    """As much of a runner as checkpoints need."""

    def __init__(self, folder):
        self.work_dir, self.info, self.fails = str(folder), {}, False
        self.message_hub = SimpleNamespace(update_info=self.info.__setitem__)
        self.model, self.optimizer = torch.nn.Linear(2, 2), dict(state={})
        self.optim_wrapper = SimpleNamespace(state_dict=lambda: self.optimizer)

    def save_checkpoint(self, folder, name, *args, **kwargs):
        with open(os.path.join(folder, name), 'w') as file:
            file.write('half')
            if self.fails:
                raise OSError(errno.ENOSPC, 'full')
            file.write(str(self.info['keep_ckpt_ids']))


@pytest.fixture
def saving(tmp_path):
    from mmengine.fileio import LocalBackend
    hook, runner = AtomicCheckpointHook(by_epoch=False, max_keep_ckpts=1), Runner(tmp_path)
    hook.out_dir, hook.file_backend, hook.keep_ckpt_ids = str(tmp_path), LocalBackend(), deque(maxlen=1)
    return runner, lambda step: hook._save_checkpoint_with_step(runner, step, {}), hook


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_outdated_checkpoint_goes_when_the_next_is_safe(saving, tmp_path):
    runner, save, _ = saving
    save(2)
    save(4)
    assert names(tmp_path) == ['iter_4.pth', 'last_checkpoint']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_4.pth')
    # Of a run stopped before the removal, the next one knows what to remove.
    assert (tmp_path / 'iter_4.pth').read_text() == 'half[2, 4]'


def test_a_full_disk_costs_no_checkpoint(saving, tmp_path):
    runner, save, _ = saving
    save(2)
    runner.fails = True
    with pytest.raises(OSError):
        save(4)
    assert {'iter_2.pth', 'last_checkpoint'} == {name for name in names(tmp_path) if not name.endswith('.tmp')}
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_2.pth')


@pytest.mark.parametrize('where', ['weights', 'optimizer'])
def test_what_is_not_finite_is_never_saved(saving, tmp_path, where):
    runner, save, _ = saving
    save(2)
    if where == 'weights':
        runner.model.bias.data[1] = torch.nan
    else:
        runner.optimizer['state'] = {0: dict(exp_avg_sq=torch.tensor([torch.inf]))}
    name = {'weights': r'state_dict\.bias', 'optimizer': r'optimizer\.state\.0\.exp_avg_sq'}[where]
    with pytest.raises(DivergedError, match=f'step 4: nan or infinity in {name} in the checkpoint to be written'):
        save(4)
    assert names(tmp_path) == ['iter_2.pth', 'last_checkpoint']


@pytest.mark.parametrize('read', [load_local, read_state])
def test_weights_that_are_not_finite_are_refused_by_the_name_of_file_and_tensor(work_dir, read):
    path = work_dir / 'iter_4.pth'
    spoil(path)
    with pytest.raises(CheckpointError, match=r'iter_4\.pth: nan or infinity in .*a; take an earlier one'):
        read(path)


def test_saving_a_step_again_keeps_it(saving, tmp_path):
    _, save, hook = saving
    save(2)
    save(2)
    assert names(tmp_path) == ['iter_2.pth', 'last_checkpoint'] and list(hook.keep_ckpt_ids) == [2]


def test_a_jump_of_the_clock_is_not_time_spent(monkeypatch):
    scalars, info = {}, {}
    runner = SimpleNamespace(iter=0, max_iters=200_000, message_hub=SimpleNamespace(
        update_scalar=scalars.__setitem__, update_info=info.__setitem__))
    hook, steady, wall = SteadyTimerHook(), [100.], [0.]
    monkeypatch.setattr(time, 'monotonic', lambda: steady[0])
    monkeypatch.setattr(time, 'time', lambda: wall[0])
    hook._before_epoch(runner)
    wall[0] = 1.7e9
    steady[0] += 1
    hook._before_iter(runner, 0)
    steady[0] += 2
    hook._after_iter(runner, 0)
    assert scalars == {'train/data_time': 1., 'train/time': 3.} and info == dict(eta=3. * 199_999)


@pytest.mark.parametrize('step, validated', [(0, [4, 7]), (3, [4, 7]), (4, [4, 7]), (5, [7]), (7, [7])])
def test_a_run_stopped_in_a_validation_validates_when_it_goes_on(step, validated):
    """A checkpoint comes before the validation of its step."""
    seen = []
    loop = object.__new__(ResumableTrainLoop)
    vars(loop).update(
        _iter=step, _max_iters=7, stop_training=False, val_begin=1, val_interval=4, dynamic_milestones=[],
        dynamic_intervals=[4], run_iter=lambda batch: vars(loop).update(_iter=loop._iter + 1),
        dataloader=type('Loader', (list, ), dict(sampler=SimpleNamespace(start_at=lambda n: None), batch_size=1))(
            range(9)),
        _runner=SimpleNamespace(model=SimpleNamespace(train=lambda: None), call_hook=lambda name: None, seed=0,
                                val_loop=SimpleNamespace(run=lambda: seen.append(loop._iter))))
    loop.run()
    assert seen == validated
