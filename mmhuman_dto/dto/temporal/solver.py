"""The posterior of a video: distances frame by frame, one size a person, one ground, one focal length.

The terms of :class:`~mmhuman_dto.dto.solvers.PosteriorDTO` speak of every frame, and motion ties frames together. Gauss-Newton
on all of it, by normal equations that are banded in time, with the noise of each kind refitted every round.
"""
from functools import partial

import numpy as np
import torch

from mmhuman_dto.registry import DTO_SOLVERS

from ..posterior import Posterior
from ..result import DTOResult
from ..solvers.posterior import PosteriorDTO
from ..terms import Normal
from .equations import BlockMatrix, Factored, positive_inverse
from .motion import Accelerations, Contacts, Places
from .parts import Drifts, PeopleOfTerm, RowsOfTerm, Sizes
from .variables import Drift, Variables

#: Name of the scene variable: the logarithm of metres a unit of the cameras' places.
CAMERA_SCALE = 'log_camera_scale'


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

    def __init__(self, still=None, acceleration=None, contact=None, drifts=None, moving_drifts=None, size_time=.3,
                 place_std=.01, place_time=.05, camera_scale_std=1.):
        self.still = still if isinstance(still, PosteriorDTO) else PosteriorDTO(
            **{key: value for key, value in (still or {}).items() if key != 'type'})
        self.acceleration = dict(std=1., weight=30., dof=4.) | (acceleration or {})
        self.contact = dict(std=.1, weight=10., dof=3.) | (contact or {})
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
            cameras: 'still', 'moving' in ways nobody knows, or (T, 4, 4) world -> camera.
            cameras_metric: whether these are in m; else their scale is found.

        Returns:
            :class:`~mmhuman_dto.dto.DTOResult` of ``clip.frames``, with ``sizes`` and ``shifts``.
        """
        return _Solving(self, clip, cameras, cameras_metric).result()


class _Solving:
    """One video being solved."""

    def __init__(self, solver, clip, cameras, cameras_metric):
        self.solver, self.clip, still = solver, clip, solver.still
        terms = [term.remembering() for term in still.terms]
        known = not isinstance(cameras, str)
        scene = still.scene_variables(terms, clip.rows)
        if known and not cameras_metric:
            scene[CAMERA_SCALE] = Normal(torch.zeros(1).double(), solver.camera_scale_std)
        drifts = dict(solver.drifts) | (solver.moving_drifts if known or cameras == 'moving' else {})
        self.variables = Variables(clip, scene, {name: Drift(*drift) for name, drift in drifts.items()})
        self.terms, self.keeps_camera = terms, not still.focal_std_of(clip.rows).any()
        self.place_std = self._place_std()
        self.parts = self._parts(terms, Places(self.variables, cameras if known else None,
                                               CAMERA_SCALE if CAMERA_SCALE in scene else None))

    def _parts(self, terms, places):
        clip, variables, solver = self.clip, self.variables, self.solver
        parts = [(PeopleOfTerm if term.of_bodies else RowsOfTerm)(term, variables) for term in terms]
        size_std = clip.rows.size_std.nan_to_num(solver.still.size_std)
        worth = clip.rows.worth(clip.rows.mask, solver.size_time)
        parts.append(Sizes(variables, (size_std / torch.as_tensor(worth).sqrt().clamp(min=1e-6))[0].numpy()))
        parts += [Drifts(variables, name, drift) for name, drift in variables.drifts.items()]
        moving = [kind(places, **arguments) for kind, arguments in (
            (Accelerations, solver.acceleration), (Contacts, solver.contact)) if arguments]
        return parts + [part for part in moving if len(part.target)]

    def _place_std(self):
        clip = self.clip
        std = self.solver.place_std * clip.rows.heights / clip.rows.root_z
        worth = torch.as_tensor(clip.rows.worth(clip.rows.mask, self.solver.place_time))
        return torch.where(clip.rows.mask, std / worth.sqrt().clamp(min=1e-6), 1.)[0].numpy()

    def _solve(self):
        """Point (n), covariance (:class:`BlockMatrix`)."""
        variables, covariance = self.variables, None
        point = variables.start()
        for _ in range(self.solver.still.rounds):
            step, covariance = self._step(point, covariance)
            point = point + step
            if np.abs(step[variables.log_scale] * self.clip.seen.numpy()).max(initial=0.) < self.solver.still.tolerance:
                break
        return point, covariance

    def _step(self, point, covariance):
        """Gauss-Newton step (n) and the covariance there."""
        lines = [part.linearise(point) for part in self.parts]
        for part, (residuals, jacobian) in zip(self.parts, lines):
            part.update(residuals, None if covariance is None else covariance.variance(part.pairs, jacobian))
        matrix = BlockMatrix(self.variables.form)
        precision, right = self.variables.prior(point, None if covariance is None else covariance.diagonal(),
                                                self.place_std)
        matrix.add_diagonal(precision)
        for part, (residuals, jacobian) in zip(self.parts, lines):
            matrix.add(part.pairs, jacobian, part.precision)
            pull = jacobian * (part.precision * (part.target - residuals))[:, None]
            right += np.bincount(part.pairs.index.ravel(), pull.ravel(), len(right))
        factored = Factored(matrix)
        local, shared = factored.eliminated(right)
        uncertain = positive_inverse(factored.schur)
        shared = uncertain @ shared
        return np.concatenate([factored.local_solution(local, shared).ravel(), shared]), factored.covariance(uncertain)

    def result(self):
        """:class:`DTOResult` of the frames."""
        try:
            point, covariance = self._solve()
        except FloatingPointError:
            point, covariance = self.variables.start(), None
        return _result(self, point, covariance)


def _result(solving, point, covariance):
    clip, variables = solving.clip, solving.variables
    frames, mask = clip.frames, clip.frames.mask
    values = variables.values(point)
    height, log_height_std = _heights(clip, values, point, covariance, variables)
    scale = _spread(clip, values['log_scale'][0].exp(), 1.)
    heights = _spread(clip, height[clip.person], 1.).where(mask, frames.heights)
    focal = variables.scene_values(point)['log_focal'].exp().expand(len(mask))
    scenes = [variables.frame_values(point, frame) for frame in range(len(mask))]
    failed = torch.full((len(mask), ), covariance is None)
    posterior = Posterior(
        depth=frames.root_z * scale * focal[:, None], height=heights,
        log_depth_covariance=_depth_covariance(clip, variables, covariance),
        log_height_std=_spread(clip, log_height_std[clip.person], torch.nan),
        log_focal_std=_std(covariance, variables.scene['log_focal']).expand(len(mask)),
        scene={name: torch.cat([scene[name] for scene in scenes]) for name in scenes[0]} if scenes else {})
    deviation = (heights - frames.prior_mean).abs() / frames.prior_std
    shift = torch.from_numpy(point[variables.shift])
    return DTOResult(
        problem=frames, scale=scale.where(~failed[:, None], 1.), skipped=torch.zeros_like(mask),
        optimised=(mask.sum(-1) >= 2) & ~failed,
        deviation=(deviation * mask).sum(-1) / mask.sum(-1).clamp(min=1),
        focal_scale=None if solving.keeps_camera else focal.clone(), posterior=posterior, failed=failed,
        sizes=(heights / frames.heights).where(~failed[:, None] & mask, 1.),
        shifts=torch.stack([_spread(clip, axis, 0.) for axis in shift.unbind(-1)], -1),
        depth_form=partial(_metres, solving, point))


def _heights(clip, values, point, covariance, variables):
    """(K) height of each person, m, and std of its logarithm: meshes stay as large in the picture as they are on
    average."""
    count, total = torch.zeros(2, len(clip.track_ids)).double()
    count.index_add_(0, clip.person, clip.seen.double())
    total.index_add_(0, clip.person, values['log_size'][0] * clip.seen)
    error = total / count.clamp(min=1)
    std = _std(covariance, variables.height)
    return (torch.from_numpy(point[variables.height]) - error).exp(), (std.square() + error.square()).sqrt()


def _std(covariance, index):
    """Standard deviations of variables; nan without a covariance."""
    index = np.atleast_1d(index)
    if covariance is None:
        return torch.full((len(index), ), torch.nan).double()
    return torch.from_numpy(covariance.diagonal()[index]).sqrt()


def _depth_covariance(clip, variables, covariance):
    """(T, P, P) of the logarithms of depth of the people of each frame."""
    mask = clip.frames.mask
    frames, places = mask.shape
    found = torch.full((frames, places, places), torch.nan).double()
    if covariance is None or not places:
        return found
    row = torch.full(mask.shape, -1)
    row[clip.frame[clip.seen], clip.place[clip.seen]] = clip.seen.nonzero()[:, 0]
    index = np.where(row.numpy() >= 0, variables.log_scale[row.numpy()], variables.scene['log_focal'])
    index = np.concatenate([index, np.full((frames, 1), variables.scene['log_focal'])], 1)
    entries = torch.from_numpy(covariance.numbers[variables.form.pairs(index).places])
    together, focal = entries[:, :-1, :-1] + entries[:, -1:, -1:], entries[:, :-1, -1]
    return (together + focal[:, :, None] + focal[:, None]).where(mask[:, :, None] & mask[:, None], torch.nan)


def _spread(clip, values, fill):
    """(T, P) of values (M) of rows, of those that are seen."""
    spread = torch.full(clip.frames.mask.shape, fill, dtype=values.dtype)
    spread[clip.frame[clip.seen], clip.place[clip.seen]] = values[clip.seen]
    return spread


def _metres(solving, point, frame, disparity):
    """What the first term that reads the map in metres says of a frame; None where none does."""
    values = solving.variables.frame_values(point, frame)
    said = (term.metres(solving.clip.rows, values, 0, disparity) for term in solving.terms)
    return next((depth for depth in said if depth is not None), None)
