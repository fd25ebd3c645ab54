"""The people of a clip as bones that move through one world: what its files of meshes and of motion are written from.

The world is that of all our files: x right in the first picture, y up from the ground, z towards the viewer, metres,
its origin on the ground below the first frame's camera. Where the camera's poses are known (``camera_poses``), it moves
and people stand in the world; else it stands still, from each cut between two shots on somewhere else.
"""
from typing import NamedTuple

import numpy as np
import torch

from ..body_models import BodyModel
from ..dto.bodies import bodies_of
from ..geometry.skeleton import Skeleton, Skin
from ..geometry.trajectories import inverse_poses
from .ground import estimate_ground
from .rigs import told_bones, told_skeleton

#: A person who is not found for this long, s, and no longer, is taken to go on from where it was to where it is next.
BRIDGED = 2.
#: Bodies of a shot that tell where its ground is, at most.
_GROUND_BODIES = 64
#: What of a camera's pose is no movement but rounding, m or of an axis.
_STILL = 1e-6


class Motion(NamedTuple):
    """One person through a clip.

    Attributes:
        track_id: its number.
        times: (F) s of the clip at which the bones are known, rising.
        skeleton: :class:`~mmhuman_dto.geometry.skeleton.Skeleton` at these times, in the world.
        spans: [(from, to)] s in which it is there: gaps up to :data:`BRIDGED` are none.
        skin: :class:`~mmhuman_dto.geometry.skeleton.Skin` at rest, of one shape in the whole clip and without pose
            correctives; None of people without a body model.
        betas: (B) the one shape, the median of each coefficient; None where not known.
        height, height_std: m, of that shape; nan where not known.
        scale: how much larger a placed mesh is than its shape says.
    """
    track_id: int
    times: np.ndarray
    skeleton: Skeleton
    spans: list
    skin: Skin | None
    betas: np.ndarray | None
    height: float
    height_std: float
    scale: float

    def between(self, start, stop):
        """The part from ``start`` s on and before ``stop`` s, whose times begin anew; None where it is not there."""
        rows = (self.times >= start) & (self.times < stop)
        if not rows.any():
            return None
        skeleton = self.skeleton._replace(rotations=self.skeleton.rotations[rows], root=self.skeleton.root[rows])
        spans = [(max(first, start) - start, last - start if last < stop else np.inf) for first, last in self.spans
                 if first < stop and last > start]
        return self._replace(times=self.times[rows] - start, skeleton=skeleton, spans=spans)


def motions_of(clip, body_model, to_world=None):
    """A :class:`Motion` of each track of a :class:`~mmhuman_dto.structures.Clip`; None of people who are mere meshes.

    Args:
        clip: whose ``body_pose``, ``betas``, ... are of ``body_model``, or which has SMPL's joints and rotations.
        body_model: of a body model, else whatever poses the meshes.
        to_world: (T, 4, 4) of :func:`camera_to_world`, where it was asked for already.
    """
    to_world = camera_to_world(clip, body_model) if to_world is None else to_world
    motions = []
    for track in clip.tracks:
        rows = _finite(track.people)
        if rows.any():
            people, frames = track.people[torch.from_numpy(rows)], track.frames.numpy()[rows]
            motions.append(_motion(clip, track.track_id, people, frames, body_model, to_world))
    return None if None in motions else motions


def camera_to_world(clip, body_model):
    """(T, 4, 4), m: from each frame's camera (x right, y down, z forward) to the world.

    The ground is that on which the people of a shot stand, or of the whole clip where its cameras' poses are known.
    """
    to_first = np.tile(np.eye(4), (len(clip), 1, 1))
    shots = list(clip.shots)
    if clip.camera_poses is not None:
        poses, shots = torch.as_tensor(clip.camera_poses).double(), [0]
        to_first = (poses[:1] @ inverse_poses(poses)).numpy()
    matrices = np.empty_like(to_first)
    for start, stop in zip(shots, [*shots[1:], len(clip)]):
        ground = estimate_ground(_bodies(clip, body_model, start, stop, to_first))
        matrices[start:stop] = ground.camera_to_world @ to_first[start:stop]
    return matrices


