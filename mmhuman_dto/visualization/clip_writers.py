"""What a clip can be saved as, by name: people who move, and their numbers.

A writer is a function (clip, body model, path without suffix) -> list of the paths it wrote;
``CLIP_WRITERS['name'] = f`` adds one. It raises :class:`~mmhuman_dto.visualization.rigs.KindError` for a clip that has
not what its kind needs.
"""
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.body_models import BodyModel
from mmhuman_dto.fileio.amass import write_amass
from mmhuman_dto.fileio.bvh import write_bvh
from mmhuman_dto.fileio.gltf import Body
from mmhuman_dto.fileio.gltf_clip import MovingBody, MovingCamera, write_clip_glb
from mmhuman_dto.fileio.packages import require
from mmhuman_dto.fileio.trc import write_trc
from mmhuman_dto.geometry.surfaces import vertex_normals

from .clip_motion import camera_to_world, motions_of, stands_still
from .clip_tables import write_clip_csv, write_clip_table
from .colors import person_colors
from .html_clip import Shot, clip_page
from .motion_writers import placed_shape, shape_of
from .rigs import KindError
from .writers import save_kinds

#: Poses of people that one file of meshes holds at most: a longer clip is cut into several files. A pose of 24 bones
#: takes 0.4 kB, of USD 0.7 kB, so that a file stays below some 20 MB.
MOST_POSES, MOST_USD_POSES = 40_000, 25_000


def save_clip(clip, body_model, out_dir, name, kinds):
    """Save a clip as ``OUT_DIR/KIND/NAME.suffix`` for each kind of ``CLIP_WRITERS``: a list of the paths written.

    Args:
        clip: :class:`~mmhuman_dto.structures.Clip`.
        body_model: that its people are of, or other :class:`~mmhuman_dto.dto.bodies.Bodies` of people who are only
            meshes.
        out_dir, name: where to; ``name`` may contain folders.
        kinds: names in ``CLIP_WRITERS``.

    Raises:
        ValueError: a kind that is not known; nothing is written.
        KindError: kinds that cannot be made of this clip, each with its reason; all others are written.
    """
    return save_kinds(kinds, CLIP_WRITERS, lambda kind, write: write(clip, body_model, Path(out_dir) / kind / name))


def write_glb(clip, body_model, path, write=write_clip_glb, kind='.glb', most=MOST_POSES):
    """Everybody's mesh over bones that move, and the camera, as one ``.glb``; of a long clip ``_part1``, ``_part2``,
    ..., whose times begin anew."""
    to_world, motions, faces = _skinned(clip, body_model)
    bodies, paths = {motion.track_id: _body(motion, faces) for motion in motions}, []
    for part in _parts(clip, motions, most):
        paths.append(Path(f'{path}{part.suffix}{kind}'))
        moving = [MovingBody(bodies[motion.track_id], motion.times, motion.skeleton, motion.spans)
                  for motion in part.motions]
        write(paths[-1], moving, faces, _camera(clip, to_world, part), dict(
            clip=clip.name, units='metres', start_s=part.first, frames=part.stop - part.start, fps=round(clip.fps, 4),
            coordinates='x right, y up from the ground, z towards the viewer; the ground is an estimate from where the '
                        'people stand', camera='stands still' if stands_still(to_world) else 'moves'))
    return paths


def write_usd(clip, body_model, path):
    """The same as ``.usdc``."""
    try:
        require('pxr', 'usd', 'docs/export.md')
    except ImportError as error:
        raise KindError(f'{clip.name}: {error}') from error
    from mmhuman_dto.fileio.usd_clip import write_clip_usd  # which needs that package
    return write_glb(clip, body_model, path, partial(write_clip_usd, rate=clip.fps), '.usdc', MOST_USD_POSES)


def write_html(clip, body_model, path, most=MOST_POSES):
    """A page with a time line to walk around in, as ``.html``; of a long clip ``_part1``, ``_part2``, ..."""
    (to_world, motions, faces), paths = _skinned(clip, body_model), []
    for part in _parts(clip, motions, most):
        paths.append(Path(f'{path}{part.suffix}.html'))
        times = clip.times[part.start:part.stop].numpy() - part.first
        shot = Shot(times, clip.image_size, _intrinsics(clip), to_world[part.start:part.stop], part.motions, faces)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_bytes(clip_page(f'{clip.name}{part.suffix}', shot).encode(errors='replace'))
    return paths


def parts_of(clip, most):
    """[(from, to), ...] frames of as few parts of a clip as can be, in each of which people have ``most`` poses at
    most."""
    counts = np.zeros(len(clip), int)
    for track in clip.tracks:
        counts[track.frames.numpy()] += 1
    starts, poses = [0], 0
    for frame, count in enumerate(counts.tolist()):
        poses += count
        if poses > most and frame > starts[-1]:
            starts.append(frame)
            poses = count
    return list(zip(starts, [*starts[1:], len(clip)]))


def write_bvhs(clip, body_model, path, scale):
    """Bones of each person through the clip, ``scale`` units a metre, as ``PATH/person_1.bvh``."""
    paths = []
    for motion, skeleton, _ in _even(clip, body_model, 'joints and rotations of its people'):
        paths.append(Path(path) / f'person_{motion.track_id}.bvh')
        write_bvh(paths[-1], skeleton, clip.fps, scale)
    return paths


