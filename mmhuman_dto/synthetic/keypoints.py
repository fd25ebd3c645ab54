"""Joints of people in pictures that nobody draws: any pose, any camera, cut by the edge and hidden by each other.

Cheap enough to be drawn anew for every step of a training. Only joints are posed, no vertices.
"""
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.body_models.joint_sets import JOINT_SETS
from mmhuman_dto.fitting.kinematics import FitState
from mmhuman_dto.geometry import axis_angle_to_matrix

from . import poses
from .keypoint_errors import KeypointErrors, detected
from .people import sample_people
from .poses import Pose

#: Poses besides those of crowds, which all stand or sit on a ground: of people who crawl, kneel, lie or hang.
UNUSUAL = {
    'crawling': Pose(dict(pelvis=(82, 0, 0), l_hip=(-82, 0, 4), r_hip=(-82, 0, -4), l_knee=(86, 0, 0),
                          r_knee=(86, 0, 0), l_shoulder=(0, -76, -6), r_shoulder=(0, 76, 6), neck=(-25, 0, 0))),
    'kneeling': Pose(dict(l_hip=(-8, 0, 4), r_hip=(-8, 0, -4), l_knee=(98, 0, 0), r_knee=(98, 0, 0),
                          l_shoulder=(0, 0, -72), r_shoulder=(0, 0, 72))),
    'lying': Pose(dict(pelvis=(-88, 0, 0), l_shoulder=(0, 0, -68), r_shoulder=(0, 0, 68), l_hip=(0, 0, 5),
                       r_hip=(0, 0, -5)), weight=1.5),
    'lying on the front': Pose(dict(pelvis=(88, 0, 0), l_shoulder=(0, 0, -30), r_shoulder=(0, 0, 30),
                                    neck=(-20, 20, 0))),
    'lying on the side': Pose(dict(pelvis=(0, 0, 88), l_hip=(-50, 0, 0), r_hip=(-40, 0, 0), l_knee=(70, 0, 0),
                                   r_knee=(60, 0, 0), l_shoulder=(-20, -30, -40), r_shoulder=(-20, 30, 40))),
    'standing on the hands': Pose(dict(pelvis=(178, 0, 0), l_shoulder=(0, 0, 78), r_shoulder=(0, 0, -78),
                                       l_collar=(0, 0, 18), r_collar=(0, 0, -18))),
    'hanging': Pose(dict(l_shoulder=(0, 0, 76), r_shoulder=(0, 0, -76), l_collar=(0, 0, 18), r_collar=(0, 0, -18)),
                    weight=.7),
}
#: The soles are this far below the lowest joint of a body of 1.7 m, m.
SOLE = .07
#: Half the widths of trunk and of both legs of a body of 1.7 m, m: what they hide of others.
TRUNK, LEGS = .15, .1
#: Nobody is nearer to the camera, m.
NEAREST = .35
#: Bones that are taken from another pose together.
_LIMBS = (('hip', 'knee', 'ankle', 'foot'), ('collar', 'shoulder', 'elbow', 'wrist'))
#: People of a bank of shapes.
_BANK = 4096


@dataclass(frozen=True)
class KeypointConfig:
    """What pictures show."""
    people: int = 32  # of a picture at most
    child_share: float = .3  # probability that a person is below 15 years
    fov: tuple[float, float] = (15., 110.)  # of the longer side, degrees
    sides: tuple[float, float] = (.5, 2.)  # height over width of the picture
    long_side: int = 1280  # px
    share: tuple[float, float] = (.08, 2.)  # of the picture's longer side that a standing grown-up takes, a picture
    pose_noise: tuple[float, float] = (4., 28.)  # std of the joint angles, degrees, a person
    swapped: float = .5  # probability that a limb is that of another pose, each of the four
    lean: float = 10.  # scale of how far bodies lean in any direction, degrees; a few lean much farther (t, 3)
    unusual: float = .12  # probability of a pose of :data:`UNUSUAL`
    tilted: float = .06  # probability that a body is turned any way at all
    covered: float = .3  # probability that something other than people hides a part of a person
    min_joints: int = 5  # people of whom fewer joints are seen in the picture are left out
    errors: KeypointErrors = field(default_factory=KeypointErrors)


class KeypointScene(NamedTuple):
    """N people of a picture of ``size`` (h, w) px: keypoints (N, J, 2) px and scores (N, J) as a network gives them,
    joints (N, J, 3) m, hidden (N, J) bool, pose (N, K, 3) rad, betas (N, B), pelvis (N, 3) m, heights (N) m,
    ages (N) years, and up (3), the unit vector against gravity; camera frame; intrinsics (3, 3) px."""
    keypoints: np.ndarray
    scores: np.ndarray
    joints: np.ndarray
    hidden: np.ndarray
    pose: np.ndarray
    betas: np.ndarray
    pelvis: np.ndarray
    heights: np.ndarray
    ages: np.ndarray
    up: np.ndarray
    intrinsics: np.ndarray
    size: tuple