def _bodies(clip, body_model, start, stop, to_first):
    """Vertices (N, V, 3), m, of some people of the frames ``start`` to ``stop``, moved by ``to_first``."""
    bodies = bodies_of(body_model)
    inside = [((track.frames >= start) & (track.frames < stop)).nonzero()[:, 0] for track in clip.tracks]
    count = sum(map(len, inside))
    if not count:
        return np.zeros((0, 1, 3))
    owners = np.repeat(np.arange(len(inside)), [len(rows) for rows in inside])
    chosen = slice(None, None, -(-count // _GROUND_BODIES))
    places = [(clip.tracks[owner], row) for owner, row in zip(owners[chosen], torch.cat(inside)[chosen].tolist())]
    with torch.no_grad():
        vertices = bodies.vertices([track.people[row:row + 1].to(bodies.faces.device) for track, row in places])
    vertices, matrices = vertices.double().cpu().numpy(), to_first[[int(track.frames[row]) for track, row in places]]
    moved = np.einsum('nij,nvj->nvi', matrices[:, :3, :3], vertices) + matrices[:, None, :3, 3]
    return moved[np.isfinite(moved).all((1, 2))]


def _motion(clip, track_id, people, frames, body_model, to_world):
    made = _posed(people, body_model) if _is_posed(people, body_model) else _told(people)
    if made is None:
        return None
    skeleton, skin, betas = made
    times, matrices = clip.times.numpy(), to_world[frames]
    return Motion(track_id, times[frames], skeleton.moved(matrices[:, :3, :3], matrices[:, :3, 3]),
                  _spans(times, frames), skin, betas, height_of(people, body_model),
                  median_of(people, 'heights_std', np.nan), median_of(people, 'mesh_scales', 1.))


def _finite(people):
    """(F) bool: rows in which all that makes the body is finite."""
    rows = np.ones(len(people), bool)
    for name in ('global_orient', 'body_pose', 'betas', 'transl'):
        if name in people:
            rows &= torch.as_tensor(people[name]).flatten(1).isfinite().all(1).cpu().numpy()
    return rows


def root_places(people, body_model):
    """(F, 3) m, camera frame: where the pelvis of one person is in its frames."""
    if not _is_posed(people, body_model):
        return torch.as_tensor(people.pelvis).double().cpu().numpy()
    with torch.no_grad():
        return body_model.skeleton(*_parameters(people, body_model))[:, 0].double().cpu().numpy()


def middles_of(people, body_model):
    """(F, 3) m, camera frame: the mean of one person's mesh in its frames."""
    if not _is_posed(people, body_model):
        return torch.as_tensor(people.vertices).double().mean(1).cpu().numpy()
    skeleton, skin, _ = _posed(people, body_model)
    return skin._replace(skeleton=skeleton).centres()


def stands_still(to_world):
    """Whether the camera of :func:`camera_to_world` never moves."""
    return bool(np.ptp(to_world, axis=0).max(initial=0) < _STILL) if len(to_world) else True


def height_of(people, body_model):
    """The one height of a person in its frames, m: that of its median shape, else the median of those told."""
    if not _is_posed(people, body_model):
        return median_of(people, 'heights', np.nan)
    with torch.no_grad():
        return float(body_model.height(_parameters(people, body_model)[1].nanmedian(0).values))


def median_of(people, name, unknown):
    """The median of what is known of a field of one person in its frames."""
    return float(torch.as_tensor(people[name]).double().nanmedian()) if name in people else unknown


def _is_posed(people, body_model):
    return isinstance(body_model, BodyModel) and 'body_pose' in people


def _parameters(people, body_model):
    """pose (F, 24, 3), betas (F, B) and transl (F, 3) for the body model."""
    return [torch.as_tensor(values).to(body_model.faces.device, torch.float32)
            for values in (people.pose, people.betas, people.transl)]


def _posed(people, body_model):
    """Skeleton, skin and betas of a person with a body model, whose pelvis stays where it is of each frame's betas."""
    pose, betas, _ = _parameters(people, body_model)
    shape = betas.nanmedian(0).values
    skin = body_model.skin(0 * pose[:1], shape, torch.zeros_like(pose[:1, 0]))._replace(correctives=None)
    rotations = body_model.bone_rotations(pose).double().cpu().numpy()
    skeleton = skin.skeleton._replace(rotations=rotations, root=root_places(people, body_model))
    return skeleton, skin, shape.double().cpu().numpy()


def _told(people):
    """The same, without a skin, of SMPL's joints and rotations; None where they are not told."""
    told = told_bones(people)
    if told is None:
        return None
    betas = None
    if 'betas' in people and 'transl' in people:
        betas = torch.as_tensor(people.betas).double().cpu().median(0).values.numpy()
    return told_skeleton(*told), None, betas


def _spans(times, frames):
    """[(from, to)] s: pieces of a track between gaps that are too long; each lasts until the next frame of the clip,
    which is after the end where there is none."""
    pieces = np.split(frames, np.flatnonzero(np.diff(times[frames]) > BRIDGED) + 1)
    ends = np.append(times[1:], np.inf)
    return [(float(times[piece[0]]), float(ends[piece[-1]])) for piece in pieces]
