"""Bodies from the joints of people in a video that is still going on."""
from typing import NamedTuple

import torch

from .keypoints import FitResult
from .kinematics import FitState
from .motion_terms import MAX_STEP
from .windows import Before, JointTrack, Person

#: Frames before the newest one that are fitted again with it, at least; older ones are held.
MEMORY = 12


class LiveFrame(NamedTuple):
    """People in a frame.

    Attributes:
        time: s. track_ids: list of N.
        seen: (N) bool, whether any joint was seen in the frame.
        result: :class:`~.keypoints.FitResult` of N rows; None of nobody.
    """
    time: float
    track_ids: list
    seen: torch.Tensor
    result: FitResult | None


class LiveFit:
    """People fitted frame by frame, as they come, each time with the frames just before.

    The time that a frame takes does not grow. Who is not found for longer than :data:`~.motion_terms.MAX_STEP` s is
    forgotten.

    Args:
        temporal: :class:`~.temporal.TemporalFit`, whose windows these are.
        lag: frames after one that are waited for before it is told; 0: none.
        steps: of a frame.
        betas: {track id: (B)} known shapes; others are means of what frames up to now said.
    """

    def __init__(self, temporal, lag=0, steps=2, betas=None):
        self.temporal, self.solve, self.lag, self.steps = temporal, temporal.solve, lag, steps
        self.betas, self.people, self.times = dict(betas or {}), [], []

    def add(self, time, track_ids, keypoints, scores, intrinsics, children=None):
        """The next frame: people who are in it by their ids.

        Args:
            time: s, later than the last one's.
            track_ids: list of M. keypoints: (M, J, 2) px. scores: (M, J). intrinsics: (3, 3).
            children: (M) bool, who is a child; None: nobody.

        Returns:
            :class:`LiveFrame` of the frame ``lag`` frames ago, with those who were not found in it but not long
            before; None as long as there was none.
        """
        if self.times and time <= self.times[-1]:
            raise ValueError(f'a frame at {time} s after one at {self.times[-1]} s: give frames in their order')
        self.times = [*self.times, float(time)][-1 - self.lag:]
        children = torch.as_tensor([False] * len(track_ids) if children is None else children)
        self._take(track_ids, keypoints, scores, intrinsics, children)
        self._fit()
        return self._tell(self.times[0]) if len(self.times) > self.lag else None

    def finish(self):
        """list of the :class:`LiveFrame` that were still waited for; nobody is known any more."""
        waited = self.times[1:] if len(self.times) > self.lag else self.times
        frames = [self._tell(time) for time in waited]
        self.times, self.people = [], []
        return frames

    def _take(self, track_ids, keypoints, scores, intrinsics, children):
        """A new row of everybody: the frame's joints, or none."""
        fit, time = self.temporal.fit, self.times[-1]
        joints = fit.checked(keypoints, scores, intrinsics.expand(len(keypoints), 3, 3))
        frame = JointTrack(*joints, torch.full((len(keypoints), ), time, **fit.place))
        found, weights = self.solve.by_frame(frame, children)
        place = weights.gt(0).cumsum(0) - 1
        current = {person.name: person for person in self.people if time - person.last_seen <= MAX_STEP}
        for row, name in enumerate(track_ids):
            person = current.pop(name, None)
            if person is None and weights[row] == 0:
                continue  # nothing to start from
            if person is None:
                person = _LivePerson(name, bool(children[row]), self.betas.get(name), max(self.lag, MEMORY) + 1)
                self.people.append(person)
            says = weights[row:row + 1]
            person.add(frame.rows([row]), says, found.rows(place[row:row + 1][says > 0]))
        for person in current.values():
            blank = person.track.rows([-1])
            blank = blank._replace(scores=blank.scores * 0, times=torch.full_like(blank.times, time))
            person.add(blank, weights.new_zeros(1), person.found.rows(slice(0)))
        self.people = [person for person in self.people if person.track.times[-1] >= self.times[0]]

    def _fit(self):
        """The windows of those who have a row of the newest frame."""
        people = [person for person in self.people if person.track.times[-1] == self.times[-1]]
        if people:
            windows = [person.window(self.solve) for person in people]
            for person, state in zip(people, self.solve(*zip(*windows), self.steps)):
                person.state = state

    def _tell(self, time):
        """:class:`LiveFrame` of those who have a row of this time."""
        told = [(person, (person.track.times == time).nonzero()[:, 0]) for person in self.people]
        told = [(person, row) for person, row in told if len(row)]
        seen = torch.tensor([bool((person.track.scores[row] > 0).any()) for person, row in told], dtype=torch.bool)
        people = [Person(person.track.rows(row), person.is_child) for person, row in told]
        state = [person.state.rows(row) for person, row in told]
        return LiveFrame(time, [person.name for person, _ in told], seen,
                         self.solve.stated(people, FitState.cat(state)) if told else None)


class _LivePerson:
    """What is known of one person: the rows of a window, what each said by itself, what was found, and before."""

    def __init__(self, name, is_child, betas, size):
        self.name, self.is_child, self.known, self.size = name, is_child, betas, size
        self.track = self.weights = self.found = self.state = self.before = None
        self.said, self.says, self.last_seen = 0, 0, None

    def add(self, track, weights, found):
        """A new row: its joints, how much it says, and its own fit where it says anything."""
        if self.track is None:
            self.track, self.weights, self.found = track, weights, found
        else:
            self._let_go(len(self.weights) + 1 - self.size)
            self.track = JointTrack(*map(torch.cat, zip(self.track, track)))
            self.weights, self.found = torch.cat([self.weights, weights]), FitState.cat([self.found, found])
        self.said, self.says = self.said + (weights[weights > 0, None] * found.betas).sum(0), self.says + weights.sum()
        if (track.scores > 0).any():
            self.last_seen = float(track.times)

    def _let_go(self, count):
        """The oldest rows leave the window; of those the last two are held."""
        if count <= 0:
            return
        gone = slice(count)
        past = [] if self.before is None else [self.before]
        past = [*past, Before(self.state.rows(gone), self.track.times[gone])]
        state, times = FitState.cat([part.state for part in past]), torch.cat([part.times for part in past])
        self.before = Before(state.rows(slice(-2, None)), times[-2:])
        self.found = self.found.rows(slice(int((self.weights[gone] > 0).sum()), None))
        kept = slice(count, None)
        self.track, self.weights, self.state = self.track.rows(kept), self.weights[kept], self.state.rows(kept)

    def window(self, solve):
        """:class:`~.windows.Person` that starts from what was found, and :class:`~.windows.Before`."""
        betas = self.said / self.says if self.known is None else self.known.to(self.weights)
        if (self.weights > 0).any():
            start = solve.joined(self.found, self.weights, self.track.times, betas)
        else:
            start = self.state
        if self.state is not None:
            start = FitState.cat([self.state, start.rows([-1])])
        return Person(self.track, self.is_child, betas, start), self.before
