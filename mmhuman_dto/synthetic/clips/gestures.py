"""What arms do besides hanging and swinging: poses of ``synthetic.poses``, taken for a while, and waves in them."""
from typing import NamedTuple

import numpy as np

from .. import poses
from .steps import Sitting, smooth

_ROW = {name: i for i, name in enumerate(poses.JOINTS)}
_TALKING = poses.Pose(dict(l_shoulder=(-12, 0, -70), r_shoulder=(-16, 0, 70), l_elbow=(10, -62, 0),
                           r_elbow=(10, 74, 0)))
#: What people do while they stand, sit or walk; fewer do anything while walking, by this factor.
_STANDING = ('talking', 'hands on hips', 'waving', 'pointing', 'looking at phone', 'arms crossed', 'arms raised',
             'carrying')
_SEATED, _WALKING = _STANDING[:1] + _STANDING[2:3] + _STANDING[4:6], ('carrying', 'looking at phone', 'talking')
_SELDOM = .35
#: Joints that go to and fro: axis, degrees, 1/s.
_WAVES = {'waving': (('r_elbow', 2, 20., 1.6), ), 'talking': (('l_elbow', 1, 13., .9), ('r_elbow', 1, 17., .7),
                                                              ('r_shoulder', 0, 8., .45), ('l_shoulder', 0, 6., .6))}
#: How long arms take to get there, s.
_CHANGE = .7


class Gesture(NamedTuple):
    """A pose of the arms from a time to another, s."""
    name: str
    start: float
    end: float
    mirrored: bool


def sample_gestures(timeline, config, rng):
    """Gestures that go with a timeline; who carries something does so all the time."""
    if rng.random() < config.carrying:
        return [Gesture('carrying', -np.inf, np.inf, False)]
    gestures = [_gesture(start, segment, config.gestures, rng)
                for start, segment in zip(timeline.starts, timeline.segments)]
    return [gesture for gesture in gestures if gesture is not None]


def _gesture(start, segment, often, rng):
    """A :class:`Gesture` for a segment, or None."""
    names, margin = (_SEATED, segment.change) if isinstance(segment, Sitting) else (
        (_STANDING if segment.name == 'standing' else _WALKING), .1)
    wanted = rng.random() < often * (_SELDOM if names is _WALKING else 1)
    name, mirrored = str(rng.choice(names)), rng.random() < .5
    if not wanted or segment.name == 'turning' or segment.duration < 2 * margin + 1.6:
        return None
    return Gesture(name, start + margin, start + segment.duration - margin, mirrored)


def arms_of(gestures, times):
    """Euler angles (F, 24, 3), degrees, of what arms do at times (F), s, and how much they do it (F), 0..1."""
    held, much = np.zeros((len(times), 24, 3)), np.zeros(len(times))
    for gesture in gestures:
        rows = np.flatnonzero((times >= gesture.start) & (times <= gesture.end))
        since, left = times[rows] - gesture.start, gesture.end - times[rows]
        held[rows] = _held(gesture, times[rows])
        much[rows] = smooth(since / _CHANGE) * smooth(left / _CHANGE)
    return held, much


def _held(gesture, times):
    known = _TALKING if gesture.name == 'talking' else poses.POSES[gesture.name]
    angles = np.tile(poses.pose_angles(known), (len(times), 1, 1))
    for joint, axis, degrees, often in _WAVES.get(gesture.name, ()):
        angles[:, _ROW[joint], axis] += degrees * np.sin(2 * np.pi * often * times)
    return np.stack([poses.mirror_angles(one) for one in angles]) if gesture.mirrored and len(times) else angles
