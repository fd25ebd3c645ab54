"""A window of people through time: terms and starts of its frames, and one solve of all of them."""
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from mmhuman_dto.body_models.joint_sets import JOINT_SETS

from .keypoints import ADULT, CHILD, REFIT_CHILD_STD, REFIT_POSE_STD, REFIT_STD
from .kinematics import FitState, logarithm
from .motion_terms import MAX_STEP, Chains, Motion
from .solver import cost_of
from .temporal_solver import Problem, solve_tracks
from .temporal_starts import bridged
from .terms import KnownDepth, PosePrior, ShapePrior

#: Standard deviation of bones' angular velocities, rad/s: so wide that it only calms what nothing else tells.
TURN_SPEED = 6.
#: Standard deviations of bones' angular accelerations, rad/s^2: legs as in clips of walking people
#: (tools/benchmark/bench_temporal_fit.py --motion), the others wider than there, as people do more than walk.
TURN_ACCELERATIONS = dict(pelvis=8., spine=4., neck=6., head=8., collar=4., hip=17., knee=28., ankle=18., foot=18.,
                          shoulder=16., elbow=20., wrist=12., hand=4.)
#: Of the pelvis' velocity and acceleration, m/s and m/s^2, camera space.
SPEED, ACCELERATION = 2., 1.5
#: What the pose prior counts of bones that no joint tells of between frames in which some do: motion tells better.
UNSEEN = .2
#: Errors of joints last: what a track's frames say of its shape counts as so many frames at most.
SHAPE_FRAMES = 3
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

    @property
    def enough(self):
        """(F) bool: whether so many joints are seen that a frame is fitted by itself."""
        return (self.scores > 0).sum(1) >= LEAST_JOINTS

    def rows(self, index):
        """The track of some of its frames."""
        return JointTrack(*(field[index] for field in self))

    @classmethod
    def across_gaps(cls, frames, keypoints, scores, times, intrinsics):
        """A person's track in a clip, with the frames of gaps of :data:`~.motion_terms.MAX_STEP` s at most.

        Args:
            frames: (F) int64, rising, of the clip's those in which the person was found.
            keypoints: (F, J, 2) px. scores: (F, J). times: (T) s, of the clip's frames. intrinsics: (T, 3, 3) px.

        Returns:
            tuple: frames (G) int64, the found ones and those between, and the track in them, of scores 0 between.
        """
        found = torch.zeros(len(times), dtype=torch.bool)
        found[frames] = True
        for first, last in zip(frames[:-1].tolist(), frames[1:].tolist()):
            found[first:last] = found[first:last] | (times[last] - times[first] <= MAX_STEP)
        kept = found.nonzero()[:, 0]
        rows = torch.searchsorted(kept, frames.contiguous())
        points, told = (values.new_zeros(len(kept), *values.shape[1:]) for values in (keypoints, scores))
        points[rows], told[rows] = keypoints, scores
        return kept, cls(points, told, intrinsics[kept], times[kept])


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
        turns = [TURN_ACCELERATIONS[name.split('_')[-1].rstrip('123')] for name in JOINT_SETS['smpl24'].names]
        turns += [TURN_ACCELERATIONS['hand']] * (fit.tables.num_bones - len(turns))  # face and fingers
        turns = torch.tensor(turns, **fit.place)[:, None]
        self.motion = torch.full_like(turns, TURN_SPEED), turns, SPEED, ACCELERATION

    def __call__(self, people, before, steps):
        """list of P :class:`~.kinematics.FitState`, a row a frame.

        Args:
            people: list of P :class:`Person`.
            before: P :class:`Before`, of two frames at most, or None.
            steps: of the solver.
        """
        starts = [self.start(person, context) for person, context in zip(people, before)]
        held = [0 if context is None else len(context.times) for context in before]
        people = [person if context is None else _with_before(person, context)
                  for person, context in zip(people, before)]
        track = torch.arange(len(people)).repeat_interleave(torch.tensor([*map(len, people)]))
        is_held = torch.cat([torch.arange(len(person)) < count for person, count in zip(people, held)])
        state = FitState.cat(starts)
        motion = Motion(Chains(track.to(state.betas.device), torch.cat([person.track.times for person in people])),
                        *self.motion)
        known = torch.tensor([person.betas is not None for person in people], device=state.betas.device)
        problem = Problem(self.tables, self.terms(people, state, held), motion, self.shape_prior(people, starts),
                          is_held.to(state.betas.device), known)
        state, _ = solve_tracks(problem, state, steps)
        parts = zip(*(field.split([*map(len, people)]) for field in state))
        return [FitState(*(field[count:] for field in part)) for part, count in zip(parts, held)]

    def terms(self, people, state, held=None):
        """What is known of each row of ``state``, all people's one after the other, but for its shape.

        Args:
            held: how many rows of each person go before the window; None: rows stand by themselves.
        """
        joints = (torch.cat(parts) for parts in zip(*(person.track[:3] for person in people)))
        terms = [self.fit.picture(*joints), self.fit.limits]
        if people[0].depth_std is None:
            prior = self.fit.pose_prior
            if held is not None:
                bridged_bones = torch.cat([self._between(person.track, count) for person, count in zip(people, held)])
                prior = prior.shared(torch.where(bridged_bones, UNSEEN, 1.).to(state.betas))
            return [*terms, prior]
        std = torch.full((self.tables.num_bones, 3), REFIT_POSE_STD, **self.fit.place)
        return [*terms, PosePrior(logarithm(state.rotations), std),
                KnownDepth(state.pelvis[:, 2].exp(), torch.cat([person.depth_std for person in people]))]

    def _between(self, track, held):
        """(F, K) which bones no joint tells of for a while, at whose both ends one does, or what was found before."""
        told = self.tables.told(track.scores > 0)
        told[:held] = True
        rows = torch.arange(len(told), device=told.device)[:, None]
        before = torch.where(told, rows, -1).cummax(0).values
        after = torch.where(told, rows, len(told)).flip(0).cummin(0).values.flip(0)
        ends = (before >= 0) & (after < len(told))
        times = track.times
        return ~told & ends & (times[after.clamp(max=len(told) - 1)] - times[before.clamp(min=0)] <= MAX_STEP)

    def stated(self, people, state):
        """:class:`~.keypoints.FitResult` of the rows of ``state``, all people's one after the other, each by itself."""
        starts = [person.start for person in people]
        if people[0].depth_std is None:
            starts = [FitState(*part) for part in zip(*(field.split([*map(len, people)]) for field in state))]
        shape = self.shape_prior(people, starts)
        rows = torch.arange(len(people)).repeat_interleave(torch.tensor([*map(len, people)]))
        shape = ShapePrior(shape.mean[rows], shape.weights[rows]**-.5)
        terms = [*self.terms(people, FitState.cat(starts)), shape]
        return self.fit.result(state, cost_of(self.tables, terms, state), terms)

    def start(self, person, before=None):
        """State of a person's rows, those before the window first, all of one shape."""
        state = person.start
        if state is None:
            found, weights = self.by_frame(
                person.track, torch.full((len(person), ), bool(person.is_child)))
            state = self.joined(found, weights, person.track.times, person.betas)
        if person.betas is not None:
            state = state._replace(betas=person.betas.expand_as(state.betas))
        if before is None:
            return state
        past = before.state._replace(betas=state.betas[:1].expand(len(before.times), -1))
        return FitState.cat([past, state])

    def by_frame(self, track, children):
        """Fits of rows by themselves: :class:`~.kinematics.FitState` of G rows, and how much each of F says, which for
        G of them is not 0. children: (F) bool."""
        weights = torch.where(track.enough, track.scores.sum(1), 0)
        rows, children = weights.nonzero()[:, 0], children.to(weights.device)
        found = [self.fit.found(*track.rows(part)[:3], children=children[part])[0]
                 for part in rows.split(BATCH)]
        return FitState.cat(found), weights

    def joined(self, found, weights, times, betas=None):
        """What frames say by themselves (:meth:`by_frame`), of one shape, as large in the picture, without what
        neighbours contradict: F rows."""
        known = weights > 0
        if betas is None:
            betas = (weights[known, None] * found.betas).sum(0) / weights.sum()
        heights = self.fit.heights(torch.cat([found.betas, betas[None]]))
        found = found.resized(betas.expand_as(found.betas), (heights[-1] / heights[:-1]).log())
        return bridged(found, weights[known], times[known], times)

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
