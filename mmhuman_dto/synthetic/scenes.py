"""Seeded crowds with exact truth: who stands where, in which pose, seen by which camera."""
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry import focal_from_fov, fov_from_focal, project, rasterize

from .layout import BOX_CORNERS, Crowd, Ground, pose_bodies
from .people import sample_people


@dataclass(frozen=True)
class CrowdConfig:
    """What scenes look like."""
    size: tuple[int, int] = (640, 960)  # (height, width) px
    people: tuple[int, int] = (2, 12)  # fewest and most people
    child_share: float = .35  # probability that a person is below 15 years
    fov: tuple[float, float] = (20., 100.)  # vertical field of view, degrees
    max_slope: float = 6.  # steepest ground, degrees
    pose_noise: float = 4.  # std of the joint angles, degrees
    first_row: tuple[float, float] = (.5, 1.)  # share of the picture's height that a grown-up in the first row takes
    depth_range: tuple[float, float] = (1.4, 2.6)  # distance of the last row in units of the first's
    grouped: float = .5  # probability that a person stands beside somebody already there
    far_share: float = .15  # probability that a person stands behind the crowd, up to four times as far
    min_visible: float = .15  # people of whom less than this share is visible are left out


@dataclass
class Scene:
    """The truth of one picture; camera frame, metres, radians."""
    seed: tuple[int, int]  # (seed, index); what is drawn later (colours, errors) starts from it
    size: tuple[int, int]  # (height, width) px
    intrinsics: np.ndarray  # (3, 3) px
    rotation: np.ndarray  # (3, 3) stage frame (x right, y up, z towards the viewer) -> camera frame
    ground: Ground  # the plane, in the camera frame
    #: ages, male, heights: (N) years, bool, m
    ages: np.ndarray
    male: np.ndarray
    heights: np.ndarray
    pose: np.ndarray  # (N, 24, 3) axis-angle
    betas: np.ndarray  # (N, B)
    transl: np.ndarray  # (N, 3)
    vertices: np.ndarray  # (N, V, 3) float32
    joints: np.ndarray  # (N, J, 3)
    pose_names: tuple[str, ...]  # N names of :data:`~mmhuman_dto.synthetic.poses.POSES`
    #: seats, buildings: (M, 8, 3) corners of boxes, ordered as ``layout.BOX_CORNERS``
    seats: np.ndarray
    buildings: np.ndarray

    def __len__(self):
        return len(self.heights)

    @property
    def fov(self):
        """Vertical field of view, rad."""
        return fov_from_focal(self.intrinsics[1, 1], self.size[0])

    @property
    def up(self):
        """Unit vector against gravity, camera frame."""
        return self.rotation[:, 1]

    def keep(self, people):
        """The scene with the people of a mask or list of rows (N) alone; what they sat on stays."""
        rows = np.arange(len(self))[people]
        names = ('ages', 'male', 'heights', 'pose', 'betas', 'transl', 'vertices', 'joints')
        kept = {name: getattr(self, name)[rows] for name in names}
        return replace(self, pose_names=tuple(self.pose_names[i] for i in rows), **kept)

    def project(self, points):
        """Points (*, 3) of the camera frame -> pixels (*, 2)."""
        return project(torch.as_tensor(points), torch.as_tensor(self.intrinsics, dtype=torch.float64)).numpy()

    def generator(self, purpose):
        """A numpy Generator for one purpose (a name) of this scene, independent of all others."""
        return np.random.default_rng([*self.seed, *purpose.encode()])


def sample_scene(index, body_model, config=CrowdConfig(), seed=0):
    """The ``index``-th scene of a seed; the same on every machine.

    Args:
        body_model: with a child coefficient, on the CPU.
        config: :class:`CrowdConfig`.

    Returns:
        :class:`Scene`; at least ``config.people[0]`` people, each partly in view.
    """
    for attempt in range(100):
        rng = np.random.default_rng([seed, index, attempt])
        scene = _try_scene((seed, index), body_model, config, rng)
        if len(scene) >= config.people[0]:
            return scene
    raise RuntimeError(f'no layout found for scene {index} of seed {seed} with {config}')


def _try_scene(seed, body_model, config, rng):
    number = rng.integers(config.people[0], config.people[1] + 1)
    people = sample_people(number, config.child_share, body_model, rng)
    ground = _sample_ground(config, rng)
    intrinsics, rotation, near, far = _sample_camera(ground, config, rng)
    bodies, names = pose_bodies(people, ground, config.pose_noise, body_model, rng)
    crowd = Crowd(bodies)
    view = Viewpoint(intrinsics, rotation, config.size)
    for i in range(number):
        _place(i, crowd, view, ground, near, far, config, rng)
    scene = _assemble(seed, config, view, ground, people, crowd, names, _buildings(ground, view, crowd, rng))
    return scene.keep(visible_share(scene, body_model.faces, config.size[1] / 240) >= config.min_visible)


def visible_share(scene, faces, coarse=1.):
    """Share of each person's pixels within the frame that no other person hides (N); 0 outside the frame.

    Looks at a picture that is ``coarse`` times smaller.
    """
    vertices, intrinsics = torch.as_tensor(scene.vertices), torch.as_tensor(scene.intrinsics) / coarse
    intrinsics[2, 2] = 1
    size = [int(side / coarse) for side in scene.size]
    together = rasterize(vertices, faces, intrinsics, size).id_map
    shown = torch.bincount(together.flatten(), minlength=len(scene) + 1)[1:].numpy()
    alone = [int((rasterize(mesh[None], faces, intrinsics, size).id_map > 0).sum()) for mesh in vertices]
    return shown / np.maximum(alone, 1)


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


