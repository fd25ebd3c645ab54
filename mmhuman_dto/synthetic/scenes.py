"""Seeded crowds with exact truth: who stands where, in which pose, seen by which camera."""
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.geometry import fov_from_focal, project, rasterize, rasterize_meshes

from .crowd_config import CrowdConfig
from .layout import BOX_CORNERS, Crowd, Ground, box_mesh, pose_bodies
from .people import sample_people
from .places import Place, build_place
from .placing import place_people
from .viewpoints import plain_stage, varied_stage


@dataclass
class Cast:
    """Everybody of a clip, of whom a frame shows some, and what its surroundings are fixed to."""
    rows: np.ndarray  # (N) which of the clip's M people the scene's are
    #: ages, male: (M) years, bool
    ages: np.ndarray
    male: np.ndarray
    visible: np.ndarray  # (N) share of each body that the frame shows
    #: floor, back: (3) a point of the ground and a level direction, in the camera frame, the same ones in all frames
    floor: np.ndarray
    back: np.ndarray


@dataclass
class Scene:
    """The truth of one picture; camera frame, metres, radians."""
    #: (seed, index), in a clip (seed, index, frame); what is drawn later (colours, errors) starts from it
    seed: tuple[int, ...]
    config: CrowdConfig  # what it was drawn from
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
    place: Place = None  # of version 2: what the buildings, here all that is around the people, look like
    cast: Cast = None  # of frames of clips

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
        if self.cast is not None:
            kept['cast'] = replace(self.cast, rows=self.cast.rows[rows], visible=self.cast.visible[rows])
        return replace(self, pose_names=tuple(self.pose_names[i] for i in rows), **kept)

    def project(self, points):
        """Points (*, 3) of the camera frame -> pixels (*, 2)."""
        return project(torch.as_tensor(points), torch.as_tensor(self.intrinsics, dtype=torch.float64)).numpy()

    def generator(self, purpose):
        """A numpy Generator for one purpose (a name) of this scene, independent of all others."""
        return np.random.default_rng([*self.seed, *purpose.encode()])

    def lasting(self, purpose):
        """As :meth:`generator`, the same in all frames of a clip."""
        return np.random.default_rng([*self.seed[:2], *purpose.encode()])

    def looks(self, draw):
        """``draw(age, male)`` of each person (N); in a clip everybody is drawn, so that each keeps its look."""
        if self.cast is None:
            return [draw(age, male) for age, male in zip(self.ages, self.male)]
        drawn = [draw(age, male) for age, male in zip(self.cast.ages, self.cast.male)]
        return [drawn[row] for row in self.cast.rows]


def sample_scene(index, body_model, config=None, seed=0):
    """The ``index``-th scene of a seed; the same on every machine.

    Args:
        body_model: with a child coefficient, on the CPU.
        config: :class:`CrowdConfig`, its defaults if None.

    Returns:
        :class:`Scene`; at least ``config.people[0]`` people, each partly in view.
    """
    config = config or CrowdConfig()
    for attempt in range(100):
        rng = np.random.default_rng([seed, index, attempt])
        scene = _try_scene((seed, index), body_model, config, rng)
        if len(scene) >= config.people[0]:
            return scene
    raise RuntimeError(f'no layout found for scene {index} of seed {seed} with {config}')


def _try_scene(seed, body_model, config, rng):
    number = _how_many(config, rng)
    people = sample_people(number, config.child_share, body_model, rng)
    stage = plain_stage(config, rng) if config.version == 1 else varied_stage(config, number, rng)
    bodies, names = pose_bodies(people, stage.ground, config.pose_noise, body_model, rng)
    crowd = Crowd(bodies)
    place_people(crowd, stage, config, rng)
    if config.version == 1:
        buildings = _buildings(stage.ground, stage.view, crowd, rng)
        scene = _assemble(seed, config, stage, people, crowd, names, buildings)
        visible = visible_share(scene, body_model.faces, config.size[1] / 240)
    else:
        place = build_place(stage.place, stage, crowd, rng)
        scene = _assemble(seed, config, stage, people, crowd, names, np.reshape(place.boxes, (-1, 8, 3)), place)
        boxes = np.concatenate([scene.seats, scene.buildings])
        visible = visible_share(scene, body_model.faces, max(scene.size) / 240, boxes)
    return scene.keep(visible >= config.min_visible)


def _how_many(config, rng):
    low, high = config.people
    if config.version == 1:
        return rng.integers(low, high + 1)
    # The logarithm is even: photographs show few people more often than many.
    return int(np.exp(rng.uniform(np.log(low + 1), np.log(high + 2)))) - 1


def visible_share(scene, faces, coarse=1., boxes=()):
    """Share of each person's pixels within the frame that nobody else and no box hides (N); 0 outside the frame.

    Looks at a picture that is ``coarse`` times smaller; ``boxes`` (M, 8, 3) in the camera frame.
    """
    vertices, intrinsics = torch.as_tensor(scene.vertices), torch.as_tensor(scene.intrinsics) / coarse
    intrinsics[2, 2] = 1
    size = [int(side / coarse) for side in scene.size]
    meshes = [(mesh, faces) for mesh in vertices] + [box_mesh(boxes)]
    together = rasterize_meshes(meshes, intrinsics, size).id_map
    shown = torch.bincount(together.flatten(), minlength=len(meshes) + 1)[1:-1].numpy()
    alone = [int((rasterize(mesh[None], faces, intrinsics, size).id_map > 0).sum()) for mesh in vertices]
    return shown / np.maximum(alone, 1)


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


def _assemble(seed, config, stage, people, crowd, names, buildings, place=None):
    keep, bodies, view = crowd.placed, crowd.bodies, stage.view
    offsets = np.reshape(crowd.offsets, (-1, 1, 3))
    orient = Rotation.from_matrix(view.rotation) * Rotation.from_rotvec(bodies.pose[keep, 0]) if keep else None
    pose = bodies.pose[keep].copy()
    if keep:
        pose[:, 0] = orient.as_rotvec()
    joints = view.to_camera(bodies.joints[keep] + offsets)
    seats = [bodies.seats[i] + offset for i, offset in zip(keep, offsets[:, 0]) if bodies.seats[i] is not None]
    return Scene(
        seed=seed, config=config, size=view.size, intrinsics=view.intrinsics, rotation=view.rotation,
        ground=Ground(view.to_camera(stage.ground.normal), stage.ground.height),
        **{key: value[keep] for key, value in people._asdict().items()},
        pose=pose, transl=joints[:, 0] - bodies.root[keep],
        vertices=view.to_camera(bodies.vertices[keep] + offsets).astype(np.float32), joints=joints,
        pose_names=tuple(names[i] for i in keep),
        seats=view.to_camera(np.reshape(seats, (-1, 8, 3))), buildings=view.to_camera(buildings),
        place=place)
