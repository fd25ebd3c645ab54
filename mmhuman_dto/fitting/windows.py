"""A window of people through time: terms and starts of its frames, and one solve of all of them."""
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from .keypoints import ADULT, CHILD, REFIT_CHILD_STD, REFIT_POSE_STD, REFIT_STD
from .kinematics import FitState, logarithm
from .motion_terms import Chains, Motion
from .temporal_solver import Problem, solve_tracks
from .temporal_starts import bridged
from .terms import KnownDepth, PosePrior, ShapePrior

#: Standard deviations of bones' angular velocities and accelerations, rad/s and rad/s^2.
TURN_SPEED, TURN_ACCELERATION = 3., 16.
#: And of the pelvis', m/s and m/s^2, camera space.
SPEED, ACCELERATION = 2., 2.
#: Errors of joints last: what a track's frames say of its shape counts as so many frames at most.
SHAPE_FRAMES = 10
#: A frame in which fewer joints are seen is not fitted by itself.
LEAST_JOINTS = 5
#: Frames that are fitted by themselves at once.
BATCH = 128


class JointTrack(NamedTuple):
    """One person's joints in F frames.

    Attributes:
        keypoints: (F, J, 2) px. scores: (F, J) 0 not seen .. 1; 0 all of them where the person was not found.
        intrinsics: (F, 3, 3) px. times: (F) s, rising.
    """
    keypoints: torch.Tensor
    scores: torch.Tensor
    intrinsics: torch.Tensor
    times: torch.Tensor

    def rows(self, index):
        """The track of some of its frames."""
        return JointTrack(*(field[index] for field in self))


@dataclass(frozen=True)
class Person:
    """One person in a window's F frames, and what is known of it.

    Attributes:
        track: :class:`JointTrack`, checked by the fit.
        is_child: bool.
        betas: (B) its shape; None: to be found.
        start: :class:`~.kinematics.FitState` of F rows to start from; None: what each frame says by itself.
        depth_std: (F) relative, of the pelvis' depth in ``start``: known in a refit, whose poses stay near ``start``;
            None: not known.
    """
    track: JointTrack
    is_child: bool = False
    betas: torch.Tensor | None = None
    start: FitState | None = None
    depth_std: torch.Tensor | None = None

    def __len__(self):
        return len(self.track.times)

    def rows(self, index):
        """The person in some of the frames."""
        return replace(self, track=self.track.rows(index), start=self.start and self.start.rows(index),
                       depth_std=None if self.depth_std is None else self.depth_std[index])


class Before(NamedTuple):
    """What was found just before a window: :class:`~.kinematics.FitState` of its last frames, and their times, s."""
    state: FitState
    times: torch.Tensor


