"""Cameras of clips, in the floor frame (see ``steps``): on a tripod, turned about, or carried by somebody who walks."""
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry import focal_from_fov

#: Floor frame -> world of a clip: x right, y down, z forward from the first camera, the ground y = 0.
FLOOR_TO_WORLD = np.diag([1., -1, -1])
#: Room for each person to move in, m².
_ROOM = 4.5


@dataclass
class CameraPath:
    """A camera in T frames, and how far away, level, m, it expects people."""
    kind: str
    size: tuple[int, int]
    intrinsics: np.ndarray  # (3, 3) px
    positions: np.ndarray  # (T, 3) m, floor frame
    rotations: np.ndarray  # (T, 3, 3) floor -> camera
    near: float
    far: float

    def spot(self, frame, depth, column):
        """(2) x, z of the floor so far away, m, in a column, widths of the picture, of a frame."""
        ahead = self.rotations[frame, 2, [0, 2]]
        ahead = ahead / np.linalg.norm(ahead)
        across = (column - .5) * self.size[1] / self.intrinsics[0, 0] * depth
        return self.positions[frame, [0, 2]] + depth * ahead + across * np.array([-ahead[1], ahead[0]])

    def world_to_camera(self):
        """(T, 4, 4) of a world whose ground is y = 0: x right, y down, z forward, from below the first camera."""
        poses = np.tile(np.eye(4), (len(self.positions), 1, 1))
        poses[:, :3, :3] = self.rotations @ FLOOR_TO_WORLD
        poses[:, :3, 3] = -np.einsum('tij,tj->ti', self.rotations, self.positions)
        return poses


def sample_camera(number, config, rng):
    """A :class:`CameraPath` by chance, of a camera that expects a number of people."""
    kinds, shares = zip(*config.cameras)
    kind = str(rng.choice(kinds, p=np.array(shares) / sum(shares)))
    times = np.arange(config.frames) / config.fps
    height = rng.uniform(*config.camera_heights)
    focal = focal_from_fov(np.radians(rng.uniform(*config.fov)), config.size[0])
    near = max(1.7 * focal / config.size[0] / rng.uniform(*config.first_row), 2., .8 * height)
    far = near * rng.uniform(*config.depth_range)
    far = max(far, np.sqrt(near**2 + 2 * _ROOM * number * focal / config.size[1]))
    middle = (near + far) / 2
    pitch = np.arctan2(rng.uniform(.75, 1.05) - height, middle) + 0 * times
    roll = np.radians(rng.normal(0, 1.)) + 0 * times
    yaw, positions = 0 * times, np.tile([0, height, 0], (len(times), 1)).astype(float)
    if kind == 'panning':
        yaw = _swaying(np.radians(rng.uniform(12, 30)), times, rng)
    elif kind == 'walking':
        yaw, positions = _carried(height, middle, times, rng)
    if kind != 'still':
        yaw, pitch, roll = (angle + shaken(np.radians(config.jitter), times, rng) for angle in (yaw, pitch, roll))
    turns = Rotation.from_euler('x', np.pi) * Rotation.from_euler(
        'ZXY', np.stack([roll, -pitch, -yaw], 1))  # to the floor's axes, then about
    h, w = config.size
    return CameraPath(kind, config.size, np.array([[focal, 0, w / 2], [0, focal, h / 2], [0, 0, 1.]]), positions,
                      turns.as_matrix(), near, far)


def _swaying(amplitude, times, rng):
    """From 0 on to and fro, (T)."""
    period, start = rng.uniform(8, 16), rng.uniform(0, 2 * np.pi)
    return amplitude * (np.sin(2 * np.pi * times / period + start) - np.sin(start))


def _carried(height, middle, times, rng):
    """Yaw (T) and places (T, 3) of a camera that goes to and fro around people ``middle`` m away, in steps."""
    around = _swaying(np.radians(rng.uniform(10, 25)), times, rng)
    distance = middle * (1 + _swaying(rng.uniform(0, .08), times, rng))
    speed = np.hypot(np.gradient(around, times) * distance, np.gradient(distance, times)) if len(times) > 1 else 0
    bob, step = .02 * np.minimum(speed, 1), 2 * np.pi * rng.uniform(1.6, 1.9) * times
    x, z = distance * np.sin(around), distance * np.cos(around) - middle
    positions = np.stack([x - x[0] + .6 * bob * np.sin(step / 2), height + bob * np.sin(step), z - z[0]], 1)
    positions += np.stack([shaken(.004, times, rng) for _ in range(3)], 1)
    return around + _swaying(np.radians(3), times, rng), positions


def shaken(std, times, rng):
    """What a hand does, (T): waves of 0.3 to 4 Hz, slow ones larger, ``std`` together."""
    frequency = np.exp(rng.uniform(np.log(.3), np.log(4), 12))
    amplitude = rng.normal(size=12) / frequency
    waves = np.sin(2 * np.pi * frequency * times[:, None] + rng.uniform(0, 2 * np.pi, 12))
    return std * waves @ amplitude / np.sqrt((amplitude**2).sum() / 2)
