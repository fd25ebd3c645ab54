"""One bad image costs one line: a failing batch is taken apart, its other images go on."""
import traceback
from pathlib import Path
from typing import NamedTuple

from mmhuman_dto.datasets.public import LayoutError
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.perception import SourceError
from mmhuman_dto.tables.people_table import TableError

from .base import SkipImage, StageError

#: Errors whose message is written for users and says it all.
_SELF_EXPLAINING = (StageError, SkipImage, SourceError, LayoutError, TableError, ImageError)
_MAX_REASON = 400


class Outcome(NamedTuple):
    """Why an image is not in the result: ``kind`` is 'failed' or 'skipped'; the rest is its line in the log."""
    kind: str
    image: str
    stage: str
    reason: str
    left_out: tuple = ()  # whom DTO had left out of it before: (row of the initial people, DropReason) each


def apply_stage(stage, samples):
    """Run one stage; returns a sample or the exception it raised, one an image, in order."""
    if stage.batched and len(samples) > 1:
        try:
            return _call(stage, samples)
        except Exception:  # some image of the batch is bad: asked one by one, the others survive
            pass
    return [attempt(_call_one, stage, sample) for sample in samples]


def attempt(function, *args):
    """``function(*args)``, or the exception it raised."""
    try:
        return function(*args)
    except Exception as error:
        return error


def outcome_of(error, image, stage, left_out=()):
    """The log line of an image that a stage raised ``error`` for."""
    kind = 'skipped' if isinstance(error, SkipImage) else 'failed'
    return Outcome(kind, image, getattr(error, 'stage', stage), describe(error), left_out)


def describe(error):
    """One line: the message, with type and place for errors nobody foresaw."""
    text = ' '.join(str(error).split())
    if not isinstance(error, _SELF_EXPLAINING):
        frames = traceback.extract_tb(error.__traceback__)
        place = f' ({Path(frames[-1].filename).name}:{frames[-1].lineno})' if frames else ''
        text = f'{type(error).__name__}: {text}'[:_MAX_REASON] + place
    return printable(text)[:_MAX_REASON]


def _call(stage, samples):
    results = list(stage(samples))
    if len(results) != len(samples):
        raise RuntimeError(f'{type(stage).__name__} returned {len(results)} samples for {len(samples)}')
    return results


def _call_one(stage, sample):
    return _call(stage, [sample])[0]
