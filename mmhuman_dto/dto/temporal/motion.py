"""How people move: they keep their velocity but for an acceleration that is fitted, and feet that stand stay.

Whatever makes everything smaller makes motion less, so that motion in metres would pull people towards the camera; how
large things are is for heights to say. Derivatives here leave that out: they are 0 along a change of all sizes alike.
"""
import numpy as np

from ..terms.base import trust
from .parts import Part

#: A foot may stand that moves across the line of sight by less than this, m/s, and is at most this much, m, above the
#: other one (along the picture's vertical).
STILL, RAISED = .5, .1
#: Frames farther apart than this, s, do not tell whether a foot stayed.
APART = .2


class Places:
    """Where pelvises are at a point, in the world, and how that follows the variables.

    The world is the frame of a camera that stands still; else cameras are given.

    Args:
        cameras: (T, 4, 4) world -> camera, or None. scale: name of the scene variable that is the logarithm of metres a
            unit of the cameras' places; None: they are in m.
    """

    def __init__(self, variables, cameras=None, scale=None):
        self.variables, clip = variables, variables.clip
        self.depth = clip.rows.root_z[0].numpy()
        self.rays = clip.rows.pelvis[0].numpy()[:, :2] / self.depth[:, None]
        self.focal, self.scale_name = variables.scene['log_focal'], scale
        self.scale = None if scale is None else variables.scene[scale]
        frame, self.moves = clip.frame.numpy(), cameras is not None
        self.turned = np.tile(np.eye(3), (len(frame), 1, 1))
        self.centres = np.zeros((len(frame), 3))
        if cameras is not None:
            cameras = np.asarray(cameras, float)
            self.turned = cameras[frame, :3, :3].transpose(0, 2, 1)
            self.centres = -np.einsum('rij,rj->ri', self.turned, cameras[frame, :3, 3])

    @property
    def shared(self):
        """Indices of the shared variables that motion tells of."""
        return [] if self.scale is None else [self.scale]

    def index(self, rows):
        """(R, 3) of the variables of rows alone."""
        return np.concatenate([self.variables.log_scale[rows, None], self.variables.shift[rows]], 1)

    def __call__(self, point):
        """Pelvises (M, 3), m, world, and their derivatives by the row's three variables (M, 3, 3) and by
        :attr:`shared` (M, 3, S)."""
        variables = self.variables
        depth = self.depth * np.exp(point[variables.log_scale])
        rays = self.rays + point[variables.shift]
        focal = np.exp(point[self.focal])
        camera = np.concatenate([rays, np.full((len(rays), 1), focal)], 1) * depth[:, None]
        place = np.einsum('rij,rj->ri', self.turned, camera)
        across = self.turned[..., :2] * depth[:, None, None]
        by_row = np.concatenate([place[..., None], across], -1)
        centres = self.centres * (1. if self.scale is None else np.exp(point[self.scale]))
        return place + centres, by_row, np.tile(centres[..., None], len(self.shared))


class Fitted(Part):
    """Residuals of three axes that are 0 but for noise: Student-t, of a size that is fitted to each axis.

    Args:
        std, weight, dof: as of :class:`~mmhuman_dto.dto.terms.NoisyTerm`; ``weight`` in residuals.
    """

    def __init__(self, std, weight, dof, quality):
        self.std, self.weight, self.dof = std, weight, dof
        self.quality, self.noise = quality, np.full(3, std**2)  # (R), (3)
        self.target = np.zeros(3 * len(quality))

    def update(self, residuals, variance):
        known = np.repeat(self.quality[:, None], 3, 1)
        squared = np.zeros_like(known)
        if variance is not None:
            squared = (residuals**2 + variance).reshape(-1, 3)
            total = (trust(squared / self.noise, self.dof) * known * squared).sum(0)
            self.noise = (self.std**2 + total / self.weight) / (1 + known.sum(0) / self.weight)
        self.precision = (trust(squared / self.noise, self.dof) * known / self.noise).ravel()


