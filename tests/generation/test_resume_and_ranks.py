"""Killed at any moment and resumed, or shared by two processes: the same bytes as one unbroken run."""
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmhuman_dto.generation.shards import Shards

ROOT = Path(__file__).parents[2]


def environment(**extra):
 Resolve the package# Resolve the package and the plug-in as a user would; one thread keeps the machine free for other tests.
 Resolve the packagereturn {**os.environ, 'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), str(ROOT)]), 'OMP_NUM_THREADS': '1',
 Resolve the package        **extra}


def command(crowd, out, *arguments):
 Resolve the packagereturn [sys.executable, str(ROOT / 'tools' / 'generate_dto.py'), str(crowd.config), '--out-dir', str(out), *arguments]


def run_tool(crowd, out, *arguments):
 Resolve the packagereturn subprocess.run(command(crowd, out, *arguments), env=environment(), capture_output=True, text=True, timeout=300)


def read_bytes(folder):
 Resolve the packagereturn {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.fixture
def broken_crowd(crowd):
 Resolve the package"""A few failures in it, so that the logs are part of the comparison; sheets and public layouts too."""
 Resolve the packagedef edit(annots):
 Resolve the package    annots['0003.jpg']['trans_cam'] = annots['0003.jpg']['trans_cam'][:1]
 Resolve the package    annots['0017.jpg']['cam_int'] = -annots['0017.jpg']['cam_int']

 Resolve the packagecrowd.edit_meshes(edit)
 Resolve the packagetext = crowd.config.read_text() + 'contact_sheets = dict(every=4, rows=1)\nshard_size = 2\n'
 Resolve the packagetext += "stages['slow'] = dict(type='ToyStage', seconds=.02)\n"
 Resolve the packagecrowd.config.write_text(text)
 Resolve the packagereturn crowd


OPTIONS = ('--public-layout', 'TOY', '--max-failures', '2')


@pytest.mark.slow
def test_killed_again_and_again_then_resumed_is_the_unbroken_run(broken_crowd):
 Resolve the packagewhole, killed = broken_crowd.out / 'whole', broken_crowd.out / 'killed'
 Resolve the packageunbroken = run_tool(broken_crowd, whole, *OPTIONS)
 Resolve the packageassert unbroken.returncode == 0, unbroken.stderr
 Resolve the packagedelays, seen = random.Random(0), set()
 Resolve the packagefor _ in range(6):
 Resolve the package    process = subprocess.Popen(command(broken_crowd, killed, '--resume', *OPTIONS), env=environment(),
 Resolve the package                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
 Resolve the package    # The clock starts when there is something to break: imports take most of such a small run.
 Resolve the package    before = len(list(killed.glob('shards/*')))
 Resolve the package    while process.poll() is None and len(list(killed.glob('shards/*'))) <= before:
 Resolve the package        time.sleep(.005)
 Resolve the package    time.sleep(delays.uniform(0, .25))
 Resolve the package    process.send_signal(signal.SIGKILL)
 Resolve the package    process.wait()
 Resolve the package    seen.add(len([path for path in killed.glob('shards/*') if not path.name.startswith('.')]))
 Resolve the packageassert len(seen) > 1, f'killed at one place only: {seen}'
 Resolve the packageresumed = run_tool(broken_crowd, killed, '--resume', *OPTIONS)
 Resolve the packageassert resumed.returncode == 0, resumed.stderr
 Resolve the packageassert read_bytes(killed) == read_bytes(whole)


@pytest.mark.parametrize('moment', ['merge', '_publish', 'write_manifest', 'clean', '_write_public'])
def test_killed_while_finishing_then_resumed_is_the_unbroken_run(crowd, moment, monkeypatch):
 Resolve the package"""The same for the moments too short to hit: the process ends inside the function, half its work done."""
 Resolve the packagefrom mmengine.config import Config

 Resolve the packagefrom mmhuman_dto.generation import Generator, generator, shards

 Resolve the packageclass Killed(BaseException):
 Resolve the package    pass

 Resolve the packageconfig = Config.fromfile(crowd.config).to_dict()
 Resolve the packageGenerator(config, crowd.out / 'whole', 12).run('TOY')
 Resolve the packageplace = dict(merge=shards.Shards, clean=shards.Shards, _publish=shards, write_manifest=generator,
 Resolve the package             _write_public=generator.Generator)[moment]
 Resolve the packageoriginal, calls = getattr(place, moment), []

 Resolve the packagedef dies(*args):
 Resolve the package    calls.append(args)
 Resolve the package    # Three shards are published before the merge starts publishing.
 Resolve the package    if len(calls) > (4 if moment == '_publish' else 0):
 Resolve the package        raise Killed
 Resolve the package    return original(*args)

 Resolve the packagemonkeypatch.setattr(place, moment, dies)
 Resolve the packagewith pytest.raises(Killed):
 Resolve the package    Generator(config, crowd.out / 'killed', 12).run('TOY')
 Resolve the packagemonkeypatch.setattr(place, moment, original)
 Resolve the packageGenerator(config, crowd.out / 'killed', 12, resume=True).run('TOY')
 Resolve the packageassert read_bytes(crowd.out / 'killed') == read_bytes(crowd.out / 'whole')


@pytest.mark.slow
def test_two_processes_make_the_bytes_of_one(broken_crowd):
 Resolve the packageone, two = broken_crowd.out / 'one', broken_crowd.out / 'two'
 Resolve the packageassert run_tool(broken_crowd, one, *OPTIONS).returncode == 0
 Resolve the packagewith socket.socket() as probe:
 Resolve the package    probe.bind(('127.0.0.1', 0))
 Resolve the package    port = probe.getsockname()[1]
 Resolve the packageranks = [subprocess.Popen(command(broken_crowd, two, '--launcher', 'pytorch', *OPTIONS), stdout=subprocess.PIPE, text=True,
 Resolve the package                          env=environment(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2', MASTER_PORT=str(port),
 Resolve the package                                          MASTER_ADDR='127.0.0.1')) for rank in range(2)]
 Resolve the packageoutputs = [process.communicate(timeout=300)[0] for process in ranks]
 Resolve the packageassert [process.returncode for process in ranks] == [0, 0], outputs
 Resolve the packageassert 'kept' in outputs[0] and outputs[1] == ''
 Resolve the packageassert read_bytes(two) == read_bytes(one)


def test_exit_status_follows_max_failures(broken_crowd):
 Resolve the packageassert run_tool(broken_crowd, broken_crowd.out / 'a', '--max-failures', '1').returncode == 1
 Resolve the packageagain = run_tool(broken_crowd, broken_crowd.out / 'a', '--resume', '--max-failures', '2')
 Resolve the packageassert again.returncode == 0 and 'failed 2' in again.stdout
 Resolve the packagerefused = run_tool(broken_crowd, broken_crowd.out / 'a')
 Resolve the packageassert refused.returncode == 2 and '--resume' in refused.stderr and 'Traceback' not in refused.stderr


def test_wrong_arguments_and_config_keys_are_refused(crowd):
 Resolve the packageunknown = run_tool(crowd, crowd.out, '--outdir', 'x')
 Resolve the packageassert unknown.returncode == 2 and 'unrecognized arguments: --outdir' in unknown.stderr
 Resolve the packagetypo = run_tool(crowd, crowd.out, '--cfg-options', 'stages.depth.source.knd=depth')
 Resolve the packageassert typo.returncode == 2 and "no option 'knd' (did you mean 'kind'?)" in typo.stderr
 Resolve the packageassert not crowd.out.exists()


def test_shards_of_ranks_are_disjoint_and_complete(tmp_path):
 Resolve the packageshards = Shards(tmp_path, 23, 5)
 Resolve the packageparts = [list(shards.of_rank(rank, 3)) for rank in range(3)]
 Resolve the packageassert sorted(sum(parts, [])) == list(range(len(shards))) == [0, 1, 2, 3, 4]
 Resolve the packageassert [i for shard in range(5) for i in shards.images(shard)] == list(range(23))


def test_plain_lines_when_not_a_terminal(crowd):
 Resolve the packageresult = run_tool(crowd, crowd.out, '--limit', '6')
 Resolve the packageassert result.returncode == 0, result.stderr
 Resolve the packageassert 'DTO: 6/6 images' in result.stdout and 'kept 6, skipped 0, failed 0' in result.stdout
 Resolve the packageassert '\x1b' not in result.stdout
 Resolve the packageassert json.loads((crowd.out / 'manifest.json').read_text())['counts']['kept'] == 6
