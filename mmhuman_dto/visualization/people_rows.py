"""Who is where in numbers, as labels, tables and pages say it: one row a person."""
import math
from typing import NamedTuple

import numpy as np

from ..dto.evidence import DropReason
from ..structures.fields import SEEN_SCORE


class PersonRow(NamedTuple):
    """One person of the people table; standard deviations and scores are nan where they are not known."""
    person: int  # number, the same in every picture of the scene
    height: float  # m, rest pose
    height_std: float  # m
    distance: float  # m along the camera's axis, mean of the mesh
    distance_std: float  # m
    score: float  # of the detection, 0..1
    seen: int | None  # joints seen in the picture (score of SEEN_SCORE and more)
    joints: int | None  # of how many
    note: str  # why DTO left the person out: 'not placed: ...'; ''

    @property
    def height_text(self):
        """Such as '1.72 ± .06 m'; '' where the height is not known."""
        return measured(self.height, self.height_std, 2)

    @property
    def distance_text(self):
        """Such as '3.9 ± .3 m'."""
        return measured(self.distance, self.distance_std, 1)

    @property
    def label(self):
        """Lines of the person's label: height and distance, or why DTO left it out."""
        if self.note:
            return tuple(self.note.replace(': ', ':\n').split('\n'))
        return (*((f'{self.height_text} tall', ) if self.height_text else ()), f'{self.distance_text} away')

    @property
    def joints_text(self):
        """Such as '12 of 17'; '' where nothing is known of the joints."""
        return '' if self.joints is None else f'{self.seen} of {self.joints}'


def people_rows(placement):
    """Rows of the people table: ``people_rows(placement) -> [PersonRow, ...]``, one a person in the placement's order.

    Args:
        placement: :class:`~mmhuman_dto.visualization.Placement`, such as ``Scene.last``. ``people`` of it may have
            ``heights_std``, ``depths_std``, ``scores``, ``keypoint_scores`` and ``drop_reasons``.
    """
    unknown = np.full(len(placement.ids), np.nan)

    def column(name):
        values = placement.field(name)
        return (unknown if values is None else values).tolist()

    scores, reasons = placement.field('keypoint_scores'), placement.field('drop_reasons')
    joints = None if scores is None else scores.shape[1]
    seen = [None] * len(unknown) if scores is None else (scores >= SEEN_SCORE).sum(1).tolist()
    notes = [''] * len(unknown) if reasons is None else [_note(DropReason(code)) for code in reasons.tolist()]
    columns = zip(placement.ids.tolist(), placement.heights.tolist(), column('heights_std'),
                  placement.depths.tolist(), column('depths_std'), column('scores'), seen, notes)
    return [PersonRow(*numbers, seen=count, joints=joints, note=note) for *numbers, count, note in columns]


def _note(reason):
    return f'not placed: {reason.words}' if reason else ''


def measured(value, std, decimals, unit=' m'):
    """A number with its standard deviation, such as '1.72 ± .06 m'; '' where the number is not known.

    Both end at the deviation's second digit where it begins with less than 3.55, else at its first (the rule of the
    Particle Data Group), or at 2 decimals. Without a deviation (nan) there are ``decimals``.
    """
    if not np.isfinite(value):
        return ''
    if not np.isfinite(std):
        return f'{value:.{decimals}f}{unit}'
    std = max(std, .01)
    exponent = math.floor(math.log10(std))
    first = std / 10**exponent
    decimals = int(np.clip((first < 3.55) - exponent, 0, 2))
    return f'{value:.{decimals}f} ± {_short(std, decimals)}{unit}'


def _short(std, decimals):
    """Without a zero before the point."""
    text = f'{std:.{decimals}f}'
    return text[1:] if text.startswith('0.') else text
