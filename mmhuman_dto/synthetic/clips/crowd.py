"""Seeded crowds that move, with exact truth a frame."""
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.structures import Clip, People, PersonTrack

from ..crowd_config import CrowdConfig
from ..layout import Ground
from ..places import Place
from ..scenes import Cast, Scene, visible_share
from .actors import sample_actors
from .cameras import CameraPath, sample_camera
from .config import ClipConfig
from .setting import sample_place

#: Scenes that are kept, so that asking for one again costs nothing.
_KEPT = 4
#: Pictures that visibility is counted in have about this many pixels along the longer side.
_COARSE = 160


@dataclass
class MovingCrowd:
    """The truth of a clip.

    Attributes:
        seed: (seed, index). config: :class:`ClipConfig`.
        actors: :class:`Actor` of everybody, also of those who are out of view; ``track_ids`` are their rows.
        camera: :class:`~mmhuman_dto.synthetic.clips.cameras.CameraPath`.
        place: :class:`~mmhuman_dto.synthetic.places.Place`; buildings: its boxes (B, 8, 3) in the world, m.
    """
    seed: tuple[int, int]
    config: ClipConfig
    actors: list
    camera: CameraPath
    place: Place
    buildings: np.ndarray
    body_model: torch.nn.Module = field(repr=False)

    def __post_init__(self):
        self.world_to_camera = self.camera.world_to_camera()
        self._drawn, self._shares = lru_cache(_KEPT)(self._draw), {}
        version = self.config.version
        self._look = CrowdConfig(size=self.config.size) if version == 1 else CrowdConfig(
            size=self.config.size, version=version, defects=self.config.defects)
        #: (S, 8, 3) corners of boxes that somebody sits on, world
        self.seats = np.reshape([seat for actor in self.actors for seat in actor.seats], (-1, 8, 3))

    def __len__(self):
        return self.config.frames

    @property
    def times(self):
        """(T) s, of the frames."""
        return np.arange(len(self)) / self.config.fps

    @cached_property
    def frames(self):
        """The :class:`~mmhuman_dto.synthetic.scenes.Scene` of each frame, made as it is asked for: who is seen."""
        return _Frames(self, self.config.min_visible)

    @cached_property
    def everybody(self):
        """As ``frames``, with all who are in front of the camera, however little is seen of them: what is drawn."""
        return _Frames(self, -1.)

    def picture(self, t, renderer, image=True):
        """What a :class:`~mmhuman_dto.synthetic.Renderer` draws of frame t, without the image if it is not asked for.

        All who are in front of the camera are drawn; the id map's i + 1 is person i of ``frames[t]``, and who is hardly
        seen is 0.
        """
        scene = self.everybody[t]
        picture = renderer(scene) if image else renderer.maps(scene)
        seen = scene.cast.visible >= self.config.min_visible
        numbers = np.append(0, np.cumsum(seen) * seen).astype(np.int32)
        return picture._replace(id_map=numbers[picture.id_map])

    def pictures(self, renderer, images=True):
        """:meth:`picture` of one frame after the other."""
        return (self.picture(t, renderer, images) for t in range(len(self)))

    def track_ids(self, t):
        """(N) int64, of the people of frame t."""
        return np.flatnonzero(self.visible[t] >= self.config.min_visible)

    @cached_property
    def visible(self):
        """(T, M) share of each body that each frame shows: what is within the frame and nobody else hides."""
        shares = np.zeros((len(self), len(self.actors)))
        for t in range(len(self)):
            cast = self._drawn(t).cast
            shares[t, cast.rows] = cast.visible
        return shares

    @cached_property
    def clip(self):
        """The truth as a :class:`~mmhuman_dto.structures.Clip`, of everybody in the frames in which it is seen."""
        return self.clip_of(self.visible >= self.config.min_visible)

    def clip_of(self, known):
        """The truth of the frames and people ``known`` (T, M) bool; ``camera_poses`` start from the actors' world."""
        tracks = [PersonTrack(row, torch.as_tensor(np.flatnonzero(known[:, row])), self._people(row, known[:, row]))
                  for row in range(len(self.actors)) if known[:, row].any()]
        intrinsics = torch.as_tensor(self.camera.intrinsics, dtype=torch.float32).expand(len(self), 3, 3).clone()
        return Clip(f'{self.seed[0]}_{self.seed[1]}', torch.as_tensor(self.times), self.config.size, intrinsics, tracks,
                    torch.as_tensor(self.world_to_camera), body_model=type(self.body_model).__name__)

    @cached_property
    def contacts(self):
        """{track id: (F, 2) bool}, of the frames of ``clip.tracks``: whether the balls of left and right foot stand."""
        return {track.track_id: self.actors[track.track_id].contact[track.frames.numpy()] for track in self.clip.tracks}

    def in_camera(self, row, frames):
        """Pose (F, 24, 3), rad, and root joint (F, 3), m, of an actor in frames (F), in their camera frames."""
        actor, pose, turn = self.actors[row], self.actors[row].pose[frames].copy(), self.world_to_camera[frames]
        pose[:, 0] = (Rotation.from_matrix(turn[:, :3, :3]) * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
        return pose, np.einsum('tij,tj->ti', turn[:, :3, :3], actor.root[frames]) + turn[:, :3, 3]

    def _people(self, row, known):
        actor = self.actors[row]
        pose, root = self.in_camera(row, known)
        same = {name: np.broadcast_to(value, (len(pose), *np.shape(value))) for name, value in (
            ('betas', actor.betas), ('heights', actor.height), ('ages', actor.age), ('male_probs', actor.male))}
        fields = dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], transl=root - actor.rest_root, **same)
        return People(**{name: torch.as_tensor(np.array(value, np.float32)) for name, value in fields.items()})

    def _draw(self, t):
        """The scene of a frame with all who are in front of the camera."""
        parts = [self.in_camera(row, [t]) for row in range(len(self.actors))]
        roots = np.concatenate([root for _, root in parts])
        rows = np.flatnonzero(self._near_view(roots))
        scene = self._scene(t, rows, np.concatenate([parts[row][0] for row in rows]) if len(rows) else
                            np.zeros((0, 24, 3)), roots[rows])
        if t not in self._shares:
            self._shares[t] = self._visible(scene)
        scene.cast.visible[:] = self._shares[t]
        return scene

    def _visible(self, scene):
        """Share of each body (N) that a scene shows."""
        if not len(scene):
            return np.zeros(0)
        shown = visible_share(scene, self.body_model.faces, max(max(scene.size) / _COARSE, 1),
                              np.concatenate([scene.seats, scene.buildings]))
        pixels, z = scene.project(scene.vertices.astype(float)), scene.vertices[..., 2]
        inside = ((pixels >= 0) & (pixels <= scene.size[::-1])).all(-1) & (z > 0)
        return shown * inside.mean(1)

    def _near_view(self, roots):
        """Whether people with root joints (M, 3), camera frame, or their shadows may be seen."""
        half = (np.array(self.config.size[::-1]) / 2 / self.camera.intrinsics[0, 0])[0]
        return (roots[:, 2] > .6) & (np.abs(roots[:, 0]) < half * roots[:, 2] + 1.5)

    def _scene(self, t, rows, pose, root):
        actors, turn = [self.actors[row] for row in rows], self.world_to_camera[t]
        betas = np.reshape([actor.betas for actor in actors], (len(rows), self.body_model.num_betas))
        transl = root - np.reshape([actor.rest_root for actor in actors], (-1, 3))
        with torch.no_grad():
            out = self.body_model(*(torch.as_tensor(value, dtype=torch.float32) for value in (pose, betas, transl)))
        stage = turn[:3, :3] @ np.diag([1., -1, -1])
        ages, male = (np.array([getattr(actor, name) for actor in self.actors]) for name in ('age', 'male'))
        return Scene(
            seed=(*self.seed, t), config=self._look, size=self.config.size, intrinsics=self.camera.intrinsics,
            rotation=stage, ground=Ground(stage[:, 1], float(self.camera.positions[t, 1])),
            ages=ages[rows], male=male[rows], heights=np.array([actor.height for actor in actors]), pose=pose,
            betas=betas, transl=transl, vertices=out.vertices.numpy(), joints=out.joints.double().numpy(),
            pose_names=tuple(actor.activity[t] for actor in actors), seats=self.seats @ turn[:3, :3].T + turn[:3, 3],
            buildings=self.buildings @ turn[:3, :3].T + turn[:3, 3],
            place=self.place if self.config.version > 1 else None,
            cast=Cast(rows, ages, male, np.ones(len(rows)), turn[:3, 3].copy(), stage[:, 2]))


