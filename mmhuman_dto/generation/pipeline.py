"""A batch of images through the source and the stages of a config, each image on its own account."""
import time
from contextlib import contextmanager
from pathlib import Path

import torch

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.registry import BODY_MODELS, READERS, STAGES
from mmhuman_dto.stages.base import Context, Stage
from mmhuman_dto.stages.config import ConfigError
from mmhuman_dto.stages.isolation import Outcome, apply_stage, attempt, outcome_of


class Clock:
    """Time by name, in ``seconds``; a call is a context manager that adds the time of its block.

    Args:
        timer: what tells the time; wall time unless said otherwise.
    """

    def __init__(self, timer=time.perf_counter):
        self.timer, self.seconds = timer, {}

    @contextmanager
    def __call__(self, name):
        start = self.timer()
        try:
            yield
        finally:
            self.add({name: self.timer() - start})

    def add(self, seconds):
        """Add times that were taken elsewhere."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.) + spent


class Stages:
    """Stages ({name: config}, checked) in order, bound to a :class:`Context`; ConfigError where one is no stage."""

    def __init__(self, configs, context):
        self.context, self.stages = context, []
        for name, config in configs.items():
            stage = STAGES.build(config)
            if not isinstance(stage, Stage):
                raise ConfigError(f'stages.{name}: {config["type"]} is not a subclass of mmhuman_dto.stages.Stage')
            stage.name = name
            stage.bind(context)
            self.stages.append(stage)

    @classmethod
    def of(cls, config, names=None):
        """The stages called ``names`` of a checked config, None for all, with its body model on its device."""
        device = pick_device(config['device'])
        context = Context(BODY_MODELS.build(config['body_model']).to(device), Path(config['data_root']), device)
        return cls({name: config['stages'][name] for name in (config['stages'] if names is None else names)}, context)

    def run(self, results, clock, names=None):
        """Replace each sample of a list by what the stages make of it, or by the :class:`Outcome` it ended in.

        An :class:`Outcome` in the list stays; ``clock`` takes the time of each stage; ``names`` are those to run.
        """
        for stage in self.stages:
            alive = [i for i, result in enumerate(results) if not isinstance(result, Outcome)]
            if not alive or (names is not None and stage.name not in names):
                continue
            with clock(stage.name), torch.no_grad():
                for i, result in zip(alive, apply_stage(stage, [results[i] for i in alive])):
                    if isinstance(result, Exception):
                        sample = results[i]
                        result = outcome_of(result, sample.img_id, stage.name, sample.get('left_out', ()))
                    results[i] = result


class StagePipeline:
    """Source, body model and stages of a checked config.

    ``names`` are the stages that are run here (None: all), ``ids`` the images of the source, ``clock`` is the time
    spent so far, by stage.
    """

    def __init__(self, config, names=None):
        self.stages = Stages.of(config, names)
        self.source = READERS.build(config['source'], default_args=dict(data_root=config['data_root']))
        self.ids, self.clock = self.source.ids, Clock()

    @property
    def body_model(self):
        return self.stages.context.body_model

    @property
    def seconds(self):
        return self.clock.seconds

    def stream(self, batches):
        """Process batches of images, one after the other; an iterator of what :meth:`run` gives for each."""
        return map(self.run, batches)

    def run(self, indices):
        """Process rows of the source together: {index: sample} of those that passed all stages, {index: Outcome}."""
        with self.clock('read'):
            results = [self.read(index) for index in indices]
        self._through_stages(results)
        ended = {index: result for index, result in zip(indices, results) if isinstance(result, Outcome)}
        return {index: result for index, result in zip(indices, results) if index not in ended}, ended

    def read(self, index):
        """A sample of the source, or the :class:`Outcome` it ended in."""
        sample = attempt(self.source.__getitem__, index)
        return outcome_of(sample, self.ids[index], 'read') if isinstance(sample, Exception) else sample

    def _through_stages(self, results):
        self.stages.run(results, self.clock)
