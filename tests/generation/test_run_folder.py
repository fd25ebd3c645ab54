"""An output folder at work: one run at a time, damaged shards made again, a disk that gives up reported."""
import errno
import os
import socket
import subprocess
import sys

import pytest
from mmengine.config import Config
from unbroken import Killed, cut, flip, read_bytes

from mmhuman_dto.generation import GenerationError, Generator, sheets
from mmhuman_dto.generation.folder import at_work_in
from mmhuman_dto.generation.shards import Shards
from mmhuman_dto.tables.people_table import merge_tables

AT_WORK = """
import pathlib, sys
from mmhuman_dto.generation.folder import at_work_in
with at_work_in(pathlib.Path(sys.argv[1])):
    print('at work', flush=True)
    input()
"""


def test_a_second_run_is_refused_while_the_first_lives_and_not_after_its_death(tmp_path):
    first = subprocess.Popen([sys.executable, '-c', AT_WORK, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert first.stdout.readline() == b'at work\n'
    owner = f'process {first.pid} on {socket.gethostname()}'
    with pytest.raises(GenerationError, match=f'{owner} is at work in {tmp_path}'), at_work_in(tmp_path):
        pass
    first.kill()
    first.communicate()
    assert (tmp_path / '.lock').exists()
    with at_work_in(tmp_path):
        assert (tmp_path / '.lock').read_text() == f'process {os.getpid()} on {socket.gethostname()}\n'
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('pid, host', [(os.getppid(), socket.gethostname()), (2 ** 22 + 1, socket.gethostname()),
                                       (1, 'elsewhere')])
def test_what_a_lock_file_says_stops_nobody(pid, host, crowd):
    """Not even the number of a living process: the kernel knows who holds the lock."""
    crowd.out.mkdir()
    (crowd.out / '.lock').write_text(f'process {pid} on {host}\n')
    Generator(Config.fromfile(crowd.config).to_dict(), crowd.out, 2).run()
    assert not (crowd.out / '.lock').exists()


def test_a_lock_that_its_owner_removed_while_it_was_taken_is_taken_anew(tmp_path, monkeypatch):
    from mmhuman_dto.generation import folder
    original, calls = folder.fcntl.flock, []

    def flock(file, how):
        original(file, how)
        if not calls:
            (tmp_path / '.lock').unlink()
        calls.append(file)

    monkeypatch.setattr(folder.fcntl, 'flock', flock)
    with at_work_in(tmp_path):
        assert len(calls) == 2 and (tmp_path / '.lock').exists()


def test_a_file_system_without_locks_is_used_without(tmp_path, monkeypatch):
    from mmhuman_dto.generation import folder

    def flock(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(folder.fcntl, 'flock', flock)
    with at_work_in(tmp_path):
        pass


@pytest.fixture
def stopped(crowd, monkeypatch):
    """Config, and a run of three shards that was stopped before they were merged."""
    config = Config.fromfile(crowd.config).to_dict()

    def dies(self):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Shards, 'merge', dies)
        Generator(config, crowd.out / 'stopped', 12).run()
    return config, crowd.out / 'stopped'


@pytest.mark.parametrize('name, damage', [
    ('people_table/people.betas.npy', cut), ('people_table/people.betas.npy', flip), ('skipped.jsonl', os.remove),
    ('people_table/schema.json', cut), ('checksums.json', cut), ('checksums.json', os.remove)])
def test_a_damaged_shard_is_made_again(name, damage, crowd, stopped, caplog):
    config, folder = stopped
    Generator(config, crowd.out / 'whole', 12).run()
    damage(folder / 'shards' / '000001' / name)
    inodes = {path.name: path.stat().st_ino for path in (folder / 'shards').iterdir()}
    merge, seen = Shards.merge, {}

    def merging(self):
        seen.update({path.name: path.stat().st_ino for path in self.folder.iterdir()})
        merge(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shards, 'merge', merging)
        Generator(config, folder, 12, resume=True).run()
    assert f'shards/000001: made again, not as it was written: {name}' in caplog.text
    assert {shard for shard in inodes if seen[shard] != inodes[shard]} == {'000001'}
    assert read_bytes(folder) == read_bytes(crowd.out / 'whole')


def test_a_full_disk_ends_the_run_even_for_a_picture_and_resume_goes_on(crowd, monkeypatch):
    config = Config.fromfile(crowd.config).to_dict()
    config['contact_sheets'] = dict(every=4, rows=1)
    Generator(config, crowd.out / 'whole', 12).run()
    original, calls = sheets.write_image, []

    def write(path, image):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        original(path, image)

    monkeypatch.setattr(sheets, 'write_image', write)
    folder = crowd.out / 'full'
    with pytest.raises(GenerationError) as refusal:
        Generator(config, folder, 12).run()
    for words in (f'{folder}: cannot be written', 'No space left on device', 'MB are free', 'go on with --resume'):
        assert words in str(refusal.value)
    assert (folder / 'shards' / '000000').is_dir()
    Generator(config, folder, 12, resume=True).run()
    assert read_bytes(folder) == read_bytes(crowd.out / 'whole')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='a device that is always full')
def test_merging_onto_a_full_disk_is_an_error_not_a_signal(stopped, tmp_path):
    """Written through a memory map, the process would die without a word."""
    (tmp_path / 'merged').mkdir()
    (tmp_path / 'merged' / 'people.betas.npy').symlink_to('/dev/full')
    with pytest.raises(OSError, match='No space left'):
        merge_tables([stopped[1] / 'shards' / '000000' / 'people_table'], tmp_path / 'merged')
