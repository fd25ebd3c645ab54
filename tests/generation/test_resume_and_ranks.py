"""Killed at any moment and resumed, or shared by two processes: the same bytes as one unbroken run."""
import random
from functools import partial

import pytest
from mmengine.config import Config
from scripts import ROOT, run_two
from unbroken import Killed, killed, read_bytes

from mmhuman_dto.generation import Generator, generator, shards
from mmhuman_dto.generation.shards import Shards


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


@pytest.mark.parametrize('moment', ['merge', 'publish', 'write_manifest', 'clean', 'write_dto_raw'])
def test_killed_while_finishing_then_resumed_is_the_unbroken_run(crowd, moment, monkeypatch):
    """The same for moments too short to hit."""
    config = Config.fromfile(crowd.config).to_dict()
    Generator(config, crowd.out / 'whole', 12).run('TOY')
    place = dict(merge=Shards, clean=Shards, publish=shards, write_manifest=generator, write_dto_raw=generator)[moment]
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
    one, two = broken_crowd.out / 'one', broken_crowd.out / 'two'
    generate(Config.fromfile(broken_crowd.config).to_dict(), one)
    outputs = run_two(ROOT / 'tools/generate_dto.py', broken_crowd.config, '--out-dir', two, '--public-layout', 'TOY',
                      '--max-failures', '2')
    assert 'failed 2' in outputs[0] and 'failed 2' not in outputs[1]
    assert read_bytes(two) == read_bytes(one)


def test_shards_of_ranks_are_disjoint_and_complete(tmp_path):
    plan = Shards(tmp_path, 23, 5)
    parts = [list(plan.of_rank(rank, 3)) for rank in range(3)]
    assert sorted(sum(parts, [])) == list(range(len(plan))) == [0, 1, 2, 3, 4]
    assert [i for shard in range(5) for i in plan.images(shard)] == list(range(23))
