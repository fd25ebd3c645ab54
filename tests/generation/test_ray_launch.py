"""Runs on a Ray cluster of several nodes on this machine: the bytes of a single process, whoever is killed."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from mmengine.config import Config
from scripts import load_script
from unbroken import read_bytes

from mmhuman_dto.generation import GenerationError, Generator
from mmhuman_dto.stages import ConfigError, checked_config

pytest.importorskip('ray')
os.environ['RAY_USAGE_STATS_ENABLED'] = '0'  # before Ray is imported: nothing is sent anywhere

import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from mmhuman_dto.generation import ray_generator  # noqa: E402
from mmhuman_dto.generation.ray_generator import RayGenerator  # noqa: E402
from mmhuman_dto.generation.shards import Shards  # noqa: E402

ROOT = Path(__file__).parents[2]
NODE = dict(include_dashboard=False, object_store_memory=80 << 20)
#: What a busy machine must be given to start a node; Ray itself waits for 30 seconds.
STARTS = 4


@pytest.fixture(scope='module')
def cluster():
    """A cluster of a head without processors and two nodes with one each; this process is connected to it."""
    folder = Path(tempfile.mkdtemp(prefix='ray', dir='/tmp'))  # pytest's folders are too long for Ray's sockets
    (folder / 'ray').mkdir()
    before = dict(os.environ)
    os.environ.update(RAY_TMPDIR=str(folder), OMP_NUM_THREADS='1', RAY_DEDUP_LOGS='0',
                      PYTHONPATH=os.pathsep.join([str(ROOT / 'tests'), str(ROOT)]))
    cluster = patiently(lambda: Cluster(True, head_node_args=dict(NODE, num_cpus=0)))
    try:
        for _ in range(2):
            patiently(lambda: cluster.add_node(num_cpus=1, num_gpus=1, **NODE))
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def patiently(start):
    for _ in range(STARTS - 1):
        try:
            return start()
        except Exception as error:  # Ray raises nothing more specific
            print(f'once more: {error}')
    return start()


@pytest.fixture
def busy_crowd(broken_crowd):
    """With a stage that kills its process where it is told to."""
    broken_crowd.deadly = broken_crowd.data / 'deadly'
    broken_crowd.config.write_text(broken_crowd.config.read_text() + f"""
custom_imports = dict(imports=['toy_plugin', 'ray_plugin'])
batch_size = 2
shard_size = 4
stages['deadly'] = dict(type='DeadlyStage', file='{broken_crowd.deadly}')
""")
    return broken_crowd


def config_of(crowd, **options):
    config = Config.fromfile(crowd.config)
    config.merge_from_dict(options)
    return config.to_dict()


POOLS = {'stages.depth.resources': dict(num_gpus=1), 'stages.masks.resources': dict(num_gpus=1),
         'stages.dto.resources': dict(num_gpus=1), 'stages.rasterise.resources': dict(num_gpus=.1, workers=1)}


def check_same(crowd, out, counts, **options):
    """A run counted and wrote what a single process does."""
    assert Generator(config_of(crowd, **options), crowd.out / 'one').run('TOY') == counts
    assert counts['failed'] == 2 and counts['kept'] > 15
    assert read_bytes(out) == read_bytes(crowd.out / 'one')
    assert not (out / 'shards').exists()


@pytest.mark.parametrize('options', [POOLS, pytest.param({}, marks=pytest.mark.slow)], ids=['pools', 'shards'])
def test_shards_and_pools_make_the_bytes_of_one_process(cluster, busy_crowd, options):
    out = busy_crowd.out / 'ray'
    check_same(busy_crowd, out, RayGenerator(config_of(busy_crowd, **options), out).run('TOY'))


@pytest.mark.slow
@pytest.mark.parametrize('where', [{}, {'stages.deadly.resources': dict(num_gpus=1, workers=1)}],
                         ids=['shard', 'pool'])
def test_killed_process_is_replaced(cluster, busy_crowd, where):
    busy_crowd.deadly.touch()
    config = {**where, 'stages.deadly.image': '0009.jpg'}
    counts = RayGenerator(config_of(busy_crowd, **config), busy_crowd.out / 'killed').run('TOY')
    assert not busy_crowd.deadly.exists(), 'nobody was killed'
    check_same(busy_crowd, busy_crowd.out / 'killed', counts, **config)


@pytest.mark.slow
@pytest.mark.parametrize('where, message', [({}, 'shard 2, images 0008.jpg to 0011.jpg: its process died 2 times'),
                                            ({'stages.deadly.resources': dict(num_gpus=1)},
                                             'shard 2: 5 workers died of the same batch, 0008.jpg and others')],
                         ids=['shard', 'pool'])
def test_image_that_kills_every_time_ends_the_run_which_can_go_on(cluster, busy_crowd, where, message, monkeypatch):
    monkeypatch.setattr(ray_generator, 'RETRIES', 1)
    busy_crowd.deadly.touch()
    out = busy_crowd.out / 'deadly'
    config = {**where, 'stages.deadly.image': '0009.jpg', 'stages.deadly.every_time': True}
    with pytest.raises(GenerationError, match=message):
        RayGenerator(config_of(busy_crowd, **config), out).run('TOY')
    busy_crowd.deadly.unlink()
    counts = Generator(config_of(busy_crowd, **config), out, resume=True).run('TOY')  # without Ray, for once
    check_same(busy_crowd, out, counts, **config)


@pytest.mark.slow
def test_killed_node_is_done_without(cluster, busy_crowd):
    """Its shards go to the nodes left, and there is no room for its pool's worker anywhere."""
    node, out = patiently(lambda: cluster.add_node(num_cpus=1, num_gpus=1, **NODE)), busy_crowd.out / 'node'
    config = {'stages.deadly.seconds': .2, 'stages.deadly.resources': dict(num_gpus=1, workers=3)}

    def kill():
        wait_for_shards(out)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    counts = RayGenerator(config_of(busy_crowd, **config), out).run('TOY')
    killer.join()
    check_same(busy_crowd, out, counts, **config)


