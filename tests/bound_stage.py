"""Stages that are called without a generator."""
from pathlib import Path

import torch

from mmhuman_dto.stages import Context


def bound(stage, body_model, source=None):
    """A stage as the generator prepares it; ``source`` in place of one built from a config."""
    stage.name = 'stage'
    stage.context = Context(body_model, Path(), torch.device('cpu'))
    if source is not None:
        stage.source = source
    return stage
