"""Where the ground is, told by the people on it: for views from the side, from above and in 3D."""
from typing import NamedTuple

import numpy as np

#: Standard deviations that the estimate balances: how far people's lowest points lie from the ground (m), how far
#: gravity is from the people's common axis (rad), how high cameras are held (m, mean first).
_FEET_STD, _TILT_STD, _CAMERA_HEIGHT, _CAMERA_HEIGHT_STD = .15, .06, 1.6, 5.
#: People further than this (rad) from the common axis are not upright: they sit, lie or bend.
_UPRIGHT = .5
#: Most cameras are held level; that counts as much as this many people.
_LEVEL_CAMERA = .5
#: A foot that nobody saw counts this part of one seen, as in DTO on photos (``GroundTerm.unseen``).
_UNSEEN = .05
_ROUNDS = 12
#: A clip's ground is told by its people every so often (s), so many times, and changes within about a second (s).
_HELD_EVERY, _HELD_TIMES, _HELD_GLIDE = .25, 40, 1.


class Ground(NamedTuple):
    """A level plane in the camera frame: ``up`` (3), unit vector against gravity; ``height`` of the camera above, m."""
    up: np.ndarray
    height: float

    @property
    def rotation(self):
        """(3, 3) from the camera frame to the level one: x right, y down (gravity), z away from the camera."""
        down = -self.up
        # The optical axis along the ground; for a camera that looks straight down, the upper edge of its picture.
        ahead = np.array([0, 0, 1.]) if abs(down[2]) < .99 else np.array([0, -1., 0])
        ahead = ahead - down * (down @ ahead)
        ahead /= np.linalg.norm(ahead)
        return np.stack([np.cross(down, ahead), down, ahead])

    @property
    def camera_to_world(self):
        """(4, 4) from the camera frame to the one of viewers, m: x right, y up from the ground, z towards the viewer,
        its origin under the camera."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.diag([1, -1, -1]) @ self.rotation
        matrix[1, 3] = self.height
        return matrix

    def level(self, points):
        """Points (*, 3), m, camera frame -> level frame with its origin on the ground under the camera."""
        return (points @ self.rotation.T - np.array([0, self.height, 0])).astype(np.asarray(points).dtype)


def estimate_ground(vertices, support=None):
    """The :class:`Ground` that people with vertices (N, V, 3), m, camera frame, stand on.

    Up is along most bodies, corrected by the plane through their lowest points where these spread far enough to tell;
    both robustly, for some people sit, jump or are placed wrongly. ``support`` (N, V) 0..1 says how much of each vertex
    the picture tells: feet that nobody saw hardly count beside feet seen. Of nobody: a level camera 1.6 m above the
    ground.
    """
    vertices = np.asarray(vertices, np.float64)
    up = _common_axis(vertices)
    rows, lowest = np.arange(len(vertices)), (vertices @ up).argmin(1)
    feet = vertices[rows, lowest]
    told = np.ones(len(rows)) if support is None else np.maximum(support[rows, lowest], _UNSEEN)
    # The plane is feet @ (up + tilt) + height = 0, with the tilt in the two directions across up.
    across = np.linalg.svd(up[None])[2][1:]
    system = np.concatenate([feet @ across.T, np.ones((len(feet), 1))], 1) / _FEET_STD
    target = -(feet @ up) / _FEET_STD
    prior = np.diag([1 / _TILT_STD, 1 / _TILT_STD, 1 / _CAMERA_HEIGHT_STD])
    expected = np.array([0, 0, _CAMERA_HEIGHT / _CAMERA_HEIGHT_STD])
    solution = np.array([0, 0, np.median((-feet @ up)[told == told.max()]) if len(feet) else _CAMERA_HEIGHT])
    for _ in range(_ROUNDS):
        weight = told / (1 + (system @ solution - target)**2)  # Cauchy: who is far off the plane hardly counts
        normal = (system.T * weight) @ system + prior @ prior
        solution = np.linalg.solve(normal, (system.T * weight) @ target + prior @ expected)
    normal = up + solution[:2] @ across
    length = np.linalg.norm(normal)
    return Ground(normal / length, float(solution[2] / length))


class HeldGround:
    """The ground of a shot from frame to frame, told by all its people so far: without jumps, and soon at rest."""

    def __init__(self):
        self._bodies, self._told, self._times, self._wanted, self._shown = [], [], [], None, None
        self._last = 0.

    def add(self, vertices, support, time):
        """The :class:`Ground` after a frame's people (N, V, 3), m, camera frame, at a time, s; see
        :func:`estimate_ground` for ``support``. V is the same in all frames."""
        due = not self._times or time - self._times[-1] >= _HELD_EVERY
        if len(vertices) and due and len(self._times) < _HELD_TIMES:
            self._times.append(time)
            self._bodies.append(np.asarray(vertices, np.float32))
            self._told.append(np.ones(vertices.shape[:2], np.float32) if support is None else support)
            self._wanted = estimate_ground(np.concatenate(self._bodies), np.concatenate(self._told))
        if self._wanted is None:
            return estimate_ground(np.zeros((0, 1, 3)))
        passed, self._last = (0, time) if self._shown is None else (time - self._last, time)
        self._shown = _between(self._shown or self._wanted, self._wanted, 1 - np.exp(-passed / _HELD_GLIDE))
        return self._shown


def _between(old, new, share):
    up = (1 - share) * old.up + share * new.up
    return Ground(up / np.linalg.norm(up), (1 - share) * old.height + share * new.height)


def _common_axis(vertices):
    """(3) unit vector along most bodies, upwards in the picture."""
    centred = vertices - vertices.mean(1, keepdims=True)
    spread, axes = np.linalg.eigh(np.einsum('nvi,nvj->nij', centred, centred))
    axes, stretch = axes[..., 2], 1 - spread[:, 1] / np.maximum(spread[:, 2], 1e-12)
    axes = np.where(axes[:, 1:2] > 0, -axes, axes)
    axes, stretch = np.concatenate([axes, [[0, -1, 0]]]), np.append(stretch, _LEVEL_CAMERA)
    up = axes[stretch.argmax()]
    for _ in range(_ROUNDS):
        upright = stretch * np.exp(-(np.arccos(np.clip(axes @ up, -1, 1)) / _UPRIGHT)**2)
        up = upright @ axes
        up /= np.linalg.norm(up)
    return up
