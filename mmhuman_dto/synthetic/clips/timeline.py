"""What a person does: one segment of ``steps`` after the other."""
from dataclasses import dataclass, field

import numpy as np

from .steps import Moves


@dataclass
class Timeline:
    """Segments, each from a time, s, until the next one's."""
    starts: list = field(default_factory=list)
    segments: list = field(default_factory=list)
    #: where and how the person stands after the last segment
    place: np.ndarray = None
    heading: float = 0.
    seats: list = field(default_factory=list)  # middles (2), m, of what it sits on, and the row of its segment

    @property
    def end(self):
        """Until when the plan goes, s."""
        return self.starts[-1] + self.segments[-1].duration if self.segments else -np.inf

    def add(self, start, segments, place=None, heading=None):
        """Add segments from a time on, after which the person stands elsewhere."""
        for segment in segments:
            self.starts.append(start)
            self.segments.append(segment)
            start += segment.duration
        if place is not None:
            self.place, self.heading = place, heading

    def take_back(self):
        """Forget the last segment."""
        self.starts.pop()
        before = self.segments.pop().at(np.zeros(1))
        self.place, self.heading = before.place[0], float(before.heading[0])
        self.seats = [seat for seat in self.seats if seat[1] < len(self.segments)]

    def at(self, times):
        """:class:`~mmhuman_dto.synthetic.clips.steps.Moves` at rising times (F), s."""
        return Moves.joined([segment.at(part) for segment, part in self._parts(times)])

    def places(self, times):
        """Places (F, 2) at rising times (F)."""
        return np.concatenate([segment.place_at(part) for segment, part in self._parts(times)])

    def names(self, times):
        """What the person does (F)."""
        return sum((segment.names(part) for segment, part in self._parts(times)), [])

    def _parts(self, times):
        rows = np.maximum(np.searchsorted(self.starts, times, 'right') - 1, 0)
        return [(self.segments[row], times[rows == row] - self.starts[row]) for row in np.unique(rows)]
