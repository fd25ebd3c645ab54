"""The posterior of a video: distances frame by frame, one size a person, one ground, one focal length.

The terms of :class:`~mmhuman_dto.dto.solvers.PosteriorDTO` speak of every frame, and motion ties frames together:
Gauss-Newton on all of it, by normal equations that are banded in time, the noise of each kind refitted every round.
"""
from types import MappingProxyType

import numpy as np
import torch

from mmhuman_dto.registry import DTO_SOLVERS

from ..solvers.posterior import PosteriorDTO
from ..terms import GroundTerm, Normal
from .equations import BlockMatrix, Factored
from .ground import WorldGround
from .motion import Accelerations, Contacts, Places
from .parts import Drifts, PeopleOfTerm, RowsOfTerm, Sizes
from .result import result_of
from .shared import body_sites, linearised, shared_step
from .variables import Drift, Variables

#: Name of the scene variable: the logarithm of metres a unit of the cameras' places.
CAMERA_SCALE = 'log_camera_scale'
#: What says no other arguments than a part's own.
DEFAULTS = MappingProxyType({})
#: Frames that are solved by themselves first, and the std of the log height of who is in none of them.
FRAMES_ALONE, UNKNOWN_STD = 12, .2


@DTO_SOLVERS.register_module()
class TemporalDTO:
    """Maximum of the posterior over a whole video, and how sure it is.

    One frame alone is solved as :class:`PosteriorDTO` solves the picture.

    Args:
        still: config or object of the :class:`PosteriorDTO` whose terms, focal length and sizes are meant.
        acceleration: arguments of :class:`~.motion.Accelerations`. contact: of :class:`~.motion.Contacts`; None leaves
            either out.
        drifts: {name of a scene variable: (std, s)}, what changes from frame to frame: around its mean by a std, alike
            for so long. Of variables that no term brings nothing is said.
        moving_drifts: what drifts besides where the camera moves in ways nobody knows.
        size_time: for how long, s, the error of a mesh's size in the picture stays alike.
        place_std, place_time: std of a mesh's place in the picture, in body heights, and for how long, s, it stays
            alike.
        camera_scale_std: std of the logarithm of metres a unit of cameras whose scale is not known.
    """

    def __init__(self, still=None, acceleration=DEFAULTS, contact=DEFAULTS, drifts=None, moving_drifts=None,
                 size_time=.1, place_std=.01, place_time=.05, camera_scale_std=1.):
        self.still = still if isinstance(still, PosteriorDTO) else PosteriorDTO(
            **{key: value for key, value in (still or {}).items() if key != 'type'})
        self.acceleration = None if acceleration is None else dict(std=1., weight=30., dof=4.) | dict(acceleration)
        self.contact = None if contact is None else dict(std=.2, weight=10., dof=3.) | dict(contact)
        self.drifts = dict(depth_scale=(.05, .5), depth_offset=(.05, .5)) if drifts is None else drifts
        self.moving_drifts = dict(ground_level=(.3, .5), ground_tilt=(.05, .5)) if moving_drifts is None else (
            moving_drifts)
        self.size_time, self.place_std, self.place_time = size_time, place_std, place_time
        self.camera_scale_std = camera_scale_std

    @property
    def depth(self):
        """What :meth:`DTOProblem.from_samples` is to do with depth maps."""
        return self.still.depth

    def solve(self, clip, cameras='still', cameras_metric=True):
        """Place the people of a :class:`~.problem.ClipProblem`.

        Args:
            cameras: 'still', 'moving' in ways nobody knows, or (T, 4, 4) world -> camera, the world being the frame of
                some camera of the video, or one that looks about as it does.
            cameras_metric: whether these are in m; else their scale is found.

        Returns:
            :class:`~mmhuman_dto.dto.DTOResult` of ``clip.frames``, with ``sizes`` and ``shifts``.
        """
        return Solving(self, clip, cameras, cameras_metric).result()


