"""Observations as measurements: where people and their boxes are, and how far that may be off."""
from dataclasses import dataclass, fields

import numpy as np

from .observations import Observations

#: Spread of velocities, m/s: along the camera's x, y and z. People rarely move up or down.
PLACE_SPEED = np.array([1., .5, 1.])
#: Spread of velocities of boxes: of the centre, longer sides a second, and of the logarithms of the sides, 1/s.
BOX_SPEED = np.array([.8, .4, .5, .3])
#: Errors from here on: not below those on the clips of tools/benchmark/bench_tracking.py with the seed 511.
#: Of places, parts of the distance: of the distance, where nobody says it, and across the line of sight.
DEPTH_STD, ACROSS_STD = .06, .015
#: Of boxes: of the centre, parts of the longer side, and of the logarithms of the sides.
BOX_STD = np.array([.025, .025, .1, .05])
#: A person is covered where nearer ones' boxes hide more than this part of its own.
COVERED = .4


@dataclass(frozen=True)
class Seen:
    """N people of a frame in the world's frame (the camera's, where it stands still).

    Attributes:
        observations: :class:`Observations`.
        places: (N, 3) m. place_noise: (N, 3, 3).
        boxes: (N, 4) centre x, y, px, and logarithms of width and height. box_noise: (N, 4, 4).
        pose: (N, 24, 3) m, about the pelvis.
        clear: (N,) whether no nearer person covers it.
    """
    observations: Observations
    places: np.ndarray
    place_noise: np.ndarray
    boxes: np.ndarray
    box_noise: np.ndarray
    pose: np.ndarray
    clear: np.ndarray

    @classmethod
    def of(cls, observations, camera_pose=None):
        """From :class:`Observations`; ``camera_pose`` (4, 4) world -> camera, m."""
        positions = observations.positions
        noise = place_noise(positions, observations.depth_stds)
        pose, boxes = observations.pose, box_states(observations.boxes)
        clear = covered(observations) <= COVERED
        if camera_pose is not None:
            turn, shift = np.asarray(camera_pose, np.float64)[:3, :3], np.asarray(camera_pose, np.float64)[:3, 3]
            positions, noise, pose = (positions - shift) @ turn, turn.T @ noise @ turn, pose @ turn
        return cls(observations, positions, noise, boxes, box_noise(boxes), pose, clear)

    def __len__(self):
        return len(self.observations)

    def __getitem__(self, rows):
        return Seen(*(getattr(self, field.name)[rows] for field in fields(self)))


def place_noise(positions, depth_stds=None):
    """(N, 3, 3) covariance of positions (N, 3): long along the line of sight, narrow across it."""
    squared = np.square(positions).sum(-1)[:, None, None]
    along = positions[:, :, None] * positions[:, None, :]
    stds = np.full(len(positions), np.nan) if depth_stds is None else depth_stds
    stds = np.where(np.isfinite(stds), stds, DEPTH_STD)[:, None, None]
    return stds**2 * along + ACROSS_STD**2 * (squared * np.eye(3) - along)


def box_states(boxes):
    """(N, 4) centre x, y and logarithms of width and height of boxes (N, 4) xyxy; nan where a box has no area."""
    sides = boxes[:, 2:] - boxes[:, :2]
    sides = np.where(sides > 0, sides, np.nan)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, np.log(sides)], 1)


def scaled(values, states):
    """(N, 4) errors or speeds of box states (N, 4): the centre's are parts of the longer side."""
    size = np.exp(states[:, 2:4].max(1))
    return values * np.stack([size, size, np.ones_like(size), np.ones_like(size)], -1)


def box_noise(states):
    """(N, 4, 4) covariance of box states (N, 4)."""
    return np.square(scaled(BOX_STD, states))[:, :, None] * np.eye(4)


def corners(states):
    """(N, 4) xyxy of box states (N, 4)."""
    half = np.exp(states[:, 2:4]) / 2
    return np.concatenate([states[:, :2] - half, states[:, :2] + half], 1)


def covered(observations):
    """(N,) largest part of each box that one nearer person's box hides.

    Nearer is who is nearer in metres or, where that is unknown, whose box ends lower in the picture.
    """
    boxes, distance = observations.boxes, observations.positions[:, 2]
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    part = np.clip(high - low, 0, None).prod(-1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(-1), 1e-9)[:, None]
    ends = boxes[:, 3]
    known = np.isfinite(distance)[:, None] & np.isfinite(distance)[None]
    nearer = np.where(known, distance[None] < distance[:, None], ends[None] > ends[:, None])
    return np.where(nearer, np.nan_to_num(part), 0).max(1, initial=0)
