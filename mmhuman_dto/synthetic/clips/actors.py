"""The people of a clip in all frames: who they are, what they are to do, and how their bodies do it."""
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ..layout import seat_under
from ..people import STANDING_HEIGHT, sample_people
from .anatomy import anatomies
from .gestures import arms_of, sample_gestures
from .motion import body_motion, sample_style
from .planning import Planner
from .steps import Sitting

#: Floor frame -> world of a clip.
_TO_WORLD = Rotation.from_euler('x', np.pi)
#: Nobody is smaller, m: who can hardly stand does not walk.
_SMALLEST = STANDING_HEIGHT + .1


@dataclass
class Actor:
    """One person of a clip in all T frames, in the clip's world: x right, y down, z forward, ground at y = 0; m, rad.

    ``betas`` (B); ``pose`` (T, 24, 3) with the root in the world; ``root`` (T, 3) the root joint; ``rest_root`` (3)
    that of the body at rest; ``contact`` (T, 2) whether the ball of the left, right foot is on the ground and does not
    move; ``activity`` T names; ``seats`` boxes (8, 3) it sits on.
    """
    age: float
    male: bool
    height: float
    betas: np.ndarray
    pose: np.ndarray
    root: np.ndarray
    rest_root: np.ndarray
    contact: np.ndarray
    activity: list
    seats: list


def sample_actors(number, camera, body_model, config, rng):
    """An :class:`Actor` for each of a number of people, fewer where there is no room for all."""
    people = _walkers(number, config.child_share, body_model, rng)
    planner, times, actors = Planner(camera, config, rng), np.arange(config.frames) / config.fps, []
    for i, anatomy in enumerate(anatomies(people.betas, body_model)):
        style = sample_style(anatomy, rng)
        timeline = planner.add(anatomy, style, people.heights[i])
        if timeline is None:
            continue
        gestures, moves = sample_gestures(timeline, config, rng), timeline.at(times)

        def motion(when, timeline=timeline, gestures=gestures, anatomy=anatomy, style=style):
            return body_motion(timeline.at(when), arms_of(gestures, when), when, anatomy, style, config.fps)

        pose, root = motion(times)
        seats = [_seat(motion, middle, people.betas[i], anatomy, people.heights[i], body_model)
                 for middle in _sat(timeline, times[-1])]
        pose[:, 0] = (_TO_WORLD * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
        actors.append(Actor(float(people.ages[i]), bool(people.male[i]), float(people.heights[i]), people.betas[i],
                            pose, _TO_WORLD.apply(root), anatomy.joints[0], moves.contact, timeline.names(times),
                            seats))
    return actors


def _walkers(number, child_share, body_model, rng):
    """People as :func:`~mmhuman_dto.synthetic.people.sample_people` draws them, none too small to walk."""
    drawn = [sample_people(1, child_share, body_model, rng) for _ in range(number)]
    for i in range(number):
        while drawn[i].heights[0] < _SMALLEST:
            drawn[i] = sample_people(1, child_share, body_model, rng)
    return type(drawn[0])(*(np.concatenate(values) for values in zip(*drawn)))


def _sat(timeline, end):
    """Times, s, in the middle of each stay on a seat of which some is between 0 and ``end``."""
    return [start + segment.duration / 2 for start, segment in zip(timeline.starts, timeline.segments)
            if isinstance(segment, Sitting) and start < end and start + segment.duration > 0]


def _seat(motion, time, betas, anatomy, height, body_model):
    """The box (8, 3), world, under a body at a time."""
    pose, root = motion(np.array([time]))
    values = pose, betas, root - anatomy.joints[0]
    with torch.no_grad():
        out = body_model(*(torch.as_tensor(value, dtype=torch.float32) for value in values))
    facing = Rotation.from_rotvec(pose[0, 0]).apply([0, 0, 1])
    box = seat_under(*(part[0].double().numpy() for part in out), np.degrees(np.arctan2(facing[0], facing[2])), height,
                     ahead=-.01)
    return _TO_WORLD.apply(box)