class Solving:
    """One window of a video being solved.

    Args:
        belief: :class:`~.belief.Belief` of the windows before; None: there are none.
        held: (mean (V + K), covariance (V + K, V + K)) of scene variables and log heights where they are known already;
            the window's frames are then solved for them.
        counts: (K) frames of the whole video in which each person is seen; None: those of the window.
    """

    def __init__(self, solver, clip, cameras='still', cameras_metric=True, belief=None, held=None, counts=None):
        self.solver, self.clip, self.belief, self.held, still = solver, clip, belief, held, solver.still
        self.terms = [term.remembering() for term in still.terms]
        known = not isinstance(cameras, str)
        scene = None if belief is None else belief.scene
        if scene is None:
            scene = still.scene_variables(self.terms, clip.rows)
            if known and not cameras_metric:
                scene[CAMERA_SCALE] = Normal(torch.zeros(1).double(), solver.camera_scale_std)
        if belief is not None:
            belief.scene = scene
            self.given = belief.given(clip.track_ids)
        self.seen = clip.seen_counts() if counts is None else counts
        drifts = dict(solver.drifts) | ({} if known or cameras == 'still' else solver.moving_drifts)
        self.variables = Variables(clip, scene, {name: Drift(*drift) for name, drift in drifts.items()})
        if belief is not None:
            belief.steady = self.variables.steady
        self.keeps_camera = not still.focal_std_of(clip.rows).any()
        self.frame_precision = self.variables.frame_precision(self._place_std())
        self.first = self._by_frames() if held is None and len(clip.times) > 1 else None
        spread = None if self.first is None else self.first[1]
        self.bodies = [PeopleOfTerm(term, self.variables, spread) for term in self.terms if term.of_bodies]
        self.parts = self._parts(Places(self.variables, cameras if known else None,
                                        CAMERA_SCALE if CAMERA_SCALE in scene else None))

    def _by_frames(self):
        """Log heights (K) and their variances as some frames tell by themselves: where the solver starts.

        Sizes that are known exactly relative to each other leave several answers to who is a child; frames by
        themselves are less sure of themselves, and find the right one more often.
        """
        clip, count = self.clip, len(self.clip.times)
        some = slice(0, count, -(-count // FRAMES_ALONE))
        posterior = self.solver.still.solve(clip.frames.of_scenes(some)).posterior
        rows = clip.seen & torch.isin(clip.frame, torch.arange(count)[some])
        frame, place = clip.frame[rows] // some.step, clip.place[rows]
        heights, stds = (values[frame, place].double() for values in (posterior.height.log(), posterior.log_height_std))
        found = torch.stack([clip.people.heights[0].log(), torch.full((len(clip.track_ids), ), UNKNOWN_STD).double()])
        for person in clip.person[rows].unique().tolist():
            mine = (clip.person[rows] == person) & heights.isfinite() & stds.isfinite()
            if mine.any():
                found[:, person] = torch.stack([heights[mine].median(), stds[mine].median()])
        return found[0].numpy(), found[1].square().numpy()

    def _parts(self, places):
        clip, variables, solver = self.clip, self.variables, self.solver
        parts = [WorldGround(term, variables, places) if isinstance(term, GroundTerm) and places.moves
                 else RowsOfTerm(term, variables) for term in self.terms if not term.of_bodies]
        size_std = clip.rows.size_std.nan_to_num(solver.still.size_std)
        parts.append(Sizes(variables, self._of_a_row(size_std, solver.size_time)))
        parts += [Drifts(variables, name, drift) for name, drift in variables.drifts.items()]
        moving = [kind(places, **arguments) for kind, arguments in (
            (Accelerations, solver.acceleration), (Contacts, solver.contact)) if arguments]
        return parts + [part for part in moving if len(part.target)]

    def _place_std(self):
        rows = self.clip.rows
        std = self._of_a_row(self.solver.place_std * rows.heights / rows.root_z, self.solver.place_time)
        return np.where(self.clip.seen.numpy(), std, 1.)

    def _of_a_row(self, std, correlation_time):
        """(M) std (1, M) of an observation as wide as its row's worth makes it."""
        worth = torch.as_tensor(self.clip.rows.worth(self.clip.rows.mask, correlation_time))
        return (std / worth.sqrt().clamp(min=1e-6))[0].numpy()

    def _solve(self):
        """Point (n), covariance (:class:`BlockMatrix`)."""
        variables, covariance = self.variables, None
        point = variables.start()
        if self.held is not None:
            point[variables.form.local:] = self.held[0]
        elif self.first is not None:
            point[variables.height] = self.first[0]
            point[variables.log_scale] = self.first[0][self.clip.person] - self.clip.rows.heights[0].log().numpy()
        for _ in range(self.solver.still.rounds):
            step, covariance = self._step(point, covariance)
            point = point + step
            if np.abs(step[variables.log_scale] * self.clip.seen.numpy()).max(initial=0.) < self.solver.still.tolerance:
                break
        return point, covariance

    def _step(self, point, covariance):
        """Gauss-Newton step (n) and the covariance there."""
        form, lines = self.variables.form, linearised(self.parts, point, covariance)
        matrix = BlockMatrix(form)
        matrix.add_diagonal(np.concatenate([self.frame_precision, np.zeros(form.shared)]))
        right = -matrix.diagonal() * np.concatenate([point[:form.local], np.zeros(form.shared)])
        for part, residuals, jacobian in lines:
            matrix.add(part.pairs, jacobian, part.precision)
            right += part.pull(residuals, jacobian, len(right))
        factored = Factored(matrix)
        local, shared = factored.eliminated(right)
        if self.held is None:
            step, spread = self._shared_step(point, covariance, factored.schur, shared)
        else:
            step, spread = np.zeros(form.shared), self.held[1]
        return np.concatenate([factored.local_solution(local, step).ravel(), step]), factored.covariance(spread)

    def _shared_step(self, point, covariance, precision, pull):
        """Step (V + K) of the shared variables and their covariance, of what the frames tell of them (``precision``,
        ``pull``), their priors, and the windows before."""
        local, scene = self.variables.form.local, len(self.variables.scene)
        here, variance = point[local:], None if covariance is None else covariance.diagonal()[local:]
        sites = body_sites(self.bodies, point, covariance, len(self.variables.height))
        if self.belief is not None:
            self.told = precision, precision @ here + pull, np.stack([sites[0], sites[0] * here[scene:] + sites[1]], 1)
            precision, pull = precision + self.given[0], pull + self.given[1] - self.given[0] @ here
        return shared_step(self.variables, here, variance, precision, pull, sites)

    def result(self):
        """:class:`DTOResult` of the frames."""
        try:
            return result_of(self, *self._solve())
        except FloatingPointError:
            return result_of(self, self.variables.start(), None)

    def learn(self):
        """Solve, and let the belief take in what the frames tell, where they have a solution."""
        try:
            self._solve()
        except FloatingPointError:
            return
        self.belief.add(self.clip.track_ids, *self.told)
