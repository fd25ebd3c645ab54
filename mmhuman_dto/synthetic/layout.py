"""Bodies on the ground: posing, contact, seats, and places where nobody goes through anybody.

Everything here is in the *stage* frame: origin at the camera centre, x right, y up (against gravity), z towards the
viewer, metres; a body in SMPL's rest pose stands upright in it and faces the camera.
"""
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from . import poses
from .people import STANDING_HEIGHT

#: Bodies keep this far apart, m, vertex to vertex.
GAP = .03
BOX_CORNERS = np.array([[x, y, z] for y in (0, 1) for z in (-1, 1) for x in (-1, 1)], dtype=float)
#: 12 triangles over the rows of :data:`BOX_CORNERS`, outward.
BOX_FACES = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                      [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])


@dataclass
class Ground:
    """The plane of points p with ``normal`` . p = -``height``; ``normal`` (3) points up, the camera is above it."""
    normal: np.ndarray
    height: float

    def above(self, points):
        """Signed height of points (*, 3) over the plane, (*) m."""
        return points @ self.normal + self.height

    def drop(self, points):
        """Points (*, 3) moved vertically onto the plane."""
        moved = np.array(points, dtype=float)
        moved[..., 1] -= self.above(moved) / self.normal[1]
        return moved


@dataclass
class Bodies:
    """N posed bodies before they get a place, resting on the ground under the stage's origin."""
    pose: np.ndarray  # (N, 24, 3) axis-angle, root in the stage frame
    #: vertices, joints: (N, V, 3), (N, J, 3) m
    vertices: np.ndarray
    joints: np.ndarray
    root: np.ndarray  # (N, 3) rest-pose root joint: ``transl`` = root joint - this
    seats: list = field(default_factory=list)  # N boxes (8, 3) or None


def pose_bodies(people, ground, noise, body_model, rng):
    """Draw a pose and a heading for each person and put the bodies on a plane like ``ground`` through the origin.

    Joint angles have noise of std ``noise``, degrees; also returns the names of the poses.
    """
    names = [_draw_pose(height, rng) for height in people.heights]
    angles = np.stack([poses.pose_angles(poses.POSES[name]) for name in names])
    planted = [poses.POSES[name].planted for name in names]
    for i in range(len(names)):
        if rng.random() < .5:
            angles[i] = poses.mirror_angles(angles[i])
            planted[i] = planted[i].translate(str.maketrans('lr', 'rl'))
        angles[i] = poses.flatten_feet(poses.add_noise(angles[i], noise, rng), planted[i])
    yaw = np.where(rng.random(len(names)) < .75, rng.normal(0, 40, len(names)), rng.uniform(-180, 180, len(names)))
    upright = Ground(ground.normal, 0.)
    sitters = [poses.POSES[name].seat == 'ground' for name in names]
    for _ in range(4):
        angles = _level_planted_feet(angles, planted, yaw, people.betas, upright, body_model)
    for _ in range(3):
        angles[sitters] = _lay_down_legs(angles[sitters], yaw[sitters], people.betas[sitters], upright, body_model)
    bodies = _forward(angles, yaw, people.betas, body_model)
    lowest = upright.above(bodies.vertices).min(1) / ground.normal[1]
    bodies.vertices[..., 1] -= lowest[:, None]
    bodies.joints[..., 1] -= lowest[:, None]
    bodies.seats = [seat_under(bodies.vertices[i], bodies.joints[i], yaw[i], people.heights[i])
                    if poses.POSES[names[i]].seat == 'box' else None for i in range(len(names))]
    return bodies, names


def _draw_pose(height, rng):
    names = [name for name, pose in poses.POSES.items() if height >= STANDING_HEIGHT or pose.seat == 'ground']
    weights = np.array([poses.POSES[name].weight for name in names])
    return str(rng.choice(names, p=weights / weights.sum()))


def _tensor(value):
    return torch.as_tensor(value, dtype=torch.float32)


