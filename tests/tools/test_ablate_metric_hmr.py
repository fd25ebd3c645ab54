import json
from types import SimpleNamespace

import pytest
from scripts import load_script

ablate = load_script('tools/benchmark/ablate_metric_hmr.py')


def finished(folder, f1, error):
    folder = folder / '20260101_000000/vis_data'
    folder.mkdir(parents=True)
    values = {f'crowd/{name}': error for name in ablate.FIGURES} | {'crowd/f1': f1}
    lines = [dict(loss=3.), {**values, 'crowd/f1': 0.}, dict(loss=2.), values]
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))


def test_finished_trainings_are_summed_up(tmp_path, capsys):
    for seed in range(2):
        for config in ablate.ARMS.values():
            finished(tmp_path / f'{config}_{seed}', 60. + 4 * seed, .5)
    ablate.main(['--seeds', '2', '--work-dir', str(tmp_path), '--json', str(tmp_path / 'a.json')])
    written = json.loads((tmp_path / 'a.json').read_text())
    assert [run['f1'] for run in written['no camera branch']] == [60, 64]
    assert capsys.readouterr().out.count('62.0 +- 2.8') == 3


def test_a_training_is_run_and_a_failed_one_named(tmp_path, monkeypatch):
    calls, failed = [], SimpleNamespace(returncode=1)
    monkeypatch.setattr(ablate.subprocess, 'run', lambda command, **_: calls.append(command) or failed)
    with pytest.raises(SystemExit, match='vit-tiny_short, seed 0'):
        ablate.main(['--seeds', '1', '--work-dir', str(tmp_path), '--cfg-options', 'train_cfg.max_iters=2'])
    assert calls[0][2].endswith('vit-tiny_short.py') and calls[0][-1] == 'train_cfg.max_iters=2'
