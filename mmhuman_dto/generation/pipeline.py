"""A batch of images through the source and the stages of a config, each image on its own account."""
import time
from contextlib import contextmanager
from pathlib import Path

import torch

from mmhuman_dto.registry import BODY_MODELS, SOURCES, STAGES

from .base import Context, Stage
from .config import ConfigError
from .isolation import apply_stage, attempt, outcome_of
from .launch import pick_device


class Pipeline:
    """Source, body model and stages of a checked config.

    Attributes:
        ids: image ids of the source.
        seconds: wall time spent so far, by stage.
    """

    def __init__(self, config):
        device = pick_device(config['device'])
        self.body_model = BODY_MODELS.build(config['body_model']).to(device)
        self.context = Context(self.body_model, Path(config['data_root']), device)
        self.source = SOURCES.build(config['source'], default_args=dict(data_root=config['data_root']))
        self.stages = [self._stage(name, stage) for name, stage in config['stages'].items()]
        self.ids = self.source.ids
        self.seconds = {}

    def run(self, indices):
        """Process some images together.

        Args:
            indices: rows of the source.

        Returns:
            tuple: {index: sample} of those that passed all stages, {index: Outcome} of the others.
        """
        alive, outcomes = {}, {}

        def sort(stage, indices, results):
            for index, result in zip(indices, results):
                if isinstance(result, Exception):
                    alive.pop(index, None)
                    outcomes[index] = outcome_of(result, self.ids[index], stage)
                else:
                    alive[index] = result

        with torch.no_grad():
            with self.clock('read'):
                sort('read', indices, [attempt(self.source.__getitem__, index) for index in indices])
            for stage in self.stages:
                with self.clock(stage.name):
                    sort(stage.name, list(alive), apply_stage(stage, list(alive.values())) if alive else [])
        return alive, outcomes

    @contextmanager
    def clock(self, name):
        """Add the time of a block to ``seconds[name]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.) + time.perf_counter() - start

    def _stage(self, name, config):
        stage = STAGES.build(config)
        if not isinstance(stage, Stage):
            raise ConfigError(f'stages.{name}: {config["type"]} is not a subclass of mmhuman_dto.generation.Stage')
        stage.name = name
        stage.bind(self.context)
        return stage
