"""People who move as one binary glTF 2.0 file with one animation, as the specification lays it out (see :mod:`gltf`).

Node 0 is ``world`` (x right, y up from the ground, z towards the viewer, metres). Below it are the camera and the bones
of the people, turned by samplers of LINEAR interpolation: rotations by slerp, the root's place along a line. Who is not
there has a skeleton of size 0, switched by STEP interpolation, which all viewers honour.
"""
from typing import NamedTuple

import numpy as np
import pygltflib as gltf

from .gltf import TURN, Body, GltfScene, continuous, quaternions


class MovingBody(NamedTuple):
    """A person to be written.

    Attributes:
        body: :class:`~mmhuman_dto.fileio.gltf.Body` with a skin at rest.
        times: (F) s, rising.
        skeleton: :class:`~mmhuman_dto.geometry.skeleton.Skeleton` of F frames, in the world.
        spans: [(from, to)] s in which it is to be seen, rising.
    """
    body: Body
    times: np.ndarray
    skeleton: NamedTuple
    spans: list


class MovingCamera(NamedTuple):
    """The camera.

    Attributes:
        intrinsics: (3, 3) px; a file has one for all times.
        image_size: (H, W) px.
        times: (C) s, rising; one alone, of a camera that stands still.
        poses: (C, 4, 4) from the camera's frame (x right, y down, z forward) to the world, m.
        cuts: whether it jumps from one pose to the next, and does not move.
    """
    intrinsics: np.ndarray
    image_size: tuple
    times: np.ndarray
    poses: np.ndarray
    cuts: bool = False


def write_clip_glb(path, people, faces, camera, extras=None):
    """Write people who move.

    Args:
        path: of the file.
        people: list of :class:`MovingBody`, all of one body model.
        faces: (F, 3) integers, shared by all bodies, counterclockwise from outside.
        camera: :class:`MovingCamera`.
        extras: JSON-able, of the file's ``asset``.
    """
    scene, motion = GltfScene('world', extras), gltf.Animation(name='clip')
    if people:
        scene.set_faces(faces)
    for person in people:
        _add_person(scene, motion, person)
    poses = np.asarray(camera.poses, float)
    turns, places = continuous(quaternions(poses[:, :3, :3] @ TURN)), poses[:, :3, 3]
    node = scene.add_camera(camera.intrinsics, camera.image_size, rotation=turns[0].tolist(),
                            translation=places[0].tolist())
    _Track(scene, motion, camera.times, gltf.ANIM_STEP if camera.cuts else gltf.ANIM_LINEAR).turn(node, turns, places)
    if motion.channels:
        scene.file.animations.append(motion)
    scene.write(path)


def _add_person(scene, motion, person):
    skeleton = person.skeleton
    top, bones = scene.add_person(person.body, skeleton)
    track = _Track(scene, motion, person.times)
    turns = continuous(quaternions(skeleton.rotations))
    for bone, node in enumerate(bones):
        track.turn(node, turns[:, bone], skeleton.root if bone == 0 else None)
    moments, sizes = shown(person.spans)
    _Track(scene, motion, moments, gltf.ANIM_STEP).set(top, 'scale', np.repeat(sizes[:, None], 3, 1))


def shown(spans):
    """Moments, s, the first one 0, and whether (1, 0) somebody is there from each on."""
    moments = {0.: 0.}
    for start, stop in spans:
        moments[start], moments[stop] = 1., 0.
    moments = {moment: size for moment, size in moments.items() if np.isfinite(moment)}
    return np.array(list(moments)), np.array(list(moments.values()))


class _Track:
    """Times at which values of nodes are known; what never changes gets no values through time."""

    def __init__(self, scene, motion, times, interpolation=gltf.ANIM_LINEAR):
        self.scene, self.motion, self.interpolation = scene, motion, interpolation
        self.times, self.input = np.asarray(times, np.float32)[:, None], None

    def turn(self, node, turns, places=None):
        """A node's rotations (T, 4), and its places (T, 3), m."""
        self.set(node, 'rotation', turns)
        if places is not None:
            self.set(node, 'translation', places)

    def set(self, node, path, values):
        """Values (T, 3) or (T, 4) of one of a node's properties."""
        values = np.asarray(values, np.float32)
        if path != 'scale' and not np.ptp(values, axis=0).any() or path == 'scale' and values.all():
            return
        if self.input is None:
            self.input = self.scene.add(self.times, bounded=True)
        self.motion.samplers.append(gltf.AnimationSampler(
            input=self.input, output=self.scene.add(values, bounded=False), interpolation=self.interpolation))
        self.motion.channels.append(gltf.AnimationChannel(
            sampler=len(self.motion.samplers) - 1, target=gltf.AnimationChannelTarget(node=node, path=path)))
