"""What everybody does when and where, so that nobody goes through anybody: one person after the other."""
from dataclasses import dataclass, field

import numpy as np

from .anatomy import speed_unit
from .paths import Curve
from .steps import Moves, Standing, turn, walk

#: Room around the middle of a body, parts of its height; nobody comes nearer to the camera than this, m.
_ROOM, _TO_CAMERA = .27, 1.2
#: Nobody turns in less than this radius while walking, m; shortest walk, m.
_RADIUS, _SHORTEST = .9, 1.2
#: Places are compared this often, 1/s.
_CHECKS = 8.


@dataclass
class Timeline:
    """What a person does: segments (of ``steps``), each from a time, s, until the next one's."""
    starts: list = field(default_factory=list)
    segments: list = field(default_factory=list)
    #: where and how the person stands after the last segment
    place: np.ndarray = None
    heading: float = 0.

    @property
    def end(self):
        """Until when the plan goes, s."""
        return self.starts[-1] + self.segments[-1].duration if self.segments else -np.inf

    def rows(self, times):
        """Which segment (F) times (F) are in."""
        return np.maximum(np.searchsorted(self.starts, times, 'right') - 1, 0)

    def at(self, times):
        """:class:`~mmhuman_dto.synthetic.clips.steps.Moves` at rising times (F), s."""
        rows = self.rows(times)
        return Moves.joined([self.segments[row].at(times[rows == row] - self.starts[row]) for row in np.unique(rows)])

    def names(self, times):
        """What the person does (F)."""
        return [self.segments[row].name for row in self.rows(times)]


class Planner:
    """Plans people one after the other for a clip of a camera.

    Args:
        camera: :class:`~mmhuman_dto.synthetic.clips.cameras.CameraPath`. config: :class:`ClipConfig`.
    """

    def __init__(self, camera, config, rng):
        self.camera, self.config, self.rng = camera, config, rng
        self.duration = config.frames / config.fps
        self.times = np.arange(-1, self.duration + 1, 1 / _CHECKS)
        self.others, self.rooms = np.zeros((0, len(self.times), 2)), np.zeros(0)
        frames = np.clip(np.round(self.times * config.fps).astype(int), 0, config.frames - 1)
        self.lens = camera.positions[frames][:, [0, 2]]

    def add(self, anatomy, style, height):
        """A :class:`Timeline` for one more person, or None where there is no room."""
        room = _ROOM * height
        for _ in range(12):
            timeline = _Person(self, anatomy, style, room).planned()
            if timeline is not None:
                self.others = np.concatenate([self.others, timeline.at(self.times).place[None]])
                self.rooms = np.append(self.rooms, room)
                return timeline
        return None

    def free(self, segments, start, room):
        """Whether segments, one after the other from a time on, keep away from all who are planned and the camera."""
        for segment in segments:
            rows = np.flatnonzero((self.times >= start) & (self.times < start + segment.duration))
            place = segment.at(self.times[rows] - start).place
            if (np.linalg.norm(place - self.lens[rows], axis=-1) < _TO_CAMERA).any():
                return False
            distance = np.linalg.norm(self.others[:, rows] - place, axis=-1)
            if (distance < (self.rooms + room)[:, None]).any():
                return False
            start += segment.duration
        return True

    def inside(self, time):
        """A place (2) that the camera sees at a time."""
        rng, camera = self.rng, self.camera
        depth = camera.near + (camera.far - camera.near) * rng.random()
        return camera.spot(self._frame(time), depth, rng.uniform(.08, .92))

    def outside(self, time):
        """A place (2) beside what the camera sees at a time."""
        rng, camera = self.rng, self.camera
        depth = camera.near + (camera.far - camera.near) * rng.random()
        beyond = .12 + .9 * camera.intrinsics[0, 0] / camera.size[1] / depth  # 0.9 m beyond the edge, and a part
        return camera.spot(self._frame(time), depth, -beyond if rng.random() < .5 else 1 + beyond)

    def _frame(self, time):
        return int(np.clip(round(time * self.config.fps), 0, self.config.frames - 1))


class _Person:
    """The plan of one person as it grows."""

    def __init__(self, planner, anatomy, style, room):
        self.planner, self.anatomy, self.style, self.room = planner, anatomy, style, room
        self.rng, self.config = planner.rng, planner.config
        self.pace = self.rng.uniform(*self.config.pace)

    def planned(self):
        """The :class:`Timeline`, or None."""
        rng, duration = self.rng, self.planner.duration
        enters = rng.uniform(0, .5) * duration if rng.random() < self.config.enter_leave / 2 else None
        leaves = rng.uniform(.4, .9) * duration if rng.random() < self.config.enter_leave / 2 else None
        line, start = Timeline(), -1.1 - rng.uniform(0, 4)
        line.place = self.planner.inside(0) if enters is None else self.planner.outside(enters)
        line.heading = rng.uniform(-np.pi, np.pi)
        if enters is not None and not self._add(line, start, [self._stand(line, enters - start)]):
            return None
        for _ in range(60 + int(4 * duration)):
            now = start if not line.segments else line.end
            if now > duration + 1:
                return line
            if leaves is not None and now > leaves:
                if self._go(line, now, self.planner.outside(now + 3)):
                    return line if self._add(line, line.end, [self._stand(line, 2 * duration)]) else None
            elif enters is not None and len(line.segments) == 1:
                if not self._go(line, now, self.planner.inside(now + 3)):
                    continue
            else:
                self._next(line, now)
        return None

    def _next(self, line, now):
        """One thing more; if there is no room for it, the last one is taken back."""
        kinds, shares = zip(*self.config.activities)
        for _ in range(8):
            kind = self.rng.choice(kinds, p=np.array(shares) / sum(shares))
            if kind == 'walk' and self._go(line, now, self.planner.inside(now + 3)):
                return
            if kind == 'stand' and self._add(line, now, [self._stand(line, self.rng.uniform(1, 5))]):
                return
        if line.segments:
            self._take_back(line)

    def _take_back(self, line):
        line.starts.pop()
        last = line.segments.pop()
        start = last.at(np.zeros(1))
        line.place, line.heading = start.place[0], start.heading[0]

    def _go(self, line, now, target):
        """Walk to a place (2), with a turn before it where it is not ahead; whether there was room."""
        along = target - line.place
        if np.linalg.norm(along) < _SHORTEST:
            return False
        straight = line.heading + _within(np.arctan2(*along) - line.heading)
        segments, heading = [], line.heading
        if abs(straight - heading) > np.radians(60):
            heading = straight + self.rng.uniform(-.4, .4)
            segments = [turn(line.place, line.heading, heading, self.anatomy, self.style.width, self.style.toe_out)]
        curve = Curve(line.place, target, heading, self.rng.uniform(-.3, .3))
        if curve.sharpest() < _RADIUS:
            return False
        speed = self.pace * self.rng.uniform(.9, 1.1) * speed_unit(self.anatomy.leg)
        segments.append(walk(curve, curve.length, speed, self.anatomy, int(self.rng.integers(2)), self.style.width,
                             self.style.toe_out))
        return self._add(line, now, segments, target, float(curve.heading(1.)))

    def _stand(self, line, duration):
        return Standing(line.place, line.heading, duration, self.anatomy, self.style.width, self.style.toe_out)

    def _add(self, line, start, segments, place=None, heading=None):
        if not self.planner.free(segments, start, self.room):
            return False
        for segment in segments:
            line.starts.append(start)
            line.segments.append(segment)
            start += segment.duration
        if place is not None:
            line.place, line.heading = place, heading
        return True


def _within(angle):
    """The same angle from -pi to pi, rad."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
