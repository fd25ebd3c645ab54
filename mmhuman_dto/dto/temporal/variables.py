"""The unknowns of a video, where each stands among all of them, and what they are at a point."""
from typing import NamedTuple

import numpy as np
import torch

from ..solvers.normal_equations import MIN_STD, Layout
from ..terms import Normal
from .equations import Form

#: Frames that share a block: accelerations are of three frames, and blocks share residuals with the next one only.
FRAMES = 2
#: Std of the logarithm of a distance of which nothing says anything, and of a place in the picture, at z = 1.
FREE_STD = 10.
#: What a drift may have of the variance of what drifts.
MOST_DRIFT = .7


class Drift(NamedTuple):
    """How a scene variable changes through a video: around its mean with ``std``, alike for ``time`` s."""
    std: float
    time: float


class SharedVariables:
    """Unknowns that stay the same through a video: scene variables, then each person's log height.

    Args:
        people: :class:`~mmhuman_dto.dto.DTOProblem` (1, K). steady: :class:`Layout` of the scene variables.
        form: :class:`~.equations.Form` in which they are the shared ones.
    """

    def __init__(self, people, steady, form):
        self.people, self.steady, self.form = people, steady, form
        self.scene = {name: form.local + place for name, place in steady.places.items()}
        self.height = form.local + len(self.scene) + np.arange(people.mask.shape[1])

    def start(self):
        """(V + K) where solvers start: everybody as tall as the initial meshes are."""
        return np.concatenate([self.steady.mean[0].numpy(), self.people.heights[0].log().numpy()])

    def prior(self, shared, variance):
        """(precision, precision times what is missing) (V + K) at values (V + K); nothing is said of heights.

        ``variance`` (V + K): of the present posterior, None in the first round.
        """
        scene = len(self.scene)
        precision, mean = np.zeros(len(shared)), np.concatenate([self.steady.mean[0].numpy(), shared[scene:]])
        covariance = None if variance is None else torch.from_numpy(variance[:scene]).diag()[None]
        precision[:scene] = self.steady.prior_precision(torch.from_numpy(shared[:scene])[None], covariance)[0].numpy()
        return precision, precision * (mean - shared)

    def body_values(self, point):
        """What terms of bodies are given: of each person, (1, K)."""
        change = _row(point[self.height]) - self.people.heights.log()
        return self.scene_values(point) | dict(log_scale=change, log_size=torch.zeros_like(change))

    def scene_values(self, point):
        """{name: (1)} of scene variables, of those that drift the mean."""
        return {name: torch.from_numpy(point[place:place + 1]) for name, place in self.scene.items()}


def shared_form(steady, people):
    """The :class:`~.equations.Form` of shared variables alone."""
    return Form(0, 1, len(steady.places) + people.mask.shape[1])


class Variables(SharedVariables):
    """Unknowns of a :class:`~.problem.ClipProblem`: those of frames in blocks, then those of the clip.

    Of each row: ``log_scale`` (the logarithm of new over initial distance) and a shift sideways in the picture at
    z = 1; of each frame: the drifts; of the clip: scene variables and each person's log height.

    Args:
        clip: :class:`~.problem.ClipProblem`. scene: {name: :class:`~mmhuman_dto.dto.terms.Normal`} of (1).
        drifts: {name of a scene variable: :class:`Drift`}.
    """

    def __init__(self, clip, scene, drifts):
        self.clip, self.drifts = clip, {name: drift for name, drift in drifts.items() if name in scene}
        frames = len(clip.times)
        self.slots = int(clip.slot.max()) + 1 if len(clip.slot) else 0
        self.per_frame = 3 * self.slots + len(self.drifts)
        steady = Layout({name: self._without_drift(name, prior) for name, prior in scene.items()}, {}, 0)
        super().__init__(clip.people, steady, Form(-(-frames // FRAMES), FRAMES * max(self.per_frame, 1),
                                                   len(scene) + len(clip.track_ids)))
        first, slot = clip.frame.numpy() * self.per_frame, clip.slot.numpy()
        self.log_scale = first + 3 * slot
        self.shift = np.stack([self.log_scale + 1, self.log_scale + 2], 1)
        self.drift = {name: np.arange(frames) * self.per_frame + 3 * self.slots + i
                      for i, name in enumerate(self.drifts)}

    def _without_drift(self, name, prior):
        """The prior of a variable's mean, which together with its drift has the variance of the prior."""
        if name not in self.drifts:
            return prior
        std = torch.as_tensor(prior.std).to(prior.mean)
        drift = torch.minimum(torch.as_tensor(self.drifts[name].std).to(std), MOST_DRIFT * std)
        self.drifts[name] = self.drifts[name]._replace(std=float(drift.max()))
        return Normal(prior.mean, (std.square() - drift.square()).sqrt(), prior.dof)

    def start(self):
        """(n) where the solver starts: everybody as the initial meshes are."""
        return np.concatenate([np.zeros(self.form.local), super().start()])

    def frame_precision(self, place_std):
        """(G * B) of the priors of the frames' variables; ``place_std`` (M): of shifts."""
        precision, used = np.zeros(self.form.local), np.zeros(self.form.local, bool)
        for places in (self.log_scale, self.shift.ravel(), *self.drift.values()):
            used[places] = True
        precision[~used] = 1.
        precision[self.log_scale], precision[self.shift] = FREE_STD**-2, place_std[:, None]**-2.
        return precision

    def values(self, point):
        """What terms are given of the rows: {name: (1, M), or (1) of scene variables that do not drift}."""
        values = self.scene_values(point)
        for name, places in self.drift.items():
            values[name] = values[name][:, None] + _row(point[places[self.clip.frame.numpy()]])
        log_scale = point[self.log_scale]
        size = point[self.height][self.clip.person.numpy()] - log_scale - self.clip.rows.heights[0].log().numpy()
        return values | dict(log_scale=_row(log_scale), log_size=_row(size))

    def frame_values(self, point, frame):
        """Scene variables in a frame, {name: (1)}."""
        values = self.scene_values(point)
        return values | {name: values[name] + float(point[places[frame]]) for name, places in self.drift.items()}


def _row(values):
    return torch.from_numpy(np.ascontiguousarray(values))[None]


def normal_precision(std):
    """1 / variance; a std of 0 holds what it is of."""
    return np.maximum(std, MIN_STD)**-2.
