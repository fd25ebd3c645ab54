"""A clip as one web page with a time line: people who walk in a scene to walk around in, as of :mod:`html_page`.

The page's JSON (``<script type="application/json" id="page">``) says, in metres and in the world of all files of a clip
(x right, y up from the ground, z to the viewer)::

    {"image": {"width": W, "height": H}, "intrinsics": (3, 3), "moves": whether the camera moves,
     "times": base64 of (T) float32, s,
     "camera": base64 of (C, 4, 4) float32: camera (x right, y down, z forward) to world; C is T, or 1 where it stands,
     "faces": base64 of (F, 3) uint32, "share": F of all,          # the same for everybody
     "parents": (K), "width": W bones a vertex moves with,
     "bones": base64 of (V, W) uint8, "shares": base64 of (V, W) uint16,
     "people": [{"id": 2, "height": 1.71, "said": {"height": "1.71 m"}, "colours": {"person": "#..."},
                 "spans": [[from, to], ...],                       # s in which it is there; a "to" of null: to the end
                 "mesh": {"origin": [x, y, z], "step": s, "steps": base64 of (V, 3) uint16},      # at rest
                 "rest": base64 of (K, 3) float32,                 # joints at rest
                 "moments": base64 of (K, 4) float32,              # Skin.moments, of the whole mesh
                 "rows": base64 of (N) uint32,                     # frames in which the bones are known
                 "turns": base64 of (N, K, 4) int16, "root": base64 of (N, 3) float32}]}

A vertex at rest is ``origin + step * steps``; quaternions x, y, z, w of bones as seen from their parents are
``turns / 32767``, each of the sign that is nearer to the one before, which moves no joint by more than .3 mm. What is
not known is null, or '' among what is ``said``.
"""
from typing import NamedTuple

import numpy as np

from ..fileio.gltf import continuous, quaternions, strongest_bones
from .clip_motion import stands_still
from .colors import person_colors
from .html_decimation import decimate
from .html_page import hex_of, packed, page_of, steps_of
from .people_rows import measured

#: The page's own program, in the order in which its parts run.
PROGRAM = ('page.js', 'clip_panel.js', 'cameras.js', 'things.js', 'bodies.js', 'views.js', 'world.js', 'clip_viewer.js')
#: Triangles of all people that are there at once: browsers skin them anew in every frame.
MOST_TRIANGLES = 24_000
#: Nobody is left with fewer, nor gets more.
_FEWEST_TRIANGLES, _ENOUGH_TRIANGLES = 600, 6_000
#: Bones that a vertex of the page moves with.
_BONES = 4
_SHORT, _LARGEST = 2**15 - 1, 2**16 - 1


class Shot(NamedTuple):
    """Frames to be shown.

    Attributes:
        times: (T) s, rising, the first one 0.
        image_size: (height, width) px; intrinsics: (3, 3) px.
        to_world: (T, 4, 4) from the camera's frame to the world.
        motions: :class:`~mmhuman_dto.visualization.clip_motion.Motion` of the people, with skins.
        faces: (F, 3) integers.
    """
    times: np.ndarray
    image_size: tuple
    intrinsics: np.ndarray
    to_world: np.ndarray
    motions: list
    faces: np.ndarray


def clip_page(title, shot):
    """The page's text."""
    return page_of('clip.html', PROGRAM, title, describe(shot))


def describe(shot):
    """What the page's JSON holds, see the module."""
    vertices, faces, weights = _simplified(shot)
    bones, shares = strongest_bones(weights, _BONES) if len(weights) else (weights, weights)
    moves = not stands_still(shot.to_world)
    height, width = shot.image_size
    return dict(
        image=dict(width=int(width), height=int(height)), intrinsics=np.asarray(shot.intrinsics, float).tolist(),
        moves=moves, times=packed(shot.times, '<f4'), camera=packed(shot.to_world[slice(None if moves else 1)], '<f4'),
        faces=packed(faces, '<u4'), share=len(faces) / max(1, len(shot.faces)),
        parents=[int(parent) for parent in shot.motions[0].skeleton.parents] if shot.motions else [], width=_BONES,
        bones=packed(bones, np.uint8), shares=packed(np.round(shares * _LARGEST), '<u2'),
        people=[_person(motion, mesh, shot.times) for motion, mesh in zip(shot.motions, vertices)])


def _simplified(shot):
    """Vertices at rest of all people (P, V, 3), triangles (F, 3) between them, and their weights (V, K)."""
    if not shot.motions:
        return np.zeros((0, 0, 3)), np.zeros((0, 3), int), np.zeros((0, 1))
    there = np.zeros(len(shot.times), int)
    for motion in shot.motions:
        there[_rows(motion, shot.times)] += 1
    target = int(np.clip(MOST_TRIANGLES // there.max(), _FEWEST_TRIANGLES, _ENOUGH_TRIANGLES))
    rest = np.stack([motion.skin.vertices for motion in shot.motions])
    vertices, faces, origin = decimate(rest, shot.faces, target)
    return vertices, faces, shot.motions[0].skin.weights[origin]


def _rows(motion, times):
    """(N) rows of the times in which somebody's bones are known."""
    return np.searchsorted(times, motion.times - 1e-6)


def _person(motion, vertices, times):
    turns = continuous(quaternions(motion.skeleton.rotations))
    return dict(
        id=motion.track_id, height=motion.height if np.isfinite(motion.height) else None,
        said=dict(height=measured(motion.height, motion.height_std, 2), note=''),
        colours=dict(person=hex_of(person_colors([motion.track_id])[0])),
        spans=[[start, stop if np.isfinite(stop) else None] for start, stop in motion.spans], mesh=steps_of(vertices),
        rest=packed(motion.skin.skeleton.rest, '<f4'), moments=packed(motion.skin.moments, '<f4'),
        rows=packed(_rows(motion, times), '<u4'), turns=packed(np.round(turns * _SHORT), '<i2'),
        root=packed(motion.skeleton.root, '<f4'))