def _sample_ground(config, rng):
    tilt, toward = rng.uniform(0, np.radians(config.max_slope)), rng.uniform(0, 2 * np.pi)
    normal = np.array([np.sin(tilt) * np.cos(toward), np.cos(tilt), np.sin(tilt) * np.sin(toward)])
    # Mostly held by hand; sometimes on a mast or from a window.
    below = rng.uniform(.9, 2.0) if rng.random() < .75 else rng.uniform(2.0, 5.0)
    return Ground(normal, below * normal[1])


def _sample_camera(ground, config, rng):
    """Intrinsics, stage -> camera rotation, and the range of horizontal distances at which people stand, m."""
    height, width = config.size
    low, high = config.fov
    fov = np.radians(low + (high - low) * rng.beta(2, 2.5))
    focal = focal_from_fov(fov, height)
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    share = rng.uniform(*config.first_row)
    near = max(1.7 * focal / height / share, 1.8, .6 * ground.height)
    far = near * rng.uniform(*config.depth_range)
    middle = ground.drop(np.array([0, 0, -(near + far) / 2])) + [0, .8, 0]
    pitch = np.arctan2(-middle[1], -middle[2]) + rng.normal(0, .08) * fov
    roll = np.radians(rng.normal(0, 1.5))
    rotation = Rotation.from_euler('xz', [pitch, roll]) * Rotation.from_euler('x', np.pi)
    return intrinsics, rotation.as_matrix(), near, far


def _place(i, crowd, view, ground, near, far, config, rng, tries=40):
    """Try places for body i; leaves it out when none is free and in view."""
    for _ in range(tries):
        if crowd.placed and rng.random() < config.grouped:
            angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(.4, 1.1)
            beside = crowd.offsets[rng.integers(len(crowd.offsets))]
            spot = beside + distance * np.array([np.cos(angle), 0, np.sin(angle)])
        else:
            depth = rng.uniform(near, far) if rng.random() >= config.far_share else far * rng.uniform(1, 4)
            column = rng.uniform(.06, .94) * view.size[1] - view.intrinsics[0, 2]
            spot = np.array([depth * column / view.intrinsics[0, 0], 0, -depth])
        spot = ground.drop(spot)
        if _in_view(i, spot, crowd, view) and crowd.fits(i, spot):
            crowd.add(i, spot)
            return


def _box(pixels):
    return np.concatenate([pixels.min(0), pixels.max(0)])


def _in_view(i, offset, crowd, view, inside=.8, covered=.72):
    """Most joints in the frame, none near the lens, and no box almost hidden behind another."""
    pixels, z = view.project(crowd.bodies.joints[i, :24] + offset)
    frame = ((pixels > 0) & (pixels < [view.size[1], view.size[0]])).all(-1)
    if frame.mean() < inside or not frame[[9, 15]].all() or z.min() < .8:
        return False
    box = _box(pixels)
    for j, other in zip(crowd.placed, crowd.offsets):
        pixels_j, z_j = view.project(crowd.bodies.joints[j, :24] + other)
        box_j = _box(pixels_j)
        hidden = box_j if z.mean() < z_j.mean() else box
        overlap = np.clip(np.minimum(box[2:], box_j[2:]) - np.maximum(box[:2], box_j[:2]), 0, None).prod()
        if overlap > covered * (hidden[2:] - hidden[:2]).prod():
            return False
    return True


def _buildings(ground, view, crowd, rng):
    """A few boxes (M, 8, 3) behind everybody, stage frame."""
    back = max([-offset[2] for offset in crowd.offsets], default=10) + 12
    boxes = []
    for _ in range(rng.integers(2, 7)):
        depth = back * rng.uniform(1, 1.8)
        half = np.array([rng.uniform(.08, .22), 0, rng.uniform(.08, .2)]) * depth
        tall = rng.uniform(.12, .5) * depth
        reach = depth * view.size[1] / 2 / view.intrinsics[0, 0]
        foot = ground.drop(np.array([rng.uniform(-1.2, 1.2) * reach, 0, -depth - half[2]])) - [0, 4, 0]
        turn = Rotation.from_euler('y', rng.uniform(-40, 40), degrees=True)
        boxes.append(turn.apply(BOX_CORNERS * (half + [0, tall + 4, 0])) + foot)
    return np.stack(boxes)


def _assemble(seed, config, view, ground, people, crowd, names, buildings):
    keep, bodies = crowd.placed, crowd.bodies
    offsets = np.reshape(crowd.offsets, (-1, 1, 3))
    orient = Rotation.from_matrix(view.rotation) * Rotation.from_rotvec(bodies.pose[keep, 0]) if keep else None
    pose = bodies.pose[keep].copy()
    if keep:
        pose[:, 0] = orient.as_rotvec()
    joints = view.to_camera(bodies.joints[keep] + offsets)
    seats = [bodies.seats[i] + offset for i, offset in zip(keep, offsets[:, 0]) if bodies.seats[i] is not None]
    return Scene(
        seed=seed, size=config.size, intrinsics=view.intrinsics, rotation=view.rotation,
        ground=Ground(view.to_camera(ground.normal), ground.height),
        **{key: value[keep] for key, value in people._asdict().items()},
        pose=pose, transl=joints[:, 0] - bodies.root[keep],
        vertices=view.to_camera(bodies.vertices[keep] + offsets).astype(np.float32), joints=joints,
        pose_names=tuple(names[i] for i in keep),
        seats=view.to_camera(np.reshape(seats, (-1, 8, 3))), buildings=view.to_camera(buildings))
