"""The chaos programs: a few strikes each time, two hundred in the slow suite."""
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def strike(program, folder, *arguments):
    """Run one; returns exit status and what it printed."""
    process = subprocess.run([sys.executable, HERE / program, '--work-dir', folder, *arguments], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return process.returncode, process.stdout


@pytest.mark.parametrize('program, kills', [
    ('chaos_generate.py', 8), ('chaos_train.py', 2),
    pytest.param('chaos_generate.py', 200, marks=pytest.mark.slow),
    pytest.param('chaos_train.py', 200, marks=pytest.mark.slow)])
def test_struck_runs_end_as_the_unbroken_one(program, kills, tmp_path):
    status, text = strike(program, tmp_path / 'chaos', '--kills', str(kills))
    assert status == 0, text
    struck = int(text.splitlines()[-2].split(' strikes')[0])
    assert struck >= kills and ' 0 of ' in f' {text.splitlines()[-1]}', text
    assert not (tmp_path / 'chaos').exists()


BROKEN = """
import sys
sys.path.insert(0, {here!r})
import chaos_generate
from mmhuman_dto.generation import shards

# Without its look at the checksums, the generator takes damaged shards for whole ones.
shards._damaged_files = lambda folder: []
chaos_generate.GenerationTrial.faults = ('shard_damaged', )
sys.exit(chaos_generate.run(chaos_generate.GenerationTrial, chaos_generate.prepare, ''))
"""


def test_a_program_that_loses_something_is_found_out(tmp_path):
    """What the chaos programs look for they find, and they keep it."""
    program = tmp_path / 'broken.py'
    program.write_text(BROKEN.format(here=str(HERE)))
    status, text = strike(program, tmp_path / 'chaos', '--kills', '6', '--seed', '3')
    assert status == 1 and 'DIFFERS' in text and 'again with --seed 3 --trial' in text, text
    assert list((tmp_path / 'chaos').glob('trial-*/difference.txt'))
