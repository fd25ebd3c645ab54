import json

import pytest
import torch


def test_evaluation_repeats_and_is_written(config, whole_run, finish, tmp_path):
    status, text = finish('test.py', config, whole_run / 'iter_7.pth', '--work-dir', tmp_path, '--out',
                          tmp_path / 'out.json', '--cfg-options', 'test_evaluator.threshold=0.',
                          'model.threshold=0.', 'train_dataloader.dataset.type=NotThere')
    assert status == 0, text
    metrics = json.loads((tmp_path / 'out.json').read_text())
    assert {'crowd/f1', 'crowd/pa_mpjpe', 'crowd/fov_error'} <= set(metrics)
    assert 0 < metrics['crowd/recall'] <= 100
    assert f'{"crowd/recall":32} {metrics["crowd/recall"]:10.4f}' in text


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_missing_files_end_with_one_message(config, finish, tmp_path, tool):
    torch.save({}, tmp_path / 'empty.pth')
    first = [tmp_path / 'empty.pth'] if tool == 'test.py' else []
    status, text = finish(tool, config, *first, '--work-dir', tmp_path, '--cfg-options',
                          'model.head.mean_params=nowhere/means.npz')
    assert status == 1
    assert 'nowhere/means.npz (model.head.mean_params)' in text and 'Traceback' not in text


def test_dry_run_tells_what_a_step_costs(config, finish):
    status, text = finish('train.py', config, '--dry-run', '--cfg-options', 'model.head.mean_params=nowhere/means.npz')
    assert status == 0, text
    assert 'all gradients finite' in text and 'GFLOP' in text and 'note: nowhere/means.npz not there' in text