class Accelerations(Fitted):
    """People keep their velocity: that of two steps in a row differs by little.

    The mean velocities of steps of dt0 and dt1 s differ by noise of a variance that grows as (dt0 + dt1) / 2, as white
    acceleration makes it.

    Args:
        std: m / s^1.5, the spread of changes of velocity over a second.
    """

    def __init__(self, places, std, weight, dof):
        clip = places.variables.clip
        self.places, self.triples = places, _runs(clip, 3)
        times = clip.times.numpy()[clip.frame.numpy()]
        first, middle, last = times[self.triples].T
        before, after = middle - first, last - middle
        scale = np.sqrt(2 / (before + after))
        self.shares = np.stack([1 / before, -1 / before - 1 / after, 1 / after], 1) * scale[:, None]
        super().__init__(std, weight, dof, np.ones(len(self.triples)))
        index = np.concatenate([places.index(rows) for rows in self.triples.T], 1)
        self.pairs = places.variables.form.pairs(np.repeat(_with_shared(index, places.shared), 3, 0))

    def linearise(self, point):
        place, by_row, by_shared = self.places(point)
        parts = [(self.shares[:, i, None, None], rows) for i, rows in enumerate(self.triples.T)]
        residuals = sum(share[..., 0] * place[rows] for share, rows in parts)
        jacobian = np.concatenate([share * by_row[rows] for share, rows in parts]
                                  + [sum(share * by_shared[rows] for share, rows in parts)], -1)
        jacobian[..., [0, 3, 6]] -= residuals[..., None] / 3
        return residuals.ravel(), jacobian.reshape(-1, jacobian.shape[-1])


class Contacts(Fitted):
    """Feet that stand do not move.

    A foot is where its pelvis is, and as far from it as the initial mesh says, of the person's height.

    Args:
        std: m/s, by how much feet that stand seem to move.
    """

    def __init__(self, places, std, weight, dof):
        clip = places.variables.clip
        self.places, self.steps = places, _runs(clip, 2)
        first, last = self.steps.T
        self.seconds = np.diff(clip.times.numpy()[clip.frame.numpy()][self.steps], axis=1)[:, 0]
        balls, pelvis = clip.rows.balls[0].numpy(), clip.rows.pelvis[0].numpy()
        self.legs = np.einsum('rij,rfj->rfi', places.turned, balls - pelvis[:, None]) / clip.rows.heights[0].numpy()[
            :, None, None]
        self.height = places.variables.height[clip.person.numpy()]
        still = self._standing(balls, clip)
        self.step, self.foot = still.nonzero()
        # Errors of poses last: steps within this time tell one thing.
        super().__init__(std, weight, dof, np.minimum(self.seconds[self.step] / APART, 1.))
        rows = self.steps[self.step]
        index = np.concatenate([places.index(rows[:, 0]), places.index(rows[:, 1]), self.height[rows[:, :1]]], 1)
        self.pairs = places.variables.form.pairs(np.repeat(_with_shared(index, places.shared), 3, 0))

    def _standing(self, balls, clip):
        """(steps, 2) whether the left and the right foot may stand."""
        seen, known = clip.seen.numpy(), (balls[..., 2] > .1).all(1)
        depth = np.maximum(balls[..., 2:], .1)
        ray = np.einsum('rij,rfj->rfi', self.places.turned, balls / depth)
        first, last = self.steps.T
        across = np.linalg.norm(ray[last] - ray[first], axis=-1) * depth[first, :, 0] / self.seconds[:, None]
        low = balls[..., 1] > balls[..., 1].max(1, keepdims=True) - RAISED
        usable = (seen & known)[self.steps].all(1) & (self.seconds < APART)
        return usable[:, None] & (across < STILL) & low[first] & low[last]

    def linearise(self, point):
        place, by_row, by_shared = self.places(point)
        tall = np.exp(point[self.height])[:, None]
        rows, foot, seconds = self.steps[self.step], self.foot, self.seconds[self.step, None]
        legs = [self.legs[rows[:, end], foot] * tall[rows[:, end]] for end in (0, 1)]
        residuals = (place[rows[:, 1]] + legs[1] - place[rows[:, 0]] - legs[0]) / seconds
        jacobian = np.concatenate([-by_row[rows[:, 0]], by_row[rows[:, 1]], (legs[1] - legs[0])[..., None],
                                   by_shared[rows[:, 1]] - by_shared[rows[:, 0]]], -1) / seconds[..., None]
        jacobian[..., [0, 3, 6]] -= residuals[..., None] / 3
        return residuals.ravel(), jacobian.reshape(-1, jacobian.shape[-1])


def _with_shared(index, shared):
    """Indices (R, m + S) of rows of variables and of shared ones."""
    return np.concatenate([index, np.tile(np.array(shared, np.int64), (len(index), 1))], 1)


def _runs(clip, length):
    """(R, length) rows of a person in frames that follow each other."""
    person, frame = clip.person.numpy(), clip.frame.numpy()
    order = np.lexsort([frame, person])
    runs = np.stack([order[i:len(order) - length + 1 + i] for i in range(length)], 1) if len(order) >= length else (
        np.zeros((0, length), np.int64))
    return runs[(person[runs] == person[runs[:, :1]]).all(1)]
