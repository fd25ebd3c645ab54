"""Programs try their places for output before they work, and say users' mistakes in one line."""
import argparse
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import ROOT, load_script

from mmhuman_dto.fileio.outputs import OutputError, output_file, output_folder, planned_folder
from mmhuman_dto.programs import DEBUG, program

#: The doctor runs without the package; check_parity hands its arguments on, and writes nothing.
OTHERS = {'tools/misc/doctor.py', 'tools/misc/check_parity.py'}
PROGRAMS = sorted(str(path.relative_to(ROOT)) for folder in ('tools', 'demo') for path in (ROOT / folder).rglob('*.py')
                  if '__main__' in path.read_text())
PROGRAMS = [name for name in PROGRAMS if name not in OTHERS]
#: Options that name what is written, by their name or by what their help says.
WRITES = re.compile(r'^(out|out_dir|output|json|csv|docs|work_dir|folder)$')
SAYS_SO = re.compile(r'(to write|^write|write .* to|rewrite|output folder|where .* (go|is made))')
NO_PLACES = {'public_layout'}  # a name


class Parsed(Exception):
    """Carries the parser of a program."""


def options_of(name, monkeypatch):
    """Options of a program, as its main gives them to argparse; it goes no further."""
    def stop(parser, *args, **kwargs):
        raise Parsed(parser)

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', stop)
    main = load_script(name).main.__wrapped__
    with pytest.raises(Parsed) as parsed:
        main(*([[]] if inspect.signature(main).parameters else []))
    return parsed.value.args[0]._actions


@pytest.mark.parametrize('name', PROGRAMS)
def test_every_program_tries_its_places_for_output_as_it_starts(name, monkeypatch):
    for action in options_of(name, monkeypatch):
        if action.nargs != 0 and action.dest not in NO_PLACES and (
                WRITES.match(action.dest) or SAYS_SO.search(action.help or '')):
            place = action.option_strings or action.dest
            assert action.default is None or isinstance(action.default, str), f'argparse does not try {place}'
            with pytest.raises(OSError, match='/dev/null/a.*(cannot be written .*MB are free|no such page)'):
                action.type('/dev/null/a')


@pytest.mark.parametrize('place', ['new', 'new/er/est', 'there'])
def test_what_can_be_written_is_made_ready_and_nothing_is_left(tmp_path, place):
    (tmp_path / 'there').mkdir()
    (tmp_path / 'there/a.json').write_text('kept')
    before = sorted(tmp_path.rglob('*'))
    assert planned_folder(tmp_path / place) == tmp_path / place and sorted(tmp_path.rglob('*')) == before
    assert output_folder(tmp_path / place) == tmp_path / place
    assert output_file(str(tmp_path / place / 'b.json')) == tmp_path / place / 'b.json'
    output_file(tmp_path / 'there/a.json')
    assert [path for path in tmp_path.rglob('*') if path.is_file()] == [tmp_path / 'there/a.json']
    assert (tmp_path / 'there/a.json').read_text() == 'kept'


@pytest.mark.parametrize('kind, place', [
    (output_folder, '/proc/x'), (output_folder, 'file'), (output_folder, 'file/x'), (output_file, '/proc/x.json'),
    (output_file, 'file/x.json'), (output_file, '.'), (output_file, 'a\0b'), (output_file, 'a' * 300)])
