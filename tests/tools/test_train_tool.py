import os
import signal
import time

import pytest
import torch


def test_a_killed_run_goes_on_as_if_it_was_never_stopped(config, whole_run, start, finish, losses_of, weights_of,
                                                         tmp_path):
    process = start('train.py', config, '--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_iters=100000')
    while 5 not in losses_of(tmp_path):
        assert process.poll() is None, process.stdout.read()
        time.sleep(.02)
    process.kill()
    process.wait()
    status, text = finish('train.py', config, '--work-dir', tmp_path, '--resume')
    assert status == 0, text
    whole, resumed = losses_of(whole_run), losses_of(tmp_path)
    assert list(whole) == [1, 2, 3, 4, 5, 6, 7]
    assert 7 in resumed and 4 not in resumed
    for step, losses in resumed.items():
        assert losses == whole[step]
    first, second = (weights_of(folder / 'iter_7.pth') for folder in (whole_run, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize('workers', [0, 2])
def test_ctrl_c_leaves_a_checkpoint_and_a_line_and_nothing_is_lost(
        config, whole_run, start, finish, losses_of, weights_of, tmp_path, workers):
    process = start('train.py', config, '--work-dir', tmp_path, '--cfg-options',
                    'default_hooks.checkpoint.interval=1000', f'train_dataloader.num_workers={workers}',
                    'train_cfg.max_iters=100000',
                    new_session=True)
    while 3 not in losses_of(tmp_path):
        assert process.poll() is None, process.stdout.read()
        time.sleep(.02)
    os.killpg(process.pid, signal.SIGINT)  # to the workers too, as terminals do
    text, _ = process.communicate(timeout=60)
    last, = tmp_path.glob('iter_*.pth')
    assert process.returncode == 130 and 'Traceback' not in text, text
    assert text.splitlines()[-1] == (f'train.py: stopped by Ctrl-C after step {last.stem[5:]}: {last} is its '
                                     'checkpoint; go on with --resume')
    first = torch.load(last, weights_only=True)
    if int(last.stem[5:]) <= 7:
        status, text = finish('train.py', config, '--work-dir', tmp_path, '--resume')
        assert status == 0, text
        one, two = (weights_of(folder / 'iter_7.pth') for folder in (whole_run, tmp_path))
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert first['meta']['iter'] == int(last.stem[5:])


def test_a_log_begins_with_little_and_no_warning(whole_run):
    log, = whole_run.glob('*/*.log')
    before = log.read_text().split('Iter(train)')[0]
    assert len(before.splitlines()) < 60 and 'WARNING' not in before and 'PyTorch' in before
    assert 'LossSummaryHook' in before and (whole_run / 'tiny.py').is_file()


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_same_images(config, whole_run, finish, losses_of, weights_of, tmp_path):
    status, text = finish('train.py', config, '--work-dir', tmp_path, '--cfg-options', 'train_dataloader.batch_size=1',
                          'train_cfg.max_iters=4', ranks=2)
    assert status == 0, text
    one, two = losses_of(whole_run), losses_of(tmp_path)
    assert list(two) == [1, 2, 3, 4]
    for step, losses in two.items():
        assert losses == pytest.approx(one[step], rel=1e-3)
    first, second = (weights_of(folder / 'iter_4.pth') for folder in (whole_run, tmp_path))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0, atol=2e-4)


def test_log_names_the_last_layer_and_sums(whole_run, losses_of):
    first = losses_of(whole_run)[1]
    assert set(first) == {'loss', 'loss_aux', *(f'loss_{name}' for name in (
        'confs', 'boxes', 'giou', 'poses', 'betas', 'j3ds', 'j2ds', 'map_confs', 'map_scales', 'depths', 'depths_mt',
        'fov'))}
    assert first['loss'] == pytest.approx(sum(first.values()) - first['loss'], rel=1e-5)
