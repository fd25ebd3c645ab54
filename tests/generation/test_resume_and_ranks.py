"""Killed at any moment and resumed, or shared by two processes: the same bytes as one unbroken run."""
import os
import random
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from mmengine.config import Config
from unbroken import Killed, killed, read_bytes

from mmhuman_dto.generation import Generator, generator, shards
from mmhuman_dto.generation.shards import Shards

ROOT = Path(__file__).parents[2]


def generate(config, out):
    Generator(config, out, resume=True).run('TOY')


def test_killed_again_and_again_then_resumed_is_the_unbroken_run(broken_crowd):
    whole, out = broken_crowd.out / 'whole', broken_crowd.out / 'killed'
    config = Config.fromfile(broken_crowd.config).to_dict()
    generate(config, whole)
    places, steps = set(), random.Random(0)
    for attempt in range(1, 100):
        # The merge starts anew each time: ever longer lives see it through.
        events = steps.randint(1, 25 * attempt)
        if not killed(partial(Generator(config, out, resume=True).run, 'TOY'), events, out):
            break
        places.add(tuple(sorted(str(path.relative_to(out)) for path in out.rglob('*'))))
    assert len(places) > 10, f'killed at {len(places)} places only'
    assert read_bytes(out) == read_bytes(whole)


@pytest.mark.parametrize('moment', ['merge', 'publish', 'write_manifest', 'clean', '_write_public'])
def test_killed_while_finishing_then_resumed_is_the_unbroken_run(crowd, moment, monkeypatch):
    """The same for moments too short to hit."""
    config = Config.fromfile(crowd.config).to_dict()
    Generator(config, crowd.out / 'whole', 12).run('TOY')
    place = dict(merge=Shards, clean=Shards, publish=shards, write_manifest=generator, _write_public=Generator)[moment]
    original, calls = getattr(place, moment), []

    def dies(*args):
        calls.append(args)
        # Three shards are published before the merge starts publishing.
        if len(calls) > (4 if moment == 'publish' else 0):
            raise Killed
        return original(*args)

    monkeypatch.setattr(place, moment, dies)
    with pytest.raises(Killed):
        Generator(config, crowd.out / 'killed', 12).run('TOY')
    monkeypatch.setattr(place, moment, original)
    Generator(config, crowd.out / 'killed', 12, resume=True).run('TOY')
    assert read_bytes(crowd.out / 'killed') == read_bytes(crowd.out / 'whole')


def test_two_processes_make_the_bytes_of_one(broken_crowd):
    """Two gloo processes through the tool, as torchrun starts them."""
    one, two = broken_crowd.out / 'one', broken_crowd.out / 'two'
    generate(Config.fromfile(broken_crowd.config).to_dict(), one)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / 'tools' / 'generate_dto.py'), str(broken_crowd.config), '--out-dir', str(two),
               '--launcher', 'pytorch', '--public-layout', 'TOY', '--max-failures', '2']
    shared = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT / 'tests'), str(ROOT)]), 'WORLD_SIZE': '2',
              'OMP_NUM_THREADS': '1', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    ranks = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                              env={**shared, 'RANK': str(rank), 'LOCAL_RANK': str(rank)}) for rank in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], outputs
    assert 'failed 2' in outputs[0] and 'failed 2' not in outputs[1]
    assert read_bytes(two) == read_bytes(one)


def test_shards_of_ranks_are_disjoint_and_complete(tmp_path):
    plan = Shards(tmp_path, 23, 5)
    parts = [list(plan.of_rank(rank, 3)) for rank in range(3)]
    assert sorted(sum(parts, [])) == list(range(len(plan))) == [0, 1, 2, 3, 4]
    assert [i for shard in range(5) for i in plan.images(shard)] == list(range(23))