def test_what_cannot_be_written_is_said(kind, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('file').write_text('')
    with pytest.raises(OutputError, match='cannot be written') as error:
        kind(place)
    assert '\n' not in str(error.value)


MISTAKES = {
    'tools/train.py vit-tiny': 'neither a config file nor the name of one',
    'tools/train.py broken.py': 'broken.py: no config can be read from it: line 2: SyntaxError',
    'tools/train.py lost_base.py': 'lost_base.py: no config can be read from it: .*gone.py',
    'tools/train.py notes.txt': 'notes.txt: no config can be read',
    'tools/train.py CONFIG --work-dir /proc/x': '/proc/x: cannot be written',
    'tools/train.py CONFIG --cfg-options work_dir=/proc/x': '/proc/x: cannot be written',
    'tools/train.py CONFIG --cfg-options optim_wrapper.optimizer.type=Foo': "type: nothing is registered as 'Foo'",
    'tools/train.py CONFIG --cfg-options model.head.typ=1': "model.head: PeopleHead has no option 'typ'",
    'tools/train.py CONFIG --cfg-options model.head.x.y.type=Foo model.head.x=3': "has no option 'x'",
    'tools/train.py CONFIG --cfg-options train_datloader.batch_size=1': "did you mean 'train_dataloader'",
    'tools/train.py CONFIG --cfg-options val_dataloader.num_worker=1': "did you mean 'num_workers'",
    'tools/train.py CONFIG --cfg-options train_dataloader.dataset.datasets.9.seed=1': 'do not fit it',
    'tools/train.py CONFIG --cfg-options load_from=nowhere.pth': r'nowhere.pth \(load_from\)',
    'tools/train.py CONFIG --resume nope.pth': 'nope.pth: no such checkpoint',
    'tools/test.py CONFIG nope.pth': 'nope.pth: no such checkpoint',
    'tools/test.py CONFIG .': '.: a folder, not a file of weights',
    'tools/test.py CONFIG nope.pth --out notes.txt/a.json': 'notes.txt/a.json: cannot be written',
    'tools/generate_dto.py nope': 'neither a config file nor the name of one',
    'tools/generate_dto.py broken.py': 'line 2: SyntaxError',
    'tools/generate_dto.py paper_synthetic-crowd --cfg-options device=cuda:99': 'cuda:99.*here are: cpu',
    'tools/misc/browse_dataset.py nope.py': 'neither a config file nor the name of one',
    'tools/misc/make_synthetic_crowd.py notes.txt': 'notes.txt: cannot be written',
    'tools/analysis_tools/score_results.py nowhere CONFIG': 'nowhere: no predictions and no truth in it',
    'tools/analysis_tools/score_results.py . --metric Foo': "no metric is called 'Foo'",
    'tools/model_converters/publish_model.py notes.txt a.safetensors': 'notes.txt: damaged',
    'tools/model_converters/mahmr2mmhuman.py notes.txt /proc/x.pth': '/proc/x.pth: cannot be written',
    'demo/image_demo.py --device cuda:99': "device 'cuda:99': not to be had .*here are: cpu",
    'demo/image_demo.py --device gpu': "device 'gpu': not to be had",
    'demo/image_demo.py --out-dir /proc/x': '/proc/x: cannot be written',
    'demo/image_demo.py --recipe broken.py': 'line 2: SyntaxError',
    'demo/dto_demo.py --data nowhere': 'nowhere: holds no initial_meshes.npz',
    'demo/dto_demo.py --out-dir notes.txt': 'notes.txt: cannot be written',
}


@pytest.mark.parametrize('command', MISTAKES)
def test_a_mistake_is_one_line(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path('broken.py').write_text('a = 1\nb = (\n')
    Path('lost_base.py').write_text("_base_ = ['gone.py']")
    Path('notes.txt').write_text('no config')
    name, *arguments = command.replace('CONFIG', str(ROOT / 'configs/metric_hmr/vit-tiny_synthetic-crowd.py')).split()
    monkeypatch.setattr(sys, 'argv', [name, *arguments])
    main = load_script(name).main
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(*([arguments] if inspect.signature(main).parameters else [])))
    line = str(ended.value) if isinstance(ended.value.code, str) else capsys.readouterr().err.strip()
    assert re.search(MISTAKES[command], line), line
    assert ended.value.code != 0 and len(line.splitlines()) <= 3


@pytest.mark.parametrize('error, line', [
    (OSError(28, 'No space left on device', 'a'), "[Errno 28] No space left on device: 'a'"),
    (OutputError('a: why'), 'a: why'), (ImportError('no b'), f'no b (ImportError; {DEBUG}=1 shows where)')])
def test_how_a_program_ends(error, line, monkeypatch, capsys):
    def fails():
        raise error

    with pytest.raises(SystemExit) as ended:
        program(fails)()
    assert ended.value.code == f'test_programs.py: {line}'
    assert program(status=2)(fails)() == 2 and capsys.readouterr().err == f'test_programs.py: {line}\n'
    monkeypatch.setenv(DEBUG, '1')
    with pytest.raises(type(error)):
        program(fails)()


def test_faults_of_ours_keep_their_traceback_and_ctrl_c_is_a_line(monkeypatch, capsys):
    with pytest.raises(ZeroDivisionError):
        program(lambda: 1 / 0)()

    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        program(stopped)()
    assert ended.value.code == 130 and capsys.readouterr().err == 'test_programs.py: stopped by Ctrl-C\n'


def test_an_unknown_option_is_named():
    done = subprocess.run([sys.executable, ROOT / 'tools/train.py', 'a', '--epochs', '3'], capture_output=True,
                          text=True)
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'unrecognized arguments: --epochs 3' in done.stderr
