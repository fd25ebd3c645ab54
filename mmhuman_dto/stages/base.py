"""What a stage of the generator is, and how it says that an image failed or is left out."""
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

import torch


class StageError(RuntimeError):
    """One image failed: ``stage`` names where, ``reason`` says what is wrong and with which file or key."""

    def __init__(self, stage, reason):
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


class SkipImage(Exception):
    """One image is left out by a rule, not because anything went wrong; the message is the rule."""


class Context(NamedTuple):
    """What all stages share: the body model (on ``device``), the root of the data and the device."""
    body_model: torch.nn.Module
    data_root: Path
    device: torch.device


class Stage(ABC):
    """A step of the generator; register in ``STAGES``, name it in a config's ``stages``.

    A stage gets samples and returns as many, in order; it may set fields of a sample or return a new one. To fail for
    one image it raises :class:`StageError` (anything else it raises counts as one), to leave it out :class:`SkipImage`;
    it may also give the exception in place of the sample. A batched stage that raised is asked again with each image
    alone: calling it twice with a sample must be harmless.
    """

    #: What samples must have, and what they have afterwards: dotted names of fields, or of a state they are in. A
    #: recipe in which no stage before sets what one needs is refused before it runs.
    needs, sets = (), ()
    #: What failures call this stage; the generator sets it to the key in the config's ``stages``.
    name = 'stage'
    #: Whether calling it with several samples at once is faster than one after the other.
    batched = False

    @classmethod
    def needs_of(cls, config):
        """What a stage of this config needs: ``needs``, unless it depends on the config."""
        return cls.needs

    def bind(self, context):
        """Called once with the :class:`Context`, before the first image; keeps it as ``context``."""
        self.context = context

    @abstractmethod
    def __call__(self, samples):
        """list of :class:`HumanDataSample` -> list of as many, in order."""


def check_intrinsics(intrinsics, stage):
    """Raise :class:`StageError` where intrinsics (3, 3) are not finite or a focal length is not positive."""
    if not torch.isfinite(intrinsics).all() or not (intrinsics[[0, 1], [0, 1]] > 0).all():
        raise StageError(stage, f'intrinsics must be finite with a positive focal length, are {intrinsics.tolist()}')
