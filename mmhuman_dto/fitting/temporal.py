"""Bodies from the joints of people through a video."""
from dataclasses import replace

import torch

from .keypoints import FitResult
from .kinematics import FitState
from .windows import BATCH, LEAST_JOINTS, Before, JointTrack, Person, WindowFit

#: Steps that make a body as tall as it is known to be.
_HEIGHT_STEPS = 4


class TemporalFit:
    """Fits a body model to people's 2D joints through time: a pose and place a frame, one shape a person.

    Joints in the picture and priors of poses and shape are the fit's of single frames; bones and pelvis change their
    speed little (:class:`~.motion_terms.Motion`), so that frames, or joints, in which nothing is seen follow from those
    around them. A track longer than a window is fitted window by window: each holds the two frames before it, and looks
    ``overlap`` frames beyond what it keeps. Its shape comes from as many frames as a window has, evenly spread.

    Args:
        fit: :class:`~.keypoints.KeypointFit`, which gives terms and starts.
        steps, refit_steps: of a window. window, overlap: frames.
    """

    def __init__(self, fit, steps=5, refit_steps=4, window=180, overlap=60):
        self.fit, self.steps, self.refit_steps = fit, steps, refit_steps
        self.length, self.overlap, self.solve = window, overlap, WindowFit(fit)

    def __call__(self, tracks, children=None, betas=None):
        """Fit P people.

        Args:
            tracks: list of P :class:`~.windows.JointTrack`.
            children: (P) bool, who is a child; None: nobody.
            betas: (P, B) known shapes; None: found, one a track.

        Returns:
            list of P :class:`~.keypoints.FitResult`, a row a frame, those in which nobody was found too.

        Raises:
            ValueError: a track without a frame in which :data:`~.windows.LEAST_JOINTS` joints are seen.
        """
        return self._results(self._people(tracks, children, betas), self.steps)

    def shapes(self, tracks, children=None):
        """(P, B) of P people, each by as many frames as a window has, evenly spread over its track; arguments and
        errors as of a call."""
        return torch.stack(self._shapes(self._people(tracks, children), self.steps))

    def _people(self, tracks, children=None, betas=None):
        count = len(tracks)
        children = [False] * count if children is None else torch.as_tensor(children).tolist()
        betas = [None] * count if betas is None else betas.to(**self.fit.place)
        people = [Person(self.checked(track), *known) for track, *known in zip(tracks, children, betas)]
        for i, person in enumerate(people):
            if not person.track.enough.any():
                raise ValueError(f'track {i}: no frame in which {LEAST_JOINTS} joints are seen; leave it out')
        return people

    def refit(self, states, tracks, depths, depth_std=.01, heights=None):
        """Fit P people again whose pelvis' depths are known; poses and shapes stay near.

        Args:
            states: P :class:`~.kinematics.FitState`, a row a frame, those of a person of one shape.
            tracks: P :class:`~.windows.JointTrack`.
            depths: P of (F) m, the pelvis' z.
            depth_std: relative, of the depths: a number or P of (F).
            heights: (P) m of the rest pose, held, and with it the shape; None: shapes are found anew.

        Returns:
            list of P :class:`~.keypoints.FitResult`.
        """
        place, people = self.fit.place, []
        for i, (state, track, depth) in enumerate(zip(states, tracks, depths)):
            state = FitState(*(value.to(**place) for value in state))
            pelvis = torch.cat([state.pelvis[:, :2], torch.as_tensor(depth, **place).log()[:, None]], 1)
            betas = None if heights is None else self._as_tall(state.betas[0], heights[i])
            std = torch.as_tensor(depth_std if isinstance(depth_std, float) else depth_std[i], **place)
            people.append(Person(self.checked(track), betas=betas, start=state._replace(pelvis=pelvis),
                                 depth_std=std.expand(len(track.times))))
        return self._results(people, self.refit_steps)

    def checked(self, track):
        """A track with the fit's type, in which joints that are not finite are not seen."""
        times = torch.as_tensor(track.times, dtype=torch.float64, device=self.fit.place['device'])
        if (times.diff() <= 0).any():
            raise ValueError(f'times of a track rise, here by {float(times.diff().min())} s: sort its frames')
        return JointTrack(*self.fit.checked(*track[:3]), times.to(self.fit.place['dtype']))

    def _results(self, people, steps):
        long = [i for i, person in enumerate(people) if len(person) > self.length and person.betas is None]
        for i, betas in zip(long, self._shapes([people[i] for i in long], steps)):
            people[i] = replace(people[i], betas=betas)
        return [self._stated(person, state) for person, state in zip(people, self._by_windows(people, steps))]

    def _shapes(self, people, steps):
        some = [person.rows(_spread(person, self.length)) for person in people]
        return [state.betas[0] for state in self.solve(some, [None] * len(some), steps)] if some else []

    def _by_windows(self, people, steps):
        """States of people, window by window."""
        done, start, stride = [[] for _ in people], 0, self.length - self.overlap
        left = [*range(len(people))]
        while left:
            rows = slice(start, start + self.length)
            found = self.solve([self._window(people[i], rows) for i in left],
                               [self._before(people[i], done[i], start) for i in left], steps)
            ends = [start + self.length >= len(people[i]) for i in left]
            for i, state, end in zip(left, found, ends):
                done[i].append(state if end else state.rows(slice(stride)))
            left, start = [i for i, end in zip(left, ends) if not end], start + stride
        return [FitState.cat(states) for states in done]

    def _window(self, person, rows):
        """A person in a window's rows; where none of them tells enough, it starts as in the nearest that does."""
        window = person.rows(rows)
        if person.start is not None or window.track.enough.any():
            return window
        told = person.track.enough.nonzero()[:, 0]
        start = self.solve.start(person.rows(told[(told - rows.start).abs().argmin()][None]))
        return replace(window, start=start.rows([0] * len(window)))

    def _before(self, person, done, start):
        return Before(done[-1].rows(slice(-2, None)), person.track.times[start - 2:start]) if done else None

    def _stated(self, person, state):
        """:class:`~.keypoints.FitResult` of a person."""
        parts = [self.solve.stated([person.rows(rows)], state.rows(rows))
                 for rows in torch.arange(len(person), device=state.betas.device).split(BATCH)]
        states, *others = zip(*parts)
        return FitResult(FitState.cat(states), *map(torch.cat, others))

    def _as_tall(self, betas, height):
        """Betas (B) of a body of this height, m, by the first of them alone."""
        for _ in range(_HEIGHT_STEPS):
            away = torch.as_tensor(height, **self.fit.place).log() - self.fit.heights(betas[None]).log()
            betas = betas.clone()
            betas[0] += away[0] / self.fit.log_height_by_betas(betas[None])[0, 0]
        return betas


def _spread(person, count):
    """Rows, evenly spread, of frames in which enough is seen."""
    rows = person.track.enough.nonzero()[:, 0]
    if len(rows) <= count:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, count, device=rows.device).round().long()]