def _axis_angles(angles, yaw):
    pose = poses.to_axis_angle(angles)
    heading = Rotation.from_rotvec(yaw[:, None] * [0, 1, 0], degrees=True)
    pose[:, 0] = (heading * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
    return pose


def _forward(angles, yaw, betas, body_model):
    pose = _axis_angles(angles, yaw)
    with torch.no_grad():
        out = body_model(_tensor(pose), _tensor(betas), None)
    joints = out.joints.double().numpy()
    return Bodies(pose, out.vertices.double().numpy(), joints, joints[:, 0].copy())


def _level_planted_feet(angles, planted, yaw, betas, ground, body_model):
    """Bend the leg that touches first, so that both planted feet reach a sloping ground under uneven legs."""
    pose = _axis_angles(angles, yaw)
    with torch.no_grad():
        joints = body_model.skeleton(_tensor(pose), _tensor(betas), None).double().numpy()
    angles = angles.copy()
    ankles = ground.above(joints[:, [7, 8]])
    for i in np.flatnonzero([len(feet) == 2 for feet in planted]):
        side = int(ankles[i].argmin())
        hip, knee, ankle = joints[i, [1 + side, 4 + side, 7 + side]]
        thigh, shank, reach = (np.linalg.norm(a - b) for a, b in ((hip, knee), (knee, ankle), (hip, ankle)))
        flexion = [np.arccos(np.clip((r * r - thigh * thigh - shank * shank) / (2 * thigh * shank), -1, 1))
                   for r in (reach, reach - np.ptp(ankles[i]))]
        angles[i] = poses.bend_leg(angles[i], 'lr'[side], np.degrees(flexion[1] - flexion[0]) / 2)
    return angles


def _lay_down_legs(angles, yaw, betas, ground, body_model):
    """Turn the hips of people who sit on the ground until feet and buttocks reach it together."""
    if not len(angles):
        return angles
    angles, bodies = angles.copy(), _forward(angles, yaw, betas, body_model)
    above = ground.above(bodies.vertices)
    for i, joints in enumerate(bodies.joints):
        leg = np.linalg.norm(joints[1] - joints[7])
        apart = np.linalg.norm(bodies.vertices[i][:, None] - joints[[0, 7, 8]], axis=-1)
        buttocks, *feet = (above[i, distance < reach * leg].min() for distance, reach in zip(apart.T, (.3, .2, .2)))
        angles[i, 1:3, 0] += np.degrees((np.array(feet) - buttocks) / leg)
    return angles


def seat_under(vertices, joints, yaw, height, ahead=.04):
    """A box (8, 3) from below the ground up to the lowest vertex of thighs and buttocks, as deep as the thighs.

    Args:
        vertices: (V, 3) m, of a body that sits. joints: (J, 3) m. yaw: degrees about y. height: of the person, m.
        ahead: how far the middle of the box is before the pelvis, in heights.
    """
    heading = Rotation.from_euler('y', yaw, degrees=True)
    local = heading.inv().apply(vertices - joints[0])
    half, centre = .12 * height, ahead * height
    shanks = heading.inv().apply(joints[[4, 5, 7, 8]] - joints[0])[:, 1].mean()
    # Between hanging hands, and above the shanks.
    over = (np.abs(local[:, 0]) < .6 * half) & (np.abs(local[:, 2] - centre) < half) & (local[:, 1] > shanks)
    top = local[over, 1].min()
    bottom = local[:, 1].min() - .3
    corners = BOX_CORNERS * [half, top - bottom, half] + [0, bottom, centre]
    return heading.apply(corners) + joints[0]


class Crowd:
    """People placed so far; :meth:`fits` tells whether one more would touch anybody or anybody's seat."""

    def __init__(self, bodies):
        self.bodies = bodies
        self.placed, self.offsets = [], []
        self._trees = {}
        self._solids = [self.solid(i) for i in range(len(bodies.vertices))]
        self._bounds = [np.stack([points.min(0), points.max(0)]) for points in self._solids]

    def solid(self, i):
        """Points (P, 3) of body i and its seat."""
        points = self.bodies.vertices[i]
        if self.bodies.seats[i] is not None:
            points = np.concatenate([points, box_points(self.bodies.seats[i])])
        return points

    def add(self, i, offset):
        self.placed.append(i)
        self.offsets.append(offset)

    def fits(self, i, offset):
        """Whether body i, moved by ``offset`` (3), keeps :data:`GAP` from all others."""
        return not any(self._touches(i, offset, j, other) for j, other in zip(self.placed, self.offsets))

    def _touches(self, i, offset, j, other):
        low, high = self._bounds[j] + (other - offset) + [[-GAP], [GAP]]
        if (low > self._bounds[i][1]).any() or (high < self._bounds[i][0]).any():
            return False
        points = self._solids[i]
        points = points[((points > low) & (points < high)).all(1)] + (offset - other)
        if j not in self._trees:
            self._trees[j] = cKDTree(self._solids[j])
        return bool(np.isfinite(self._trees[j].query(points, distance_upper_bound=GAP)[0]).any())


def box_mesh(boxes):
    """Boxes (M, 8, 3) as one mesh: vertices (8 M, 3) and faces (12 M, 3), twelve a box."""
    first = 8 * np.arange(len(boxes))[:, None, None]
    return torch.as_tensor(np.reshape(boxes, (-1, 3))), torch.as_tensor((BOX_FACES + first).reshape(-1, 3))


def box_points(corners, steps=8):
    """Points spread through a box (8, 3) given by corners in :data:`BOX_CORNERS`' order; (steps^3, 3)."""
    u = np.linspace(0, 1, steps)
    grid = np.stack(np.meshgrid(u, u, u, indexing='ij'), -1).reshape(-1, 3)
    edges = corners[[1, 4, 2]] - corners[0]
    return corners[0] + grid @ edges