def write_amasses(clip, body_model, path):
    """Pose, shape and place of each person through the clip by AMASS's names, as ``PATH/person_1.npz``."""
    paths = []
    for motion, skeleton, times in _even(clip, body_model, 'people by parameters of a body of SMPL\'s family'):
        if motion.betas is None:
            raise KindError(f'{clip.name}: it needs the shape coefficients of its people, which nobody tells')
        if isinstance(body_model, BodyModel):
            shape = dict(shape_of(body_model, motion.betas), gender=body_model.gender)
        else:
            shape = placed_shape(clip.body_model, motion.betas, motion.scale)
        paths.append(Path(path) / f'person_{motion.track_id}.npz')
        write_amass(paths[-1], skeleton, rate=clip.fps, start_time=float(times[0]), **shape)
    return paths


def write_trcs(clip, body_model, path):
    """Joints of each person through the clip as markers, as ``PATH/person_1.trc``: those of the bones, and those that
    the body model has on its surface."""
    paths = []
    for motion, skeleton, _ in _even(clip, body_model, 'joints and rotations of its people'):
        names, points = skeleton.names, skeleton.world()[1]
        if motion.skin is not None:
            rows = body_model.joint_vertices.cpu().numpy()
            names = (*names, *body_model.joint_names[-len(rows):])
            points = np.concatenate([points, motion.skin._replace(skeleton=skeleton).posed(rows)], 1)
        paths.append(Path(path) / f'person_{motion.track_id}.trc')
        write_trc(paths[-1], names, points, clip.fps)
    return paths


#: Name -> writer.
CLIP_WRITERS = dict(glb=write_glb, usd=write_usd, html=write_html, bvh=partial(write_bvhs, scale=100.),
                    bvh_m=partial(write_bvhs, scale=1.), amass=write_amasses, trc=write_trcs, params=write_clip_table,
                    csv=write_clip_csv)


class _Part(NamedTuple):
    """Frames ``start`` to ``stop`` of a clip, from ``first`` s on, and the motions in them; ``suffix`` of its files."""
    suffix: str
    start: int
    stop: int
    first: float
    motions: list


def _parts(clip, motions, most):
    """Yield the parts of a clip with ``most`` poses at most."""
    parts = parts_of(clip, most)
    for number, (start, stop) in enumerate(parts, 1):
        first = float(clip.times[start]) if len(clip) else 0.
        last = float(clip.times[stop]) if stop < len(clip) else np.inf
        inside = [part for part in (motion.between(first, last) for motion in motions) if part is not None]
        yield _Part(f'_part{number}' if len(parts) > 1 else '', start, stop, first, inside)


def _skinned(clip, body_model):
    """(T, 4, 4) from cameras to the world, motions with skins, (F, 3) triangles."""
    to_world, needed = camera_to_world(clip, body_model), 'a body model that its people are posed by'
    motions = _motions(clip, body_model, needed, to_world)
    if any(motion.skin is None for motion in motions):
        raise KindError(f'{clip.name}: it needs {needed}, and these are only meshes')
    return to_world, motions, body_model.faces.cpu().numpy()


def _motions(clip, body_model, needed, to_world=None):
    motions = motions_of(clip, body_model, to_world)
    if motions is None:
        raise KindError(f'{clip.name}: it needs {needed}, and these are only meshes')
    return motions


def _even(clip, body_model, needed):
    """(motion, skeleton, times) of each person in frames that are evenly spaced, from its first to its last time."""
    for motion in _motions(clip, body_model, needed):
        count = round((motion.times[-1] - motion.times[0]) * clip.fps) + 1
        times = motion.times[0] + np.arange(count) / clip.fps
        yield motion, motion.skeleton.at(motion.times, times), times


def _body(motion, faces):
    """The mesh at rest."""
    vertices = motion.skin.vertices
    normals = vertex_normals(torch.tensor(vertices, dtype=torch.float32)[None], torch.tensor(faces).long())[0].numpy()
    normals = np.where(np.abs(normals).sum(-1, keepdims=True) > 0, normals, np.float32([0, 0, 1]))
    numbers = dict(height_m=motion.height, height_std_m=motion.height_std, from_s=motion.times[0],
                   to_s=motion.times[-1])
    facts = {name: round(float(value), 3) for name, value in numbers.items() if np.isfinite(value)}
    return Body(f'person_{motion.track_id}', vertices, normals, tuple(person_colors([motion.track_id])[0].tolist()),
                facts, motion.skin, normals)


def _camera(clip, to_world, part):
    """The camera of a part: in each frame where it moves, else in those in which shots begin."""
    if not len(clip):
        return MovingCamera(_intrinsics(clip), clip.image_size, np.zeros(1), np.eye(4)[None])
    cuts = clip.camera_poses is None
    rows = np.array([part.start, *(shot for shot in clip.shots if part.start < shot < part.stop)])
    if not cuts and not stands_still(to_world[part.start:part.stop]):
        rows = np.arange(part.start, part.stop)
    return MovingCamera(_intrinsics(clip), clip.image_size, clip.times[rows].numpy() - part.first, to_world[rows],
                        cuts)


def _intrinsics(clip):
    """(3, 3) px: those of the middle, where they change."""
    return clip.intrinsics.double().median(0).values.numpy() if len(clip) else np.eye(3)