@pytest.mark.slow
def test_killed_driver_is_resumed(cluster, busy_crowd):
    out, config = busy_crowd.out / 'driver', {'stages.deadly.seconds': .2}
    command = [sys.executable, ROOT / 'tools/generate_dto.py', busy_crowd.config, '--launcher', 'ray', '--out-dir', out,
               '--public-layout', 'TOY', '--resume', '--max-failures', '2', '--cfg-options',
               'stages.deadly.seconds=.2', 'stages.dto.resources.num_gpus=1']
    driver = subprocess.Popen(command, env={**os.environ, 'RAY_ADDRESS': cluster.address})
    done = wait_for_shards(out)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL and done < 6, 'the run was over before it was killed'
    resumed = subprocess.run(command, env={**os.environ, 'RAY_ADDRESS': cluster.address}, capture_output=True,
                             text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert 'failed 2' in resumed.stdout
    check_same(busy_crowd, out, json.loads((out / 'manifest.json').read_text())['counts'], **config)


def wait_for_shards(out):
    """Wait until a shard is done; returns how many are."""
    while not (done := len(list(out.glob('shards/[0-9]*')))):
        time.sleep(.05)
    return done


def test_of_two_attempts_at_a_shard_the_first_whole_one_counts(tmp_path):
    shards = Shards(tmp_path, 4, 4)
    attempts = {name: shards.begin(0, name) for name in ('.slow', '.fast')}
    for name, folder in attempts.items():
        (folder / 'rows').write_text(name)
    shards.commit(0, attempts['.fast'])
    shards.commit(0, attempts['.slow'])
    assert shards.is_done(0) and (shards.path(0) / 'rows').read_text() == '.fast'
    assert list(shards.folder.iterdir()) == [shards.path(0)]


def test_unknown_resources_are_refused(crowd):
    with pytest.raises(ConfigError, match=r"stages.depth.resources has no option 'gpus' \(did you mean 'num_gpus'"):
        checked_config(config_of(crowd, **{'stages.depth.resources': dict(gpus=1)}))


def test_resources_do_not_change_what_a_run_is(crowd):
    plain, pooled = (checked_config(config_of(crowd, **options)) for options in ({}, POOLS))
    assert plain == pooled


def test_without_ray_the_extra_is_named(crowd, monkeypatch, capsys):
    tool = load_script('tools/generate_dto.py')
    monkeypatch.setitem(sys.modules, 'ray', None)
    for name in ('ray_pools', 'ray_generator'):
        monkeypatch.delitem(sys.modules, f'mmhuman_dto.generation.{name}')
    monkeypatch.setattr(sys, 'argv', ['x', str(crowd.config), '--out-dir', str(crowd.out), '--launcher', 'ray'])
    assert tool.main() == 2
    assert 'pip install "mmhuman_dto[ray]"' in capsys.readouterr().err
    assert not crowd.out.exists()
