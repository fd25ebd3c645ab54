"""Who is who from frame to frame, as the frames come."""
from dataclasses import fields

import numpy as np
from scipy.optimize import linear_sum_assignment

from .cost import CostConfig, pair_costs
from .seeing import Seen
from .tracks import Tracks


class Tracker:
    """Follows people through the frames of a video, as they come; each frame's ids depend on those before alone.

    Each frame's people are paired with those followed so that the sum of :func:`~.cost.pair_costs` is least: first
    those of high scores, then those of low ones with who is left and was seen lately (Zhang et al., "ByteTrack", ECCV
    2022). Whoever is left of the high ones begins to be followed, and gets an id when it was seen ``min_hits`` times.

    Args:
        max_gap: s for which somebody may be out of sight and keep the id.
        min_hits: frames after which somebody is sure to be there.
        max_misses: frames in a row that somebody not yet sure to be there may be missed.
        high_score: people count in full from this score on. low_score: below this they are nobody.
        low_gap: s out of sight up to which somebody may be found again by a low score.
        config: :class:`~.cost.CostConfig`.

    Attributes:
        numbers: (N) int, the tracklets of the people of the last frame, whether or not they are confirmed; -1 none.
    """

    def __init__(self, max_gap=2., min_hits=3, max_misses=2, high_score=.4, low_score=.1, low_gap=.5,
                 config=CostConfig()):  # noqa: B008 - frozen
        self.max_gap, self.min_hits, self.max_misses, self.low_gap = max_gap, min_hits, max_misses, low_gap
        self.high_score, self.low_score, self.config = high_score, low_score, config
        self.tracks, self.time = Tracks.nobody(), None
        self.next_number = self.next_id = 0
        self.numbers = np.zeros(0, np.int64)

    def add(self, time, observations, camera_pose=None):
        """Take one frame.

        Args:
            time: s, later than that of the frame before.
            observations: :class:`~.observations.Observations` of N people.
            camera_pose: (4, 4) world -> camera, m; None: the camera stands still. In all frames, or in none.

        Returns:
            (N) int64 ids; -1: nobody who is sure to be there.
        """
        if self.time is not None and time <= self.time:
            raise ValueError(f'a frame at {time:g} s comes after one at {self.time:g} s; times have to rise')
        order = np.lexsort(np.nan_to_num(observations.boxes).T)  # who gets which id depends on no order of people
        seen = Seen.of(observations[order], camera_pose)
        self._pass_time(time)
        rows = self._assign(seen)
        found = rows >= 0
        self.tracks.see(rows[found], seen[found], time)
        self._begin(seen, rows, time)
        self._confirm()
        numbers, ids = np.full((2, len(seen)), -1, dtype=np.int64)
        numbers[order], ids[order] = (np.where(rows >= 0, values[rows], -1) if len(values) else -1
                                      for values in (self.tracks.numbers, self.tracks.ids))
        self._forget()
        self.numbers = numbers
        return ids

    def cut(self):
        """A new shot begins: nobody of the one before is looked for."""
        self.tracks = Tracks.nobody()

    def state(self):
        """{name: array} of all that it knows, from which :meth:`from_state` goes on with the same ids."""
        own = dict(time=np.array(np.nan if self.time is None else self.time), next_number=np.array(self.next_number),
                   next_id=np.array(self.next_id))
        return {**own, **{field.name: getattr(self.tracks, field.name) for field in fields(Tracks)}}

    @classmethod
    def from_state(cls, state, **options):
        """The tracker whose :meth:`state` that was; ``options`` are those it was made with."""
        tracker = cls(**options)
        tracker.tracks = Tracks(**{field.name: np.array(state[field.name]) for field in fields(Tracks)})
        tracker.time = None if np.isnan(state['time']) else float(state['time'])
        tracker.next_number, tracker.next_id = int(state['next_number']), int(state['next_id'])
        return tracker

    def _pass_time(self, time):
        if self.time is not None:
            self.tracks.move(time - self.time)
        self.time = float(time)
        self.tracks = self.tracks[self.tracks.seen >= time - self.max_gap - 1e-9]

    def _assign(self, seen):
        """(N) row of each person seen among the tracks, -1 none."""
        rows = np.full(len(seen), -1)
        costs, scores = pair_costs(self.tracks, seen, self.time, self.config), seen.observations.scores
        high, low = scores >= self.high_score, (scores < self.high_score) & (scores >= self.low_score)
        lately = self.tracks.seen >= self.time - self.low_gap
        limits = self.config.limits(self.time - self.tracks.seen)
        everybody = np.full(len(self.tracks), True)
        for people, followed, less in ((high, everybody, 0.), (low, lately, self.config.low_less)):
            left = np.flatnonzero(followed & ~np.isin(np.arange(len(self.tracks)), rows))
            people = np.flatnonzero(people)
            allowed = np.minimum(costs[np.ix_(left, people)] - limits[left, None] + less, 0)
            of_tracks, of_people = linear_sum_assignment(allowed)
            paired = allowed[of_tracks, of_people] < 0
            rows[people[of_people[paired]]] = left[of_tracks[paired]]
        return rows

    def _begin(self, seen, rows, time):
        """Follow those of high scores whom nobody was; their ``rows`` are set."""
        new = np.flatnonzero((rows < 0) & (seen.observations.scores >= self.high_score))
        rows[new] = len(self.tracks) + np.arange(len(new))
        self.tracks = self.tracks + Tracks.born(seen[new], self.next_number + np.arange(len(new)), time)
        self.next_number += len(new)

    def _confirm(self):
        sure = np.flatnonzero((self.tracks.ids < 0) & (self.tracks.hits >= self.min_hits))
        self.tracks.ids[sure] = self.next_id + np.arange(len(sure))
        self.next_id += len(sure)

    def _forget(self):
        self.tracks = self.tracks[(self.tracks.ids >= 0) | (self.tracks.misses <= self.max_misses)]
