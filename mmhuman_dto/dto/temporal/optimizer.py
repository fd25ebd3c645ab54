"""DTO on a video in one call: evidence frame by frame, windows, and everybody placed."""
from itertools import chain
from typing import NamedTuple

import torch

from mmhuman_dto.geometry.trajectories import inverse_poses
from mmhuman_dto.registry import DTO_PRIORS, DTO_SOLVERS

from ..evidence import EvidenceExtractor
from ..prior import HeightPrior
from ..problem import DTOProblem
from ..result import DTOResult
from .belief import Belief
from .parts import PeopleOfTerm
from .problem import ClipProblem
from .shared import settled
from .solver import CAMERA_SCALE, Solving, TemporalDTO
from .variables import SharedVariables, shared_form


class ClipOptimizer:
    """Places the people of a video, who have one size and, while the camera stands, one ground.

    A video longer than ``window`` is gone through twice: first it is found what stays the same, each window adding
    what it tells, then each window is solved for that, with ``overlap`` frames of its neighbours. Memory is that of a
    window.

    Args:
        solver: :class:`TemporalDTO` or its config.
        prior, evidence: as of :class:`~mmhuman_dto.dto.DTOOptimizer`.
        window, overlap: frames.
    """

    def __init__(self, solver=None, prior=None, evidence=None, window=300, overlap=60):
        self.solver = solver if isinstance(solver, TemporalDTO) else DTO_SOLVERS.build(
            {'type': 'TemporalDTO', **(solver or {})})
        self.prior = DTO_PRIORS.build(prior) if isinstance(prior, dict) else prior or HeightPrior()
        self.evidence = EvidenceExtractor(**(evidence or {}))
        self.window, self.overlap = window, overlap

    def __call__(self, samples, times, body_model, cameras='still', cameras_metric=True):
        """Yield the frames with everybody placed, in order, on the CPU; arguments as of :meth:`windows`.

        Yields:
            samples as :meth:`DTOResult.apply` gives them with ``keep_dropped``; metainfo ``camera_scale``: metres a
            unit of the cameras' places, where it was found.
        """
        for window in self.windows(samples, times, body_model, cameras, cameras_metric):
            yield from window.samples()

    def windows(self, samples, times, body_model, cameras='still', cameras_metric=True):
        """Yield the :class:`Window` of each part of the video, in order.

        Args:
            samples: sequence of T samples whose ``pred_instances`` have ``track_ids``, and what
                :meth:`DTOProblem.from_samples` needs besides; asked for by slices, twice of a long video.
            times: (T) s, rising.
            cameras, cameras_metric: see :meth:`TemporalDTO.solve`.
        """
        if not isinstance(cameras, str):  # the world is the first camera's frame, whose ground is below
            cameras = torch.as_tensor(cameras, dtype=torch.float64)
            cameras = cameras @ inverse_poses(cameras[:1])
        spans = self._spans(len(samples))
        held = None if len(spans) <= 1 else self._settle(samples, times, body_model, cameras, cameras_metric, spans)
        for start, stop in spans:
            first, last = (start, stop) if held is None else (
                max(0, start - self.overlap), min(len(samples), stop + self.overlap))
            frames = [sample.to('cpu') for sample in samples[first:last]]
            clip = self._clip(frames, times[first:last], body_model, held and held.references)
            if len(clip.track_ids):
                result = self._solving(clip, cameras, cameras_metric, slice(first, last), held).result()
            else:
                result = _of_nobody(clip.frames)
            yield Window(start, stop, first, frames, body_model, result)

    def _spans(self, frames):
        """[(first, after the last)] of windows about as long as each other."""
        count = max(1, -(-frames // self.window))
        edges = [round(frames * i / count) for i in range(count + 1)]
        return list(zip(edges, edges[1:]))

    def _clip(self, frames, times, body_model, references=None):
        problem = DTOProblem.from_samples(frames, body_model, self.prior, self.evidence, self.solver.depth)
        return ClipProblem.of(problem, [frame.pred_instances.track_ids for frame in frames], times, self.prior,
                              references)

    def _solving(self, clip, cameras, metric, span, held=None, belief=None):
        cameras = cameras if isinstance(cameras, str) else cameras[span]
        if held is None:
            return Solving(self.solver, clip, cameras, metric, belief)
        return Solving(self.solver, clip, cameras, metric, held=held.of(clip.track_ids),
                       counts=held.belief.count(clip.track_ids))

    def _settle(self, samples, times, body_model, cameras, metric, spans):
        """:class:`_Held` of a video of several windows."""
        belief = Belief()
        for start, stop in spans:
            frames = [sample.to('cpu') for sample in samples[start:stop]]
            clip = self._clip(frames, times[start:stop], body_model, belief.references)
            if len(clip.track_ids):
                belief.meet(clip, self.prior)
                self._solving(clip, cameras, metric, slice(start, stop), belief=belief).learn()
        return _Held(belief, self.solver)


class Window(NamedTuple):
    """A part of a video, solved.

    Attributes:
        start, stop: its frames, from the first to before the last.
        first: the frame that ``frames`` and ``result`` begin with, which reach over into its neighbours.
        frames: samples, before. body_model: of their people.
        result: :class:`~mmhuman_dto.dto.DTOResult` of ``frames``.
    """
    start: int
    stop: int
    first: int
    frames: list
    body_model: object
    result: DTOResult

    @property
    def focal(self):
        """New over given focal length."""
        return 1. if self.result.focal_scale is None else float(self.result.focal_scale[0])

    @property
    def camera_scale(self):
        """Metres a unit of the cameras' places; 1 where they are in metres or not known."""
        found = self.result.posterior.scene.get(CAMERA_SCALE)
        return 1. if found is None else float(found[0].exp())

    def samples(self):
        """The samples of its frames, everybody placed."""
        placed = self.result.apply(self.frames, self.body_model, keep_dropped=True)
        scene = {} if self.result.posterior is None else self.result.posterior.scene
        for sample, scale in zip(placed, scene.get(CAMERA_SCALE, ())):
            sample.set_metainfo(dict(camera_scale=float(scale.exp())))
        return placed[self.start - self.first:self.stop - self.first]


def _of_nobody(problem):
    """:class:`DTOResult` of frames without people."""
    still, none = torch.ones(problem.mask.shape).double(), torch.zeros(len(problem.mask))
    return DTOResult(problem, still, torch.zeros_like(problem.mask), none.bool(), none.double())


class _Held:
    """What stays the same through a video, once all windows have told."""

    def __init__(self, belief, solver):
        self.belief, self.references = belief, belief.references
        if belief.people is None:
            return
        variables = SharedVariables(belief.people, belief.steady, shared_form(belief.steady, belief.people))
        bodies = [PeopleOfTerm(term.remembering(), variables) for term in solver.still.terms if term.of_bodies]
        self.mean, self.covariance = settled(variables, bodies, belief.precision, belief.pull, solver.still.rounds)

    def of(self, track_ids):
        """(mean, covariance) of scene variables and of these people's log heights."""
        if self.belief.people is None:
            return None
        scene = len(self.belief.scene)
        here = list(chain(range(scene), (scene + self.belief.rows(track_ids)).tolist()))
        return self.mean[here], self.covariance[here][:, here]