class KeypointScenes:
    """Seeded pictures of joints.

    Args:
        body_model: with a child coefficient; or one without, whose people are all grown up.
        tables: :class:`~mmhuman_dto.fitting.kinematics.JointTables` of it, in float32.
        config: :class:`KeypointConfig`. joint_set: of the tables. seed: other seeds give other pictures.
    """

    def __init__(self, body_model, tables, config=KeypointConfig(), joint_set='coco17', seed=0):
        self.tables, self.config, self.joint_set, self.seed = tables, config, joint_set, seed
        self.people = sample_people(_BANK, config.child_share, body_model, np.random.default_rng([seed, _BANK]))
        self.usual, self.unusual = (_angles(known) for known in (poses.POSES, UNUSUAL))

    def __call__(self, index):
        """:class:`KeypointScene` number ``index``, the same on every machine; at least one person is in it."""
        for attempt in range(100):
            scene = self._try(np.random.default_rng([self.seed, index, attempt]))
            if len(scene.heights):
                return scene
        raise RuntimeError(f'no picture found for scene {index} of seed {self.seed} with {self.config}')

    def _try(self, rng):
        count = 2 * self.config.people  # many of them are not in the picture
        rows = rng.integers(_BANK, size=count)
        betas, heights, ages = (np.asarray(values)[rows] for values in (
            self.people.betas, self.people.heights, self.people.ages))
        camera = _Camera(self.config, rng)
        pose = self._pose(count, rng)
        rotations = axis_angle_to_matrix(torch.from_numpy(pose).float())
        rotations[:, 0] = torch.from_numpy(camera.rotation @ _headings(count, rng)).float() @ rotations[:, 0]
        state = FitState(rotations, torch.from_numpy(betas).float(), torch.zeros(count, 3))
        joints = self.tables.joints(state).double().numpy() - [0, 0, 1]  # around the pelvis
        pelvis = camera.places(joints, heights, rng)
        joints = joints + pelvis[:, None]
        pixels = camera.project(joints)
        kept = np.flatnonzero((joints[..., 2].min(1) > NEAREST)
                              & (camera.shows(pixels).sum(1) >= self.config.min_joints))[:self.config.people]
        pose[kept, 0] = Rotation.from_matrix(rotations[kept, 0].numpy()).as_rotvec()
        parts = (values[kept] for values in (pixels, joints, pose, betas, pelvis, heights, ages))
        return self._seen(camera, *parts, rng)

    def _seen(self, camera, pixels, joints, pose, betas, pelvis, heights, ages, rng):
        """The scene of those of whom enough is seen."""
        hidden = hidden_by_others(pixels, joints, heights, camera.focal, self.joint_set)
        hidden |= _covered(pixels, self.config.covered, rng)
        keypoints, scores = detected(pixels, hidden, camera.size, self.config.errors, rng, self.joint_set)
        kept = np.flatnonzero((camera.shows(pixels) & ~hidden).sum(1) >= self.config.min_joints)
        people = (values[kept] for values in (keypoints, scores, joints, hidden, pose, betas, pelvis, heights, ages))
        return KeypointScene(*people, -camera.rotation[:, 1], camera.intrinsics, tuple(camera.size.tolist()))

    def _pose(self, count, rng):
        """Axis-angle (N, 24, 3), rad, the root's before anybody turns."""
        def draw():
            known, weights = self.usual
            return known[rng.integers(2, size=count), rng.choice(len(weights), count, p=weights)]

        angles = draw()
        for side, bones in ((side, bones) for side in 'lr' for bones in _LIMBS):
            part = np.array([name[0] == side and name[2:] in bones for name in poses.JOINTS])
            angles = np.where((rng.random(count) < self.config.swapped)[:, None, None] & part[:, None], draw(), angles)
        known, weights = self.unusual
        others = known[rng.integers(2, size=count), rng.choice(len(weights), count, p=weights)]
        angles = np.where((rng.random(count) < self.config.unusual)[:, None, None], others, angles)
        angles = poses.add_noise(angles, rng.uniform(*self.config.pose_noise, (count, 1, 1)), rng)
        pose = poses.to_axis_angle(angles)
        pose[:, 0] = (_leans(count, self.config.lean, rng) * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
        tilted = rng.random(count) < self.config.tilted
        pose[tilted, 0] = Rotation.random(tilted.sum(), rng).as_rotvec()
        return pose


class _Camera:
    """A camera that looks at people on a ground: ``rotation`` (3, 3) of the level frame (x right, y down, z forward)
    into the camera's, ``height`` m above the ground."""

    def __init__(self, config, rng):
        self.config, ratio = config, np.exp(rng.uniform(*np.log(config.sides)))
        self.size = np.maximum(np.round(config.long_side * np.array([min(1, ratio), min(1, 1 / ratio)])), 1).astype(int)
        self.fov = np.radians(rng.uniform(*config.fov))
        self.focal = config.long_side / 2 / np.tan(self.fov / 2)
        self.intrinsics = np.array([[self.focal, 0, self.size[1] / 2], [0, self.focal, self.size[0] / 2], [0, 0, 1]])
        # People of one distance take this share of the picture; they are seen from above, mostly a little.
        share = np.exp(rng.uniform(*np.log(config.share)))
        self.distance = max(1.7 * self.focal / (share * config.long_side), 2 * NEAREST)
        down = np.radians(rng.normal(6, 8) if rng.random() < .8 else rng.uniform(-30, 75))
        self.height = max(.9 + self.distance * np.sin(down), .15)
        self.ahead = self.distance * np.cos(down)
        pitch = np.arctan2(self.height - .9, self.ahead) + rng.normal(0, .15 * self.fov)
        roll = np.radians(rng.normal(0, 3 if rng.random() < .85 else 25))
        self.rotation = Rotation.from_euler('zx', [roll, pitch]).as_matrix()

    def places(self, joints, heights, rng):
        """Pelves (N, 3), m, of bodies whose joints (N, J, 3), around the pelvis, are to stand or lie on the ground."""
        count = len(joints)
        lowest = (joints @ self.rotation)[..., 1].max(1) + SOLE * heights / 1.7
        ahead = self.ahead * np.exp(rng.normal(0, .4, count))
        aside = ahead * np.tan(np.clip(rng.uniform(-.6, .6, count) * self.fov, -1.4, 1.4))
        return np.stack([aside, self.height - lowest, ahead], -1) @ self.rotation.T

    def shows(self, pixels):
        """(N, J) whether pixels (N, J, 2) are in the picture."""
        return ((pixels >= 0) & (pixels <= self.size[::-1])).all(-1)

    def project(self, joints):
        """Pixels (N, J, 2) of points (N, J, 3)."""
        return joints[..., :2] / joints[..., 2:] * self.focal + self.intrinsics[:2, 2]


def hidden_by_others(pixels, joints, heights, focal, joint_set='coco17'):
    """(N, J) whether trunk or legs of a nearer person, or one's own trunk, are in front of a joint.

    Args:
        pixels: (N, J, 2) px. joints: (N, J, 3) m, camera frame. heights: (N) m. focal: px.
    """
    names = JOINT_SETS[joint_set].names
    middle = {bone: [names.index(f'{side}_{bone}') for side in ('left', 'right')] for bone in
              ('shoulder', 'hip', 'ankle')}
    plane = pixels[..., 0] + 1j * pixels[..., 1]
    shoulders, hips, ankles = ((plane[:, rows].mean(1), joints[:, rows, 2].mean(1)) for rows in middle.values())
    hidden = np.zeros(plane.shape, bool)
    for (top, near_top), (bottom, near_bottom), width in ((shoulders, hips, TRUNK), (hips, ankles, LEGS)):
        along = bottom - top
        # Where each joint (N, J) is along and beside the line of each person (M) from top to bottom.
        offset = (plane[:, :, None] - top) * (along.conj() / np.maximum(np.abs(along)**2, 1e-6))
        part = offset.real.clip(0, 1)
        depth = near_top + part * (near_bottom - near_top)
        reach = width * heights / 1.7 * focal / np.maximum(np.abs(along), 1e-3)
        hidden |= ((np.abs(offset - part) * depth < reach) & (joints[..., None, 2] > depth + .12 * heights)).any(-1)
    return hidden


def _covered(pixels, probability, rng):
    """(N, J) what a thing in front hides: all of some people beyond a line across them."""
    low, high = pixels.min(1), pixels.max(1)
    angle = np.where(rng.random(len(pixels)) < .6, np.pi / 2, rng.uniform(0, 2 * np.pi, len(pixels)))
    normal = np.stack([np.cos(angle), np.sin(angle)], -1)
    point = low + (high - low) * rng.uniform(.2, .95, (len(pixels), 1))
    beyond = ((pixels - point[:, None]) * normal[:, None]).sum(-1) > 0
    return beyond & (rng.random((len(pixels), 1)) < probability)


def _leans(count, scale, rng):
    """N rotations about horizontal axes of bodies (y up)."""
    axis = rng.uniform(0, 2 * np.pi, count)
    angle = np.radians(scale * rng.standard_t(3, count)).clip(-np.pi, np.pi)
    return Rotation.from_rotvec(angle[:, None] * np.stack([np.cos(axis), 0 * axis, np.sin(axis)], -1))


def _headings(count, rng):
    """(N, 3, 3) turns of bodies (y up, facing z) into the level frame (y down), most towards the camera."""
    yaw = np.where(rng.random(count) < .6, rng.normal(0, 50, count), rng.uniform(-180, 180, count))
    turned = Rotation.from_euler('y', yaw[:, None], degrees=True)
    return (Rotation.from_euler('x', 180, degrees=True) * turned).as_matrix()


def _angles(known):
    """Euler angles (2, P, 24, 3), degrees, of poses and of their mirror images, and how often each is drawn (P)."""
    angles = np.stack([poses.pose_angles(pose) for pose in known.values()])
    weights = np.array([pose.weight for pose in known.values()])
    return np.stack([angles, np.stack([poses.mirror_angles(one) for one in angles])]), weights / weights.sum()
