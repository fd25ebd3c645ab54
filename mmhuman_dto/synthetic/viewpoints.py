"""Where the camera is and where it looks, in the stage frame (see ``layout``): plain and varied ways to draw it."""
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry import focal_from_fov, project

from .layout import Ground

#: Room that a person of a crowd takes on the ground, m².
_ROOM = 1.2
#: Camera heights of version 2, m, and how often: from the ground, by hand, held up or from a stage, from a window.
_HEIGHTS = (((.15, .9), .13), ((.9, 2.), .62), ((2., 4.), .18), ((4., 7.), .07))
_CLOSE_HEIGHTS = (.6, 2.)


@dataclass
class Viewpoint:
    """A camera at the stage's origin."""
    intrinsics: np.ndarray
    rotation: np.ndarray
    size: tuple[int, int]

    def to_camera(self, points):
        return points @ self.rotation.T

    def project(self, points):
        """Stage points (*, 3) -> pixels (*, 2) and z (*)."""
        x = self.to_camera(points)
        return project(torch.as_tensor(x), torch.as_tensor(self.intrinsics)).numpy(), x[..., 2]


@dataclass
class Stage:
    """What people are placed on: ground, camera, and the horizontal distances at which they stand, m."""
    ground: Ground
    view: Viewpoint
    near: float
    far: float
    far_share: float  # probability that a person stands behind the crowd
    cut: float = 0.  # probability that the frame may cut a person
    place: str = 'open'
    starts_near = False  # whether somebody must stand in the crowd before anybody stands behind it

    def depth(self, rng):
        """A horizontal distance, m, of somebody in the crowd."""
        return rng.uniform(self.near, self.far)

    def spot(self, depth, column):
        """A place at a horizontal distance, m, seen in about a column, px, by a camera that looks level."""
        across = depth * (column - self.view.intrinsics[0, 2]) / self.view.intrinsics[0, 0]
        return np.array([across, 0, -depth])


@dataclass
class VariedStage(Stage):
    """A stage whose camera may look up or down, and whose first rows are fuller than the last."""
    close: bool = False  # whether the first row is larger than the picture
    starts_near = True

    def depth(self, rng):
        return self.near + (self.far - self.near) * rng.random()**(2.5 if self.close else 1.5)

    def spot(self, depth, column):
        chest = self.ground.drop(np.array([0, 0, -depth])) + [0, 1.1, 0]
        across = (column - self.view.intrinsics[0, 2]) / self.view.intrinsics[0, 0]
        return np.array([across * max(self.view.to_camera(chest)[2], 0), 0, -depth])


def plain_stage(config, rng):
    """Version 1: pictures of one size, cameras that look at the middle of the crowd and are hardly rolled."""
    normal = _normal(config, rng)
    # Mostly held by hand; sometimes on a mast or from a window.
    below = rng.uniform(.9, 2.0) if rng.random() < .75 else rng.uniform(2.0, 5.0)
    ground, size = Ground(normal, below * normal[1]), config.size
    fov, focal = _lens(config, size[0], rng)
    share = rng.uniform(*config.first_row)
    near = max(1.7 * focal / size[0] / share, 1.8, .6 * ground.height)
    far = near * rng.uniform(*config.depth_range)
    pitch = _pitch_to(ground, (near + far) / 2, .8) + rng.normal(0, .08) * fov
    roll = np.radians(rng.normal(0, 1.5))
    view = Viewpoint(_intrinsics(focal, size), _turned(pitch, roll), size)
    return Stage(ground, view, near, far, config.far_share)


def varied_stage(config, number, rng):
    """Version 2: any format, cameras from the ground to a window, pitched and rolled, and close-ups."""
    close, normal, place = rng.random() < config.close_share, _normal(config, rng), _one_of(config.places, rng)
    if place in ('room', 'street'):
        normal = np.array([0., 1, 0])
    below = rng.uniform(*(_CLOSE_HEIGHTS if close else _one_of(_HEIGHTS, rng)))
    ground = Ground(normal, below * normal[1])
    height, width = size = _format(config, rng)
    _, focal = _lens(config, min(size), rng)
    share = np.exp(rng.uniform(0, np.log(4))) if close else rng.uniform(*config.first_row)
    near = max(1.7 * focal / height / share, .8 if close else 1.5, .5 * ground.height)
    far = near * rng.uniform(*config.depth_range)
    far = max(far, np.sqrt(near**2 + 2 * _ROOM * number * focal / width))
    # A close-up looks at somebody of the first row, else at the middle of the crowd.
    aim = (near + .2 * (far - near), rng.uniform(.6, 1.5)) if close else ((near + far) / 2, rng.uniform(.6, 1.1))
    pitch = _pitch_to(ground, *aim) + rng.normal(0, .12) * 2 * np.arctan(height / 2 / focal)
    # Most are held level, some are held aslant on purpose or without a look at it.
    roll = np.radians(np.clip(rng.normal(0, 2.5 if rng.random() < .65 else 13), -40, 40))
    view = Viewpoint(_intrinsics(focal, size), _turned(pitch, roll), size)
    far_share = 0. if place == 'room' else config.far_share
    return VariedStage(ground, view, near, far, far_share, 1. if close else config.cut_share, place, close)


def _normal(config, rng):
    tilt, toward = rng.uniform(0, np.radians(config.max_slope)), rng.uniform(0, 2 * np.pi)
    return np.array([np.sin(tilt) * np.cos(toward), np.cos(tilt), np.sin(tilt) * np.sin(toward)])


def _lens(config, side, rng):
    """Field of view over ``side`` px, rad, in the range of the configuration, and its focal length, px."""
    low, high = config.fov
    fov = np.radians(low + (high - low) * rng.beta(2, 2.5))
    return fov, focal_from_fov(fov, side)


def _pitch_to(ground, distance, height):
    """How far a camera looks up, rad, to see what is ``height`` m over the ground so far away."""
    point = ground.drop(np.array([0, 0, -distance])) + [0, height, 0]
    return np.arctan2(-point[1], -point[2])


def _one_of(shares, rng):
    """One of the things in pairs (thing, how often)."""
    weights = np.array([share for _, share in shares])
    return shares[rng.choice(len(shares), p=weights / weights.sum())][0]


def _format(config, rng):
    """A size (height, width), px, of one of the formats, its longer side that of ``config.size``."""
    aspect, side = _one_of(config.formats, rng), max(config.size)
    return (round(side / aspect), side) if aspect >= 1 else (side, round(side * aspect))


def _intrinsics(focal, size):
    return np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])


def _turned(pitch, roll):
    """Stage -> camera rotation (3, 3) of angles in rad."""
    return (Rotation.from_euler('xz', [pitch, roll]) * Rotation.from_euler('x', np.pi)).as_matrix()
