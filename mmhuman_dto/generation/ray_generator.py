"""A run on a Ray cluster: one process hands out shards, others make them; what is done is known from the disk alone."""
import itertools
import logging
import os
import uuid
from contextlib import contextmanager

from mmhuman_dto.stages.config import stage_resources
from mmhuman_dto.stages.isolation import describe

from .generator import Generator
from .input_check import check_inputs
from .manifest import GenerationError
from .pipeline import Clock, StagePipeline
from .progress import ProgressReport
from .ray_pools import Job, PooledPipeline, ray, worker_pools
from .shard_maker import ShardMaker
from .shards import Shards, count

#: How often Ray starts a shard again whose process or machine died.
RETRIES = 5
#: Seconds between two looks at how large the cluster is.
_LOOK = 10


class RayGenerator(Generator):
    """A :class:`Generator` whose shards are made by the processes of a Ray cluster that shares its files.

    A shard is a Ray task; stages that ask for ``resources`` in the config run in pools of workers of their own
    (:mod:`~.ray_pools`). Twice as many shards are under way as there are processors, so that an autoscaler sees that
    there is more to do, and no more than that. The arguments are the generator's.
    """

    def __init__(self, config, out_dir, limit=None, resume=False, check=True):
        super().__init__(config, out_dir, limit, resume, stages=(), check=check)
        self.resources = stage_resources(config)

    def _findings(self):
        # In this process, up to the first stage that asks for resources, which may not be here.
        stages = itertools.takewhile(lambda name: name not in self.resources, self.config['stages'])
        return check_inputs(StagePipeline(self.config, list(stages)), len(self.ids))

    def _make_shards(self, fingerprint):
        with ProgressReport(len(self.ids), 'DTO on Ray') as progress:
            done = [shard for shard in range(len(self.shards)) if self.shards.is_done(shard)]
            for shard in done:
                progress.resume(count(self.shards.path(shard)))
            todo = [shard for shard in range(len(self.shards)) if shard not in done]
            if todo:
                job, plan = Job(self.config, os.getcwd()), (
                    str(self.out_dir.absolute()), len(self.ids), self.config['shard_size'])
                with _cluster(), worker_pools(job, self.resources) as pools:
                    self._hand_out(todo, (job, pools, plan, fingerprint), progress)

    def _hand_out(self, todo, common, progress):
        threads = self.config['num_threads']
        task = ray.remote(_make_shard).options(num_cpus=threads, max_retries=RETRIES)
        todo, running = todo[::-1], {}
        try:
            while todo or running:
                most = 2 * max(1, int(ray.cluster_resources().get('CPU', 0) / threads))
                while todo and len(running) < most:
                    shard = todo.pop()
                    running[task.remote(*common, shard)] = shard
                for result in ray.wait(list(running), num_returns=1, timeout=_LOOK)[0]:
                    counts, seconds = self._result(result, running.pop(result))
                    progress.add(**counts)
                    self.pipeline.clock.add(seconds)
        finally:
            for result in running:
                ray.cancel(result, force=True)

    def _result(self, result, shard):
        try:
            return ray.get(result)
        except ray.exceptions.RayTaskError as error:
            reason = error.cause if isinstance(error.cause, GenerationError) else describe(error.cause)
            raise GenerationError(f'shard {shard}: {reason}') from error
        except ray.exceptions.RayError as error:
            images = self.shards.images(shard)
            raise GenerationError(
                f'shard {shard}, images {self.ids[images[0]]} to {self.ids[images[-1]]}: its process died '
                f'{RETRIES + 1} times, or cannot run ({describe(error)}). Finished shards are kept: go on with --resume'
            ) from error


@contextmanager
def _cluster():
    """Connected to the cluster that ``RAY_ADDRESS`` names or that runs on this machine, or to one made for the run."""
    if ray.is_initialized():
        yield
        return
    ray.init(logging_level=logging.WARNING)
    try:
        yield
    finally:
        ray.shutdown()


def _make_shard(job, pools, plan, fingerprint, shard):
    """Make one shard; returns the counts of its images and the seconds of each stage."""
    maker, progress = _maker(job, pools, plan, fingerprint), ProgressReport(0, quiet=True)
    maker.pipeline.clock = Clock()
    # A process that seems dead may still write: no two attempts use the same temporary folder.
    maker.make(shard, progress, attempt_name=f'.{uuid.uuid4().hex}')
    return progress.counts, maker.pipeline.clock.seconds


#: The last run's maker in this process, which Ray gives one shard after the other: making one opens the annotations.
_makers = {}


def _maker(job, pools, plan, fingerprint):
    key = pools, plan, fingerprint
    if key not in _makers:
        _makers.clear()
        config = job.enter()
        pipeline = PooledPipeline(config, pools) if pools else StagePipeline(config)
        _makers[key] = ShardMaker(config, pipeline, Shards(*plan), fingerprint)
    return _makers[key]
