"""Stages of a run that ask for something of their own on a Ray cluster, a GPU say: workers that have them, and how a
process that makes a shard uses these."""
import copy
import itertools
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import torch

from mmhuman_dto.fileio.config import import_parts
from mmhuman_dto.fileio.packages import require
from mmhuman_dto.stages.isolation import Outcome

from .manifest import GenerationError
from .pipeline import Clock, StagePipeline, Stages

os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # a cluster that is started for a run reports to nobody
ray = require('ray', 'ray', 'docs/scale.md')

#: Batches of a shard that are under way at once, so that pools have work while this process reads and writes.
AHEAD = 3
#: How many workers may die of a batch before the run gives up.
TRIES = 5


class Job(NamedTuple):
    """What every process of a run starts from: the checked config, and the folder that paths are relative to."""
    config: dict
    folder: str

    def enter(self, num_gpus=0):
        """Prepare this process; returns the config for it, on the CPU unless it was given a GPU."""
        os.chdir(self.folder)
        import_parts(self.config)
        torch.set_num_threads(self.config['num_threads'])
        return self.config if num_gpus else {**self.config, 'device': 'cpu'}


class Pool(NamedTuple):
    """Names of the stages that share some workers, and these."""
    names: tuple
    workers: tuple


@contextmanager
def worker_pools(job, resources):
    """Workers, for the block, for stages that ask for something: a pool for all stages that ask for the same.

    They are started again where they die and wait for room where there is none, which Ray's autoscaler sees.
    ``resources``: {stage: what it asks for}, see :func:`~.config.stage_resources`.
    """
    kinds = list({repr(sorted(asked.items())): asked for asked in resources.values()}.values())
    pools = tuple(_start_pool(job, asked, tuple(name for name in resources if resources[name] == asked),
                              _fair_share(asked, kinds)) for asked in kinds)
    try:
        yield pools
    finally:
        for worker in (worker for pool in pools for worker in pool.workers):
            ray.kill(worker)


def _start_pool(job, asked, names, share):
    options = {'num_cpus': 0, **{key: value for key, value in asked.items() if key != 'workers'}}
    actor = ray.remote(_Worker).options(**options, max_restarts=-1)
    return Pool(names, tuple(actor.remote(job, names, options.get('num_gpus', 0))
                             for _ in range(asked.get('workers', share))))


def _fair_share(asked, kinds):
    """How many workers a pool has if the config does not say: of all GPUs, or else processors, as much as others."""
    unit, key = ('num_gpus', 'GPU') if asked.get('num_gpus') else ('num_cpus', 'CPU')
    # Those who make the shards need processors too.
    sharing = sum(bool(kind.get(unit)) for kind in kinds) + (key == 'CPU')
    return max(1, int(ray.cluster_resources().get(key, 0) / (sharing * asked.get(unit, 1))))


class _Worker:
    """Some stages, in a process of their own."""

    def __init__(self, job, names, num_gpus):
        self.stages = Stages.of(job.enter(num_gpus), names)

    def answer(self):
        """Nothing; that it comes says that this worker is alive, and done with what it was asked before."""

    def run(self, samples, names):
        """Samples -> results of :meth:`Stages.run`, on the CPU, and the seconds of each stage."""
        results, clock = [sample.to(self.stages.context.device) for sample in copy.deepcopy(samples)], Clock()
        self.stages.run(results, clock, names)
        return [result if isinstance(result, Outcome) else result.to('cpu') for result in results], clock.seconds


class PooledPipeline(StagePipeline):
    """A pipeline whose stages are run here or by the workers of a pool, as the config has them in order.

    One batch at a time is worked on here; others wait for their pools meanwhile.
    """

    def __init__(self, config, pools):
        pool_of = {name: _PoolCalls(pool.workers) for pool in pools for name in pool.names}
        super().__init__(config, [name for name in config['stages'] if name not in pool_of])
        self.legs = [(pool, list(names)) for pool, names in itertools.groupby(config['stages'], pool_of.get)]
        self.num_threads, self.turn = config['num_threads'], threading.Lock()

    def stream(self, batches):
        """As :meth:`StagePipeline.stream`, with ``AHEAD`` batches under way."""
        under_way = deque()
        with ThreadPoolExecutor(AHEAD, initializer=torch.set_num_threads, initargs=(self.num_threads, )) as threads:
            for batch in batches:
                if len(under_way) == AHEAD:
                    yield under_way.popleft().result()
                under_way.append(threads.submit(self.run, batch))
            while under_way:
                yield under_way.popleft().result()

    def run(self, indices):
        with self.turn:
            return super().run(indices)

    def _through_stages(self, results):
        for pool, names in self.legs:
            if pool is None:
                self.stages.run(results, self.clock, names)
                continue
            self.turn.release()
            try:
                seconds = pool.run(results, names)
            finally:
                self.turn.acquire()
            self.clock.add(seconds)


class _PoolCalls:
    """Asks workers, the one that answers first, until it dies."""

    def __init__(self, workers):
        self.workers, self.chosen = workers, None

    def run(self, results, names):
        """As :meth:`Stages.run`; returns the seconds of each stage."""
        alive = [i for i, result in enumerate(results) if not isinstance(result, Outcome)]
        if not alive:
            return {}
        answers, seconds = self._ask([results[i] for i in alive], names)
        # What Ray hands over is shared memory that cannot be written, and that fills up while it is held.
        for i, answer in zip(alive, copy.deepcopy(answers)):
            results[i] = answer
        return seconds

    def _ask(self, samples, names):
        for _ in range(TRIES):
            worker = self.chosen or self._first_to_answer()
            self.chosen = worker
            try:
                return ray.get(worker.run.remote(samples, names))
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError as error:
                self.chosen, last = None, error
        raise GenerationError(f'{TRIES} workers died of the same batch, {samples[0].img_id} and others, in the stages '
                              f'{", ".join(names)}: {_last_line(last)}')

    def _first_to_answer(self):
        """The least busy of the workers that are alive."""
        while True:
            asked, dead = {worker.answer.remote(): worker for worker in self.workers}, 0
            while asked:
                (answer, ), _ = ray.wait(list(asked), num_returns=1)
                worker = asked.pop(answer)
                try:
                    ray.get(answer)
                    return worker
                except ray.exceptions.ActorDiedError as error:
                    dead, last = dead + 1, error
                except ray.exceptions.ActorUnavailableError:  # it is being started again
                    pass
            if dead == len(self.workers):
                raise GenerationError(f'no worker of a pool can be made: {_last_line(last)}')
            time.sleep(1)


def _last_line(error):
    return str(error).strip().splitlines()[-1]