class WindowFit:
    """Fits all people of a window at once; see :class:`~.temporal.TemporalFit`.

    Args:
        fit: :class:`~.keypoints.KeypointFit`.
    """

    def __init__(self, fit):
        self.fit, self.tables = fit, fit.tables
        bones = torch.ones(fit.tables.num_bones, 1, **fit.place)
        self.motion = (TURN_SPEED * bones, TURN_ACCELERATION * bones, SPEED, ACCELERATION)

    def __call__(self, people, steps, before=None):
        """list of P :class:`~.kinematics.FitState`, a row a frame.

        Args:
            people: list of P :class:`Person`.
            before: P :class:`Before`, of two frames at most, or None; None: nothing goes before.
        """
        before = before or [None] * len(people)
        starts = [self._start(person, context) for person, context in zip(people, before)]
        held = [0 if context is None else len(context.times) for context in before]
        people = [person if context is None else _with_before(person, context)
                  for person, context in zip(people, before)]
        track = torch.arange(len(people)).repeat_interleave(torch.tensor([len(person) for person in people]))
        is_held = torch.cat([torch.arange(len(person)) < count for person, count in zip(people, held)])
        state = FitState(*map(torch.cat, zip(*starts)))
        motion = Motion(Chains(track.to(state.betas.device), torch.cat([person.track.times for person in people])),
                        *self.motion)
        known = torch.tensor([person.betas is not None for person in people], device=state.betas.device)
        problem = Problem(self.tables, self.terms(people, state), motion, self.shape_prior(people, starts),
                          is_held.to(state.betas.device), known)
        state, _ = solve_tracks(problem, state, steps)
        parts = zip(*(field.split([len(person) for person in people]) for field in state))
        return [FitState(*(field[count:] for field in part)) for part, count in zip(parts, held)]

    def terms(self, people, state):
        """What is known of each row of ``state``, all people's one after the other, but for its shape."""
        joints = (torch.cat(parts) for parts in zip(*(person.track[:3] for person in people)))
        terms = [self.fit.picture(*joints), self.fit.limits]
        if people[0].depth_std is None:
            return [*terms, self.fit.pose_prior]
        std = torch.full((self.tables.num_bones, 3), REFIT_POSE_STD, **self.fit.place)
        return [*terms, PosePrior(logarithm(state.rotations), std),
                KnownDepth(state.pelvis[:, 2].exp(), torch.cat([person.depth_std for person in people]))]

    def _start(self, person, before):
        """State of a person's rows, those before the window first, all of one shape."""
        state = person.start
        if state is None:
            state = self._by_frame(person)
        if person.betas is not None:
            state = state._replace(betas=person.betas.expand_as(state.betas))
        if before is None:
            return state
        past = before.state._replace(betas=state.betas[:1].expand(len(before.times), -1))
        return FitState(*(torch.cat(fields) for fields in zip(past, state)))

    def _by_frame(self, person):
        """Each frame's own fit, without what its neighbours contradict; all of one shape, as large in the picture."""
        weights = (person.track.scores > 0).sum(1)
        weights = torch.where(weights >= LEAST_JOINTS, person.track.scores.sum(1), 0)
        rows = weights.nonzero()[:, 0]
        children = torch.full((len(rows), ), bool(person.is_child))
        found = [self.fit(*person.track.rows(part)[:3], children=children[:len(part)]).state
                 for part in rows.split(BATCH)]
        found = FitState(*map(torch.cat, zip(*found)))
        betas = person.betas
        if betas is None:
            betas = (weights[rows, None] * found.betas).sum(0) / weights[rows].sum()
        heights = self.fit.heights(torch.cat([found.betas, betas[None]]))
        found = found.resized(betas.expand_as(found.betas), (heights[-1] / heights[:-1]).log())
        return bridged(found, weights[rows], person.track.times[rows], person.track.times)

    def shape_prior(self, people, starts):
        """Prior of the betas (P, B), in a refit around those of the start."""
        first, mean, blends = 1., 0., [CHILD if person.is_child else ADULT for person in people]
        if people[0].depth_std is not None:
            first, mean = REFIT_STD, torch.stack([start.betas[0] for start in starts])
            child = 0 if self.fit.child is None else self.fit.child
            blends = [(float(betas[child]), REFIT_CHILD_STD) for betas in mean]
        *_, prior = self.fit.priors(torch.tensor(blends, **self.fit.place).T, mean, first)
        seen = torch.stack([(person.track.scores > 0).any(1).sum() for person in people])
        return ShapePrior(prior.mean, prior.weights**-.5 / seen.clamp(1, SHAPE_FRAMES).sqrt()[:, None])


def _with_before(person, before):
    """The person with rows of what goes before, in which nothing is seen."""
    count, track = len(before.times), person.track
    blank = JointTrack(torch.zeros_like(track.keypoints[:1]), torch.zeros_like(track.scores[:1]), track.intrinsics[:1],
                       track.times[:1]).rows([0] * count)._replace(times=before.times)
    std = person.depth_std
    return replace(person, track=JointTrack(*(torch.cat(fields) for fields in zip(blank, track))),
                   depth_std=None if std is None else torch.cat([std.new_ones(count), std]))