class _Frames(Sequence):
    """Scenes of a crowd, made as they are asked for."""

    def __init__(self, crowd, least):
        self.crowd, self.least = crowd, least

    def __len__(self):
        return len(self.crowd)

    def __getitem__(self, t):
        if isinstance(t, slice):
            return [self[i] for i in range(*t.indices(len(self)))]
        scene = self.crowd._drawn(range(len(self))[t])
        return scene.keep(scene.cast.visible >= self.least)


def sample_clip(index, body_model, config=None, seed=0):
    """The ``index``-th clip of a seed; the same on every machine.

    Args:
        body_model: with a child coefficient, on the CPU.
        config: :class:`ClipConfig`, its defaults if None.

    Returns:
        :class:`MovingCrowd` of at least ``config.people[0]`` people.
    """
    config = config or ClipConfig()
    for attempt in range(20):
        rng = np.random.default_rng([seed, index, attempt, *b'clip'])
        number = int(rng.integers(config.people[0], config.people[1] + 1))
        camera = sample_camera(number, config, rng)
        actors = sample_actors(number, camera, body_model, config, rng)
        if len(actors) >= config.people[0]:
            place, buildings = sample_place(actors, camera, config, rng)
            return MovingCrowd((seed, index), config, actors, camera, place, buildings, body_model)
    raise RuntimeError(f'no paths found for clip {index} of seed {seed} with {config}: fewer people, or more room')
